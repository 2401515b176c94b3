"""What the documentation names exists: modules, files, settings, and links between pages."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    ROOT / "config/README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]

PACKAGES = "benchmarks|corpus|eval|examples|findings|mini|pipeline|pretrain|rl|sft"
FOLDERS = f"{PACKAGES}|config|docs|profiles|tests"

MODULE = re.compile(rf"python3? -m ((?:{PACKAGES})(?:\.\w+)*)")
CODE = re.compile(r"`([^`\n]+)`")
PATH = re.compile(rf"\.?/?(?:{FOLDERS})/[\w./*-]*")
DOTTED = re.compile(rf"(?:{PACKAGES})(?:\.\w+)+")
LINK = re.compile(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)")
HEADING = re.compile(r"^#+ (.+)$", re.M)

MADE_BY_RUNS = ("corpus/pages/", "corpus/final", "corpus/round_", "config/rl.json", "eval/rl/")
"""Paths under results/<preset>/ that a page names by their last part."""


def is_made_by_a_run(path: str) -> bool:
    return path.startswith(MADE_BY_RUNS)


def is_module_or_name_in_one(dotted: str) -> bool:
    """`rl.trainer` or `rl.trainer.Trainer`; also a setting such as `rl.rewards`."""
    parts = dotted.split(".")
    for length in range(len(parts), 1, -1):
        path = ROOT.joinpath(*parts[:length])
        if path.with_suffix(".py").is_file():
            source = path.with_suffix(".py").read_text(encoding="utf-8")
            return length == len(parts) or re.search(rf"\b{parts[length]}\b", source) is not None
        if path.is_dir():
            return True
    return is_setting(parts)


def is_setting(parts: list[str]) -> bool:
    """A section of the configuration and one of its keys."""
    from pipeline.config.load import Config

    section = Config.model_fields.get(parts[0])
    return section is not None and parts[1] in section.annotation.model_fields


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_names_exists(page):
    text = page.read_text(encoding="utf-8")
    missing = []

    for module in MODULE.findall(text):
        path = ROOT.joinpath(*module.split("."))
        if not path.with_suffix(".py").is_file() and not (path / "__main__.py").is_file():
            missing.append(f"python -m {module}")

    for code in CODE.findall(text):
        if (
            PATH.fullmatch(code)
            and not is_made_by_a_run(code)
            and not list(ROOT.glob(code.rstrip("/")))
        ):
            missing.append(code)
        is_dotted_name = DOTTED.fullmatch(code) and not code.endswith((".py", ".json", ".yaml"))
        if is_dotted_name and not is_module_or_name_in_one(code):
            missing.append(code)

    for link, anchor in LINK.findall(text):
        target = page.parent / link if link else page
        if not target.exists():
            missing.append(f"link to {link}")
        elif anchor and anchor not in anchors(target):
            missing.append(f"link to {link}#{anchor}")

    assert not missing


def anchors(page: Path) -> set[str]:
    """What GitHub calls the headings of a page: lower case, no punctuation, hyphens for spaces."""
    headings = HEADING.findall(page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_anchors_are_those_of_github(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# A `b`: c, d-e?\n\n## What's next\n")
    assert anchors(page) == {"a-b-c-d-e", "whats-next"}


def test_a_wrong_name_is_noticed():
    assert is_module_or_name_in_one("rl.trainer.Trainer")
    assert is_module_or_name_in_one("rl.rewards")
    assert not is_module_or_name_in_one("rl.learner")
    assert not is_module_or_name_in_one("rl.trainer.Learner")
