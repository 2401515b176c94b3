"""A code corpus that every machine has: the standard library of the running Python.

Reads   the section `mini` of the configuration (JSON) and the interpreter's own library folder.
Writes  OUT/code/train.jsonl and OUT/heldout/code.jsonl ({"id", "text"}; id is the file's path in the library), then
        OUT/code/manifest.json.

    python -m mini.code --config results/mini/config/mini.json --out results/mini/world

A file's path decides by hash whether it is held out, so that another size or Python version moves no file from one
side to the other. The corpus depends on the Python version, which the manifest names. Not taken: tests, IDLE and
other programs, installed packages, generated tables, and files above LARGEST_FILE (data in the shape of code).
"""

import argparse
import hashlib
import platform
import sysconfig
from collections import Counter
from pathlib import Path

from pipeline.artifacts.write import write_jsonl, write_manifest
from pipeline.config.read import read_section
from pipeline.config.world import MiniWorld
from pipeline.errors import UserError, run_main

LEFT_OUT = frozenset(
    """
    __phello__ __pycache__ dist-packages distutils encodings ensurepip idlelib lib-dynload lib2to3
    pydoc_data site-packages test tests tkinter turtledemo venv
    """.split()
)
"""Folders at any depth: tests, programs, tables, and what others installed."""

LARGEST_FILE = 100_000  # characters; larger ones are mostly tables
HELDOUT_PERCENT = 10
EXCERPT = 2_000
"""Characters of a held-out file that are measured: enough for bits per byte, and no file outweighs the others."""


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", type=Path, required=True, help="JSON of the section `mini`")
    parser.add_argument("--out", type=Path, required=True, help="folder of the world")
    args = parser.parse_args(argv)

    settings = read_section(args.config, MiniWorld)
    library = Path(sysconfig.get_path("stdlib"))
    train, heldout, skipped = read_library(library, settings.code_bytes, settings.heldout_documents)
    write_jsonl(args.out / "code" / "train.jsonl", train)
    write_jsonl(args.out / "heldout" / "code.jsonl", heldout)

    used = settings.model_dump(include={"code_bytes", "heldout_documents"})
    write_manifest(
        args.out / "code" / "manifest.json",
        "mini.code",
        settings={"python": platform.python_version()} | used,
        counts={
            "train_files": len(train),
            "train_characters": sum(len(row["text"]) for row in train),
            "heldout_files": len(heldout),
            "skipped": dict(sorted(skipped.items())),
        },
        files=[args.out / "code" / "train.jsonl"],
    )


def read_library(
    library: Path, characters: int, documents: int
) -> tuple[list[dict], list[dict], Counter[str]]:
    """Training files up to `characters` in all, `documents` held-out excerpts, and why files were left out.

    Files come in the order of their path's hash, so that a smaller corpus is a mixture too and not the letter a.
    """
    train: list[dict] = []
    heldout: list[dict] = []
    skipped: Counter[str] = Counter()
    room = characters

    for name in sorted(_source_files(library), key=_hash):
        text = _text(library / name, skipped)
        if text is None:
            continue

        is_heldout = _hash(name) % 100 < HELDOUT_PERCENT
        # A held-out file never trains, even when there are enough of them.
        if is_heldout and len(heldout) < documents:
            heldout.append({"id": name, "text": excerpt(text)})
        elif is_heldout:
            skipped["held out, enough"] += 1
        elif len(text) <= room:
            train.append({"id": name, "text": text})
            room -= len(text)
        else:
            # Smaller files further on may still fit.
            skipped["corpus full"] += 1

    if not train or not heldout:
        raise UserError(
            f"{library}: {len(train)} Python files to train on and {len(heldout)} held out; expected the sources of "
            "Python's standard library (some distributions ship them in a package of their own)"
        )
    return train, heldout, skipped


def excerpt(text: str) -> str:
    """EXCERPT characters of whole lines from the middle of a file, where the licence header is past."""
    start = 0
    if len(text) > EXCERPT:
        middle = (len(text) - EXCERPT) // 2
        start = text.find("\n", middle) + 1

    end = text.rfind("\n", start, start + EXCERPT) + 1
    if end == 0:
        end = start + EXCERPT  # one line longer than the excerpt
    return text[start:end]


def _source_files(library: Path) -> list[str]:
    """Paths relative to the library, with forward slashes."""
    names = []
    for path in library.rglob("*.py"):
        name = path.relative_to(library)
        # Generated `_sysconfigdata…` names the machine, `config-…` its build.
        is_of_the_machine = name.parts[0].startswith(("config-", "_sysconfigdata"))
        if not is_of_the_machine and LEFT_OUT.isdisjoint(name.parts):
            names.append(name.as_posix())
    return names


def _text(path: Path, skipped: Counter[str]) -> str | None:
    """The text of a file, or None and a count in `skipped`."""
    try:
        text = path.read_bytes().decode("utf-8").replace("\r\n", "\n")
    except (OSError, UnicodeDecodeError):
        skipped["not UTF-8 or unreadable"] += 1
        return None

    if not text.strip():
        skipped["empty"] += 1
        return None
    if len(text) > LARGEST_FILE:
        skipped["too large"] += 1
        return None
    return text


def _hash(name: str) -> int:
    # Not Python's own hash, which differs from run to run.
    digest = hashlib.sha256(name.encode()).digest()
    return int.from_bytes(digest[:8], "big")


if __name__ == "__main__":
    run_main(main)
