"""The digest that makes rules rerun: it sees code and declared data, and refuses names that lead nowhere."""

import re
import shutil
from pathlib import Path

import pytest

from pipeline.artifacts import code_digest as digests
from pipeline.artifacts.code_digest import UnknownModule, code_digest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """A small repository: package `stage` with a program, a module it imports, and a word list that this reads."""
    files = {
        "stage/__init__.py": "",
        "stage/run.py": "from stage.words import WORDS\n",
        "stage/words.py": 'DATA_FILES = ("lists/*.txt",)\nWORDS = 1\n',
        "stage/lists/a.txt": "one\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(digests, "ROOT", tmp_path)
    monkeypatch.chdir(tmp_path)
    code_digest.cache_clear()
    yield tmp_path
    code_digest.cache_clear()


def digest(*modules):
    code_digest.cache_clear()
    return code_digest(*modules)


def test_a_comment_changes_nothing_and_code_of_an_imported_module_does(tree):
    first = digest("stage.run")
    (tree / "stage/words.py").write_text('# why\nDATA_FILES = ("lists/*.txt",)\nWORDS   = 1\n')
    assert digest("stage.run") == first
    (tree / "stage/words.py").write_text('DATA_FILES = ("lists/*.txt",)\nWORDS = 2\n')
    assert digest("stage.run") != first


def test_declared_data_counts_by_content_and_by_name(tree):
    seen = {digest("stage.run")}
    (tree / "stage/lists/a.txt").write_text("two\n")
    seen.add(digest("stage.run"))
    (tree / "stage/lists/b.txt").write_text("")
    seen.add(digest("stage.run"))
    assert len(seen) == 3


def test_the_package_that_is_imported_on_the_way_counts(tree):
    first = digest("stage.run")
    (tree / "stage/__init__.py").write_text("VERSION = 2\n")
    assert digest("stage.run") != first


def test_a_name_that_leads_to_no_module_is_an_error(tree):
    with pytest.raises(UnknownModule, match=r"no module 'stage\.gone'"):
        digest("stage.gone")


def test_an_import_that_was_not_renamed_is_an_error(tree):
    (tree / "stage/run.py").write_text("from stage.word_lists import WORDS\n")
    with pytest.raises(UnknownModule, match=r"run\.py, line 1: imports 'stage\.word_lists'"):
        digest("stage.run")


def test_data_that_is_declared_and_absent_is_an_error(tree):
    (tree / "stage/lists/a.txt").unlink()
    with pytest.raises(FileNotFoundError, match=r"lists/\*\.txt"):
        digest("stage.run")


def test_a_users_module_is_found_in_the_working_folder_with_what_lies_beside_it(
    tree, tmp_path_factory, monkeypatch
):
    mine = tmp_path_factory.mktemp("mine")
    (mine / "my_reward.py").write_text("import my_words\n")
    (mine / "my_words.py").write_text("A = 1\n")
    monkeypatch.chdir(mine)
    first = digest("my_reward")
    (mine / "my_words.py").write_text("A = 2\n")
    assert digest("my_reward") != first


# Which programs read which sections of the schema. A change of a section's file reruns their rules, and no others.
MINI = {"mini.problems", "mini.code", "mini.prose", "mini.web"}
SPREAD = {"corpus.hash_shards", "corpus.score_shards", "corpus.clean_shards"}
MINING = SPREAD | {
    "corpus.extract",
    "corpus.dedup",
    "corpus.round",
    "corpus.final",
    "corpus.report",
}
PRETRAINING = {"pretrain.tokens", "pretrain.train"}
SFT = {"sft.data", "sft.train"}
RL = {"rl.reward_model", "rl.train"}
TRAININGS = {"mini.coder", "pretrain.train", "sft.train"} | RL
READERS = {
    "world": MINI,
    "coder": {"mini.coder"},
    # A model folder holds how the model is asked, so that every program that opens one reads the prompts' schema.
    "prompts": {"pretrain.coder", "sft.data", "eval.run"} | TRAININGS,
    "corpus": MINING,
    "pretrain": PRETRAINING,
    "sft": SFT,
    "rl": RL,
    "eval": {"eval.run"},
    "load": set(),
}


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A copy of the packages, in which digests are computed."""
    for folder in ("pipeline", "mini", "corpus", "pretrain", "sft", "rl", "eval"):
        shutil.copytree(
            ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__")
        )
    monkeypatch.setattr(digests, "ROOT", tmp_path)
    yield tmp_path
    code_digest.cache_clear()


def programs_of_rules() -> list[str]:
    """Every module that a rule names as its code."""
    names: set[str] = set()
    for rules in ROOT.glob("*/rules.smk"):
        for call in re.findall(r"dag\.code_digest\(([^)]*)\)", rules.read_text(encoding="utf-8")):
            names.update(re.findall(r'"([\w.]+)"', call))
    # The page of results explains settings of every stage; it is made in seconds.
    return sorted(names - {"eval.report"})


def test_a_changed_section_of_the_schema_changes_the_programs_that_read_it_and_no_others(
    repository,
):
    programs = programs_of_rules()
    before = {name: digest(name) for name in programs}
    assert set().union(*READERS.values()) | TRAININGS <= set(programs)

    for section, readers in READERS.items():
        file = repository / "pipeline" / "config" / f"{section}.py"
        original = file.read_text()
        file.write_text(original + "\n\nADDED = 1\n")
        changed = {name for name in programs if digest(name) != before[name]}
        file.write_text(original)
        assert changed == readers, section


def test_settings_that_all_trainings_share_change_the_trainings_and_nothing_of_the_corpus(
    repository,
):
    programs = programs_of_rules()
    before = {name: digest(name) for name in programs}
    with open(repository / "pipeline" / "config" / "training.py", "a") as stream:
        stream.write("\n\nADDED = 1\n")
    changed = {name for name in programs if digest(name) != before[name]}
    assert changed >= TRAININGS and not changed & (MINING | MINI)
