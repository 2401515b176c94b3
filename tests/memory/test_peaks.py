"""The prediction against what processes really take, for three sizes; presets against the cards that they name."""

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from pipeline.config.load import load_preset
from pipeline.forward import log_probs
from pipeline.inference import decoder, sampler
from pipeline.memory import layers, stages
from pipeline.memory.__main__ import main
from pipeline.memory.card import Card, named_card
from pipeline.memory.judgement import judged
from pipeline.memory.layers import MASTER, Pass
from pipeline.memory.shape import Shape, shape_of
from pipeline.memory.stages import cache_bytes, engine_bytes, needs
from pipeline.model import distributed

ROOT = Path(__file__).resolve().parents[2]
SIZES = {
    "7M": Shape(256, 704, 6, 4, 4, 64, 4096),
    "28M": Shape(512, 1408, 8, 8, 4, 64, 8192, tied=True),
    "96M": Shape(768, 2048, 10, 12, 12, 64, 16_384),
}
TOKENS = {"7M": 1024, "28M": 384, "96M": 128}
# The larger two take minutes: ALL_SIZES=1 pytest tests/memory/test_peaks.py
MEASURED = list(SIZES) if os.environ.get("ALL_SIZES") else ["7M"]


def measured(what: str, size: str) -> int:
    """Bytes that the work took at most, beyond the libraries."""
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
        "MALLOC_MMAP_THRESHOLD_": "65536",
        "MALLOC_TRIM_THRESHOLD_": "65536",
    }
    shape = json.dumps(asdict(SIZES[size]))
    command = [sys.executable, "-m", "tests.memory.measure", what, shape, str(TOKENS[size])]
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment, cwd=ROOT, timeout=600
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    return found["peak"] - found["before"]


def predicted(what: str, size: str) -> float:
    """The same by arithmetic."""
    shape, tokens = SIZES[size], TOKENS[size]
    model = MASTER * shape.parameters
    if what == "recompute":
        return 4 * model + Pass(shape, tokens, tokens, bf16=True, recomputes=True).peak
    if what == "train":
        step = Pass(shape, tokens, tokens, bf16=False, recomputes=False, fused=True)
        # Two moments, and gradients of finished micro-batches twice.
        return 5 * model + max(step.peak, model)

    chunk = 4 * tokens * (3 * MASTER * shape.hidden + 3 * MASTER * shape.intermediate)
    logits = 3 * MASTER * 64 * shape.vocabulary
    cache = cache_bytes(shape, MASTER, 64, 4, tokens, tokens)
    return model + engine_bytes(shape, MASTER) + cache + chunk + logits


@pytest.mark.slow
@pytest.mark.parametrize("what", ["train", "recompute", "sample"])
@pytest.mark.parametrize("size", MEASURED)
def test_the_prediction_is_within_a_tenth_of_the_peak(what, size):
    assert predicted(what, size) == pytest.approx(measured(what, size), rel=0.1)


@pytest.mark.parametrize("preset", ["gpu", "paper"])
def test_every_preset_fits_the_card_that_it_names(preset):
    config = load_preset(preset)
    card = named_card(config)
    assert card is not None and card.on_gpu
    assert all(judgement.fits for judgement in judged(needs(config, shape_of(config), card), card))


@pytest.mark.parametrize("preset", ["mini", "smoke", "local"])
def test_presets_for_any_machine_fit_two_cores_with_four_gigabytes(preset):
    config = load_preset(preset)
    card = Card("laptop", 4 * 2**30, on_gpu=False, threads=2, bf16=False)
    assert all(judgement.fits for judgement in judged(needs(config, shape_of(config), card), card))


def test_a_step_that_does_not_fit_names_its_setting_and_one_that_does_not_is_told_to_share(capsys):
    given = ["--config", "preset=gpu", "--json", "--gpu-gb"]
    with pytest.raises(SystemExit) as ended:
        main([*given, "30"])
    assert ended.value.code == 1
    stages_of = {
        (stage["stage"], stage["moment"]): stage
        for stage in json.loads(capsys.readouterr().out)["stages"]
    }
    assert "pretrain.optimisation.micro_batch_tokens" in stages_of["pretrain", "update"]["advice"]

    with pytest.raises(SystemExit):
        main([*given, "16"])
    stages_of = {
        (stage["stage"], stage["moment"]): stage
        for stage in json.loads(capsys.readouterr().out)["stages"]
    }
    assert "more GPUs" in stages_of["pretrain", "update"]["advice"]


def test_more_processes_share_models_and_adapters_have_neither_gradients_nor_moments():
    config = load_preset("gpu")
    shape = shape_of(config)

    def fixed(gpus: int, **overlay) -> int:
        card = Card("gpu", 80 * 10**9, on_gpu=True, processes=gpus)
        found = needs(load_preset("gpu", overlay), shape, card)
        return next(need.fixed for need in found if need.stage == "sft")

    assert fixed(1) == 16 * shape.parameters
    assert fixed(8) < fixed(1) / 4
    adapters = fixed(1, sft={"optimisation": {"lora": {"rank": 16}}})
    assert adapters == pytest.approx(4 * shape.parameters, rel=0.05)


def test_the_arithmetic_has_the_constants_of_the_code():
    assert layers.LOGITS_AT_ONCE == log_probs.LOGITS_AT_ONCE
    assert stages.CACHE_BLOCK == decoder.CACHE_BLOCK and stages.ROWS_BLOCK == decoder.ROWS_BLOCK
    assert stages.PREFILL_TOKENS == sampler.PREFILL_TOKENS
    assert stages.CACHE_SHARE == sampler.CACHE_SHARE
    assert stages.SYNCHRONISED_ONCE == distributed.SYNCHRONISED_ONCE
