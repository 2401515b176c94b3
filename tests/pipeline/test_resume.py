"""Resumable state: taken up where nothing that decides the result has changed, moved aside otherwise, never deleted."""

import importlib
import json

import pytest

from corpus.final import _work_folder
from eval.run import main as evaluate
from pipeline.artifacts.code_digest import code_digest
from pipeline.artifacts.resume import MARK, claim_folder
from pipeline.artifacts.write import content_digest, file_digest
from pipeline.config.load import Config
from pipeline.config.rl import RL, Reward
from pipeline.config.sft import SFT
from pipeline.errors import UserError
from pipeline.training.checkpoint import Checkpoints
from pipeline.training.job import TrainingJob

STEPS = {"settings": {"steps": 4, "optimisation": {"peak": 0.1}}, "inputs": {"base": "a" * 16}}


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "deep" / "resume"


@pytest.fixture
def state(folder):
    """A folder with one file of state, claimed for STEPS."""
    claim_folder(folder, STEPS, code="1")
    (folder / "step").write_text("1")
    return folder / "step"


def aside(folder, number=1):
    return folder.with_name(f"{folder.name}.aside-{number}")


def test_state_of_the_same_run_is_kept_without_a_word(folder, state, capsys):
    claim_folder(folder, STEPS, code="1")
    assert state.is_file() and not aside(folder).exists()
    assert capsys.readouterr().err == ""


def test_state_of_another_run_is_moved_aside_and_one_line_names_what_differs(folder, state, capsys):
    other = {"settings": {"steps": 6, "optimisation": {"peak": 0.1}}, "inputs": {"base": "b" * 16}}
    claim_folder(folder, other, code="1")
    assert (aside(folder) / "step").read_text() == "1"
    assert [path.name for path in folder.iterdir()] == ["fingerprint"]
    assert capsys.readouterr().err == (
        f"--resume {folder}: this state is not taken up (inputs.base differs; settings.steps was 4, is 6); "
        f"moved to {aside(folder)}\n"
    )


def test_what_was_moved_aside_before_stays(folder, state):
    for number, run in ((1, "b"), (2, "c")):
        claim_folder(folder, run)
        (folder / "step").write_text(run)
        assert aside(folder, number).is_dir()
    assert (aside(folder, 1) / "step").read_text() == "1"
    assert (aside(folder, 2) / "step").read_text() == "b"


def test_state_moved_aside_is_taken_up_again_where_it_is_moved_back(folder, state):
    claim_folder(folder, "b")
    (folder / "fingerprint").unlink()
    folder.rmdir()
    aside(folder).rename(folder)
    claim_folder(folder, STEPS, code="1")
    assert state.read_text() == "1"


def test_changed_code_warns_once_in_one_line_and_keeps_the_state(folder, state, capsys):
    claim_folder(folder, STEPS, code="2")
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"warning: --resume {folder}: the code has changed")
    claim_folder(folder, STEPS, code="2")
    assert state.is_file() and not aside(folder).exists() and capsys.readouterr().err == ""


def test_a_fresh_start_moves_state_aside(folder, state, capsys):
    claim_folder(folder, STEPS, code="1", fresh=True)
    assert (aside(folder) / "step").is_file() and not state.exists()
    assert capsys.readouterr().err.count("\n") == 1


def test_a_fresh_start_without_state_moves_nothing(folder, capsys):
    claim_folder(folder, "a", fresh=True)
    claim_folder(folder, "a", fresh=True)
    assert not aside(folder).exists() and capsys.readouterr().err == ""


def test_a_fingerprint_without_state_is_replaced_without_a_word(folder, capsys):
    claim_folder(folder, "a")
    claim_folder(folder, "b")
    (folder / "step").write_text("1")
    claim_folder(folder, "b")
    assert (folder / "step").is_file() and capsys.readouterr().err == ""


@pytest.mark.parametrize("old", ["0123456789abcdef 2", '"text"', "{}", "12"])
def test_state_of_the_time_before_fingerprints_were_json_is_moved_aside(folder, old, capsys):
    folder.mkdir(parents=True)
    (folder / "fingerprint").write_text(old)
    (folder / "step").write_text("1")
    claim_folder(folder, old)
    assert (aside(folder) / "step").is_file() and not (folder / "step").exists()
    assert "older version" in capsys.readouterr().err


def test_an_empty_folder_is_taken(tmp_path):
    claim_folder(tmp_path, "a")
    assert [path.name for path in tmp_path.iterdir()] == ["fingerprint"]


@pytest.mark.parametrize(
    "open_it",
    [lambda path: Checkpoints(path, "a"), lambda path: _work_folder(None, path, "a").__enter__()],
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


INCIDENTAL = """
coder.optimisation.activation_checkpointing coder.optimisation.attention coder.optimisation.batching
coder.optimisation.checkpoint_every coder.optimisation.compile coder.optimisation.distribution
coder.optimisation.keep_checkpoints coder.optimisation.micro_batch_tokens
eval.batch eval.sandbox.workers
pretrain.evaluate_every
pretrain.optimisation.activation_checkpointing pretrain.optimisation.attention pretrain.optimisation.batching
pretrain.optimisation.checkpoint_every pretrain.optimisation.compile pretrain.optimisation.distribution
pretrain.optimisation.keep_checkpoints pretrain.optimisation.micro_batch_tokens
reward.activation_checkpointing reward.checkpoint_every reward.distribution reward.max_batch reward.micro_batch_tokens
rl.activation_checkpointing rl.checkpoint_every rl.compile_sampler rl.distribution
rl.evaluate_every rl.max_batch rl.micro_batch_tokens
rl.record_every rl.record_questions
sft.evaluate_every
sft.optimisation.activation_checkpointing sft.optimisation.attention sft.optimisation.batching
sft.optimisation.checkpoint_every sft.optimisation.compile sft.optimisation.distribution
sft.optimisation.keep_checkpoints sft.optimisation.micro_batch_tokens
hardware.gpu_gb hardware.gpus
eval.vllm.cache_mb eval.vllm.memory_share eval.vllm.python eval.vllm.start_seconds
rl.vllm.cache_mb rl.vllm.memory_share rl.vllm.python rl.vllm.start_seconds
tracking.project tracking.tracker
"""
"""All settings that change no result. A field that overrides one of them must carry the mark again."""


def flat(values, path=""):
    """Dotted names of all settings that are no sections."""
    names = set()
    for name, value in values.items():
        if isinstance(value, dict) and value:
            names |= flat(value, f"{path}{name}.")
        else:
            names.add(f"{path}{name}")
    return names


def test_the_settings_that_change_no_result_are_these():
    config = Config()
    left_out = flat(config.model_dump(mode="json")) - flat(config.result_settings())
    assert left_out == set(INCIDENTAL.split())


def test_the_number_of_evaluations_counts_where_the_best_one_becomes_the_model():
    best = {"optimisation": {"final": "best"}}
    few, many = (SFT.model_validate({"evaluate_every": n, **best}) for n in (10, 20))
    assert few.result_settings() != many.result_settings()
    few, many = (SFT(evaluate_every=n) for n in (10, 20))
    assert few.result_settings() == many.result_settings()


def test_rl_and_reward_models_keep_their_flat_keys_and_defaults():
    reward, rl = Reward(), RL()
    assert (reward.weight_decay, rl.weight_decay) == (0.1, 0.0)
    assert (reward.learning_rate, rl.learning_rate) == (2e-5, 1e-6)
    assert (reward.checkpoint_every, rl.checkpoint_every) == (50, 20)
    for section in (reward, rl):
        assert (section.micro_batch_tokens, section.max_batch) == (16_384, 256)
        assert (section.clip_norm, section.max_new_tokens) == (1.0, 1024)
        assert (section.precision, section.distribution) == ("auto", "shard")


def opened(tmp_path, **changes):
    """The checkpoints of a job whose only input is the file `data`."""
    settings = SFT.model_validate({"steps": 4} | changes.pop("settings", {}))
    job = TrainingJob(
        "sft.train",
        settings,
        inputs={"base": tmp_path / "data"},
        out=tmp_path / "out",
        resume=tmp_path / "resume",
        **changes,
    )
    return job.checkpoints


@pytest.fixture
def job_state(tmp_path):
    (tmp_path / "data").write_text("1")
    opened(tmp_path)
    (tmp_path / "resume" / "step").write_text("1")
    return tmp_path


def test_a_job_takes_its_state_up_under_other_settings_of_speed(job_state):
    opened(job_state, settings={"optimisation": {"micro_batch_tokens": 32, "checkpoint_every": 7}})
    opened(job_state, settings={"optimisation": {"distribution": "replicate", "compile": True}})
    assert not aside(job_state / "resume").exists()


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"settings": {"optimisation": {"clip_norm": 2}}}, "settings.optimisation.clip_norm"),
        ({"settings": {"seed": 1}}, "settings.seed was 0, is 1"),
        ({"compared": {"prompts": {"cot": "?"}}}, "prompts"),
        ({"fresh": True}, "--fresh"),
    ],
)
def test_a_job_moves_its_state_aside_for_what_changes_its_result(job_state, changes, named, capsys):
    opened(job_state, **changes)
    assert aside(job_state / "resume").exists() and named in capsys.readouterr().err


def test_a_job_moves_its_state_aside_for_another_input(job_state, capsys):
    (job_state / "data").write_text("2")
    opened(job_state)
    assert "inputs.base differs" in capsys.readouterr().err


def test_a_job_goes_on_under_changed_code(job_state, monkeypatch, capsys):
    monkeypatch.setattr("pipeline.training.job.code_digest", lambda *names: "changed")
    opened(job_state)
    assert not aside(job_state / "resume").exists()
    assert "the code has changed" in capsys.readouterr().err
    found = json.loads((job_state / "resume" / "fingerprint").read_text())
    assert found["code"] == "changed" != code_digest("sft.train")


def test_the_same_content_made_by_other_code_is_the_same_input(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "model.safetensors").write_text("weights")
    (folder / "manifest.json").write_text('{"code": "1", "counts": {"tokens": 3}}')
    whole, content = file_digest(folder), content_digest(folder)
    counts = content_digest(folder / "manifest.json")

    (folder / "manifest.json").write_text('{"code": "2", "counts": {"tokens": 3}}')
    assert file_digest(folder) != whole and content_digest(folder) == content
    assert content_digest(folder / "manifest.json") == counts

    (folder / "model.safetensors").write_text("other weights")
    (folder / "manifest.json").write_text('{"code": "2", "counts": {"tokens": 4}}')
    assert content_digest(folder) != content
    assert content_digest(folder / "manifest.json") != counts


@pytest.mark.parametrize("trainer", ["pretrain.train", "sft.train", "mini.coder"])
def test_every_trainer_offers_the_options_of_a_job(trainer, capsys):
    with pytest.raises(SystemExit):
        importlib.import_module(trainer).main(["--help"])
    text = capsys.readouterr().out
    assert all(option in text for option in ("--resume", "--fresh", "--out"))


def test_a_run_that_was_killed_while_it_wrote_its_fingerprint_can_be_started_again(tmp_path):
    folder = tmp_path / "resume"
    folder.mkdir()
    (folder / f".{MARK}.x1y2z3").write_text("{")
    claim_folder(folder, "a run")
    assert (folder / MARK).is_file()
