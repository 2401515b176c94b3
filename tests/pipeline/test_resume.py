"""Folders of resumable state: another run's state goes, anything else is left alone."""

import pytest

from corpus.final import _work_folder
from eval.run import main as evaluate
from pipeline.artifacts.resume import claim_folder
from pipeline.errors import UserError
from pipeline.training.checkpoint import Checkpoints


def test_state_is_kept_under_its_mark_and_thrown_away_under_another(tmp_path):
    folder = tmp_path / "deep" / "resume"
    claim_folder(folder, "a")
    (folder / "step").write_text("1")
    claim_folder(folder, "a")
    assert (folder / "step").is_file()
    claim_folder(folder, "b")
    assert not (folder / "step").exists()


def test_an_empty_folder_is_taken(tmp_path):
    claim_folder(tmp_path, "a")
    assert [path.name for path in tmp_path.iterdir()] == ["fingerprint"]


@pytest.mark.parametrize(
    "open_it",
    [lambda path: Checkpoints(path, "a"), lambda path: _work_folder(path, "a").__enter__()],
)
def test_a_folder_with_files_of_the_users_is_refused_and_left_as_it_is(tmp_path, open_it):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(UserError, match="holds other files"):
        open_it(tmp_path)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_evaluation_refuses_it_too(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    (tmp_path / "exam.jsonl").write_text('{"question": "1+1", "answer": "2"}\n')
    model = tmp_path / "model"
    model.mkdir()
    (model / "config.json").write_text("{}")
    named = [
        "--model",
        str(model),
        "--benchmark",
        str(tmp_path / "exam.jsonl"),
        "--out",
        str(tmp_path / "out"),
    ]
    with pytest.raises(UserError, match="holds other files"):
        evaluate([*named, "--mode", "cot", "--resume", str(tmp_path)])
    assert (tmp_path / "thesis.tex").exists()
