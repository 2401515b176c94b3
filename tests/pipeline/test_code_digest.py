"""The digest that makes rules rerun: it sees code and declared data, and refuses names that lead nowhere."""

import pytest

from pipeline.artifacts import code_digest as digests
from pipeline.artifacts.code_digest import UnknownModule, code_digest


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
