"""What stands between the trainer and another engine, without that engine: weights on their way, settings, mismatch."""

import sys

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

from pipeline.config.engines import VLLM
from pipeline.config.load import Config
from pipeline.config.rl import RL
from pipeline.errors import UserError
from pipeline.forward.batches import Row
from pipeline.inference.vllm_engine import Handover
from pipeline.inference.vllm_process import python_with_vllm
from pipeline.preflight.check import first_minute
from rl.monitoring.mismatch import mismatch_metrics, note_of_mismatch
from tests.support.small_llama import byte_tokenizer, llama


@pytest.mark.parametrize("changes", [{}, {"tie_word_embeddings": True}], ids=["plain", "tied"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["fp32", "bf16"])
def test_what_is_handed_over_is_the_model_as_it_is_now_in_the_engines_precision(changes, dtype):
    model = llama(**changes)
    handover = Handover(model, byte_tokenizer(), dtype)
    handover.write(model)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1.5)
    handover.write(model)

    arrived = AutoModelForCausalLM.from_pretrained(handover.folder, dtype=dtype)
    assert all(parameter.dtype == dtype for parameter in arrived.parameters())
    for mine, its in zip(model.parameters(), arrived.parameters(), strict=True):
        assert torch.equal(mine.to(dtype), its)


def test_another_engine_is_weighed_unless_the_settings_say_otherwise():
    assert RL().importance == "none"
    assert RL(engine="vllm").importance == "truncated"
    assert RL(engine="vllm", importance="none").importance == "none"
    # What a run wrote down reads the same again.
    written = RL(engine="vllm", importance="none").model_dump()
    assert RL(**written).model_dump() == written


@pytest.mark.parametrize(
    ("python", "message"),
    [
        ("/nowhere/python", "/nowhere/python: no such file"),
        (sys.executable, "has no vLLM; install"),
    ],
)
def test_a_python_without_vllm_is_told_in_one_line_before_anything_runs(
    python, message, monkeypatch, capsys, tmp_path
):
    monkeypatch.setenv("VLLM_PYTHON", python)
    with pytest.raises(UserError, match=message):
        python_with_vllm(VLLM())

    with pytest.raises(SystemExit) as end:
        first_minute(Config(rl={"engine": "vllm"}), str(tmp_path))
    lines = capsys.readouterr().err.splitlines()
    assert end.value.code == 2 and len(lines) == 1 and message in lines[0]


def row(trainer, sampler):
    scored = np.array([False] + [True] * len(trainer))
    columns = {
        "old_log_probs": np.concatenate([[0.0], trainer]),
        "sampler_log_probs": np.concatenate([[5.0], sampler]),
    }
    return Row(np.arange(len(scored), dtype=np.int32), scored, columns)


def test_the_mismatch_is_that_of_all_sampled_tokens():
    rows = [row([-1.0, -2.0], [-1.0, -2.5]), row([-3.0], [-2.0]), row([-1.0], [-2.0])]
    found = mismatch_metrics(rows, cap=2.0)
    assert found["mismatch_mean"] == pytest.approx((0 + 0.5 + 1 + 1) / 4)
    assert found["mismatch_max"] == 1.0
    # Only a ratio of e is above 2: that of the last token, not its inverse.
    assert found["importance_capped"] == 0.25
    assert found["mismatch_p99"] == pytest.approx(np.quantile([0, 0.5, 1, 1], 0.99))


def test_a_step_without_both_log_probabilities_has_no_mismatch():
    assert mismatch_metrics([], 2.0) == {}
    own = row([-1.0], [-1.0])
    del own.columns["sampler_log_probs"]
    assert mismatch_metrics([own], 2.0) == {}


def test_a_difference_that_no_rounding_makes_is_a_warning():
    near = mismatch_metrics([row([-1.0], [-1.02])], 2.0)
    far = mismatch_metrics([row([-1.0], [-1.7])], 2.0)
    assert "weighed by their ratio, up to 2" in note_of_mismatch(near, 2.0)
    assert note_of_mismatch(far, 2.0).startswith("warning:")
