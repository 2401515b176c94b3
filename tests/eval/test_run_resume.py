"""An evaluation that is killed goes on with the samples that are missing."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from eval import run as eval_run
from eval.sampling.sample_log import KeepingEngine, KeptSamples
from pipeline.inference.engine import Sample, SampleRequest, SamplingSettings
from pipeline.inference.forward_sampler import ForwardSampler
from pipeline.inference.sampler import Sampler
from tests.support.tiny_model import tiny_model, tiny_tokenizer

REPOSITORY = Path(__file__).resolve().parents[2]
PROMPTS = [[256, 10, 20, 30], [256, 5], [256, *range(40, 60)]]
SETTINGS = SamplingSettings(temperature=1.0, max_new_tokens=12, seed=3)


def _command(folder: Path, cache: str, out: str) -> list[str]:
    inputs = [
        "--model",
        str(folder / "model"),
        "--benchmark",
        str(folder / "own.jsonl"),
        "--mode",
        "cot",
    ]
    settings = [
        "--config",
        str(folder / "eval.json"),
        "--cache",
        str(folder / cache),
        "--out",
        str(folder / out),
    ]
    return [*inputs, *settings]


def _rows(folder: Path, out: str) -> list[dict]:
    rows = pq.read_table(folder / out / "own.cot.parquet").to_pylist()
    # seconds are of the clock; log-probabilities depend on the batch's layout in their last bits
    return [row | {"seconds": 0, "logprob": round(row["logprob"], 3)} for row in rows]


def test_a_run_killed_by_the_kernel_samples_only_what_is_missing(tmp_path, monkeypatch):
    tiny_model().save_pretrained(tmp_path / "model")
    tiny_tokenizer().save_pretrained(tmp_path / "model")
    rows = [{"id": f"p{i}", "question": f"What is {i}+1?", "answer": str(i + 1)} for i in range(12)]
    (tmp_path / "own.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    settings = {
        "modes": ["cot"],
        "samples": 4,
        "sample_modes": ["cot"],
        "max_new_tokens": 30,
        "batch": 2,
    }
    (tmp_path / "eval.json").write_text(json.dumps(settings | {"temperature": 0.7}))
    process = subprocess.Popen(
        [sys.executable, "-m", "eval.run", *_command(tmp_path, "cache", "out")],
        cwd=REPOSITORY, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip

    def logged() -> list[Path]:
        return [
            log for log in (tmp_path / "cache").glob("*.log") if log.read_bytes().count(b"\n") >= 3
        ]

    while not (logs := logged()) and process.poll() is None:
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()

    assert logs and not (tmp_path / "out").exists()

    with logs[0].open("ab") as log:
        log.write(b'{"key": "p1", "sample": 0, "ids": [1, 2')  # torn by the kill

    parts = {pq.read_table(part).num_rows for part in (tmp_path / "cache").glob("*.parquet")}
    known = sum(parts) + logs[0].read_bytes().count(b"\n")
    kept, keep = [], KeptSamples.keep
    monkeypatch.setattr(
        KeptSamples, "keep", lambda self, *sample: (kept.append(sample[:2]), keep(self, *sample))
    )
    eval_run.main(_command(tmp_path, "cache", "out"))

    assert 0 < len(kept) == 60 - known
    assert not list((tmp_path / "cache").glob("*.log"))

    eval_run.main(_command(tmp_path, "other", "unbroken"))

    assert _rows(tmp_path, "out") == _rows(tmp_path, "unbroken")


@pytest.mark.parametrize("engine", [Sampler, ForwardSampler])
def test_what_is_kept_is_not_sampled_again_and_the_rest_is_the_same(engine, tmp_path):
    sampler = engine(tiny_model(), tiny_tokenizer(), 4)
    whole = sampler.sample(SampleRequest(PROMPTS, 3, SETTINGS, keys=["a", "b", "c"]))
    with KeptSamples(tmp_path / "log") as kept:
        first = KeepingEngine(sampler, kept).sample(
            SampleRequest(PROMPTS[:2], 2, SETTINGS, keys=["a", "b"])
        )
        assert [[s.ids for s in group] for group in first] == [
            [s.ids for s in group[:2]] for group in whole[:2]
        ]

    with KeptSamples(tmp_path / "log") as kept:
        assert len(kept.found) == 4
        again = KeepingEngine(sampler, kept).sample(
            SampleRequest(PROMPTS, 3, SETTINGS, keys=["a", "b", "c"])
        )

    assert [[(s.ids, s.finish) for s in group] for group in again] == [
        [(s.ids, s.finish) for s in group] for group in whole
    ]
    assert len((tmp_path / "log").read_bytes().splitlines()) == 9


def test_a_log_is_read_to_its_first_broken_line_and_another_prompt_is_another_sample(tmp_path):
    path, sample = tmp_path / "log", Sample([5, 6], [-0.5, -0.25], "stop", None)
    with KeptSamples(path) as kept:
        kept.keep("a", 0, [1, 2], sample)
        kept.keep("a", 1, [1, 2], sample)

    whole = path.read_bytes()
    path.write_bytes(whole[:-3])
    with KeptSamples(path) as kept:
        assert kept.get("a", 0, [1, 2]) == Sample([5, 6], [-0.75], "stop", None)
        assert kept.get("a", 1, [1, 2]) is None and kept.get("a", 0, [1, 3]) is None
        kept.keep("a", 1, [1, 2], sample)

    with KeptSamples(path) as kept, KeptSamples(path) as second:
        assert (
            len(kept.found) == 2 and not second.found
        )  # two runs over one folder: the second keeps nothing
        second.delete()

    assert path.exists()
