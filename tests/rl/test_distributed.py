"""Reward models and RL on two processes end like on one: models replicated and sharded, also after a break."""

import json

import pytest
from safetensors.torch import load_file

from pipeline.artifacts.write import file_digest, read_json
from tests.support.processes import LAUNCHER, SUPPORT
from tests.support.processes import start as run
from tests.support.two_processes_rl import REWARDS, RUNS


@pytest.fixture(scope="module")
def folders(start, tmp_path_factory):
    """The same runs by one process and by two."""
    one, two = tmp_path_factory.mktemp("one"), tmp_path_factory.mktemp("two")
    run(SUPPORT / "two_processes_rl.py", start, one)
    run(*LAUNCHER, SUPPORT / "two_processes_rl.py", start, two)
    return one, two


def lines(folder) -> list[dict]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def agree(pairs, *keys: str) -> None:
    for a, b in pairs:
        for key in keys:
            if key in a:
                assert b[key] == pytest.approx(a[key], rel=1e-3, abs=1e-6)


def same_movement(before, one, two) -> None:
    """Adam divides gradients near 0 by their own size: sums in another order show there, not in the whole step."""
    before, one, two = map(load_file, (before, one, two))
    assert set(one) == set(two)
    known = [key for key in one if key in before]  # a head of its own starts anew
    moved = sum((one[key] - before[key]).square().sum() for key in known) ** 0.5
    apart = sum((one[key] - two[key]).square().sum() for key in one) ** 0.5
    assert moved > 0.1 and apart < 0.01 * moved


@pytest.mark.parametrize("kind", REWARDS)
def test_two_processes_label_alike_and_train_the_reward_model_of_one(start, folders, kind):
    one, two = (folder / kind / "reward" for folder in folders)
    assert file_digest(one / "labels.jsonl") == file_digest(two / "labels.jsonl")
    steps, others = lines(one), lines(two)
    assert [line["scored"] for line in steps] == [line["scored"] for line in others]
    agree(zip(steps, others, strict=True), "loss", "grad_norm", "learning_rate")
    same_movement(
        start / "sft" / "model.safetensors", one / "model.safetensors", two / "model.safetensors"
    )
    first, second = (read_json(folder / "manifest.json") for folder in (one, two))
    assert first["counts"] == second["counts"]
    agree([(first["metrics"], second["metrics"])], "auc", "accuracy")


@pytest.mark.parametrize("name", RUNS)
def test_two_processes_sample_reward_and_update_like_one(folders, name):
    one, two = lines(folders[0] / name.split("_")[0] / "rl"), lines(folders[1] / name / "rl")
    assert [line["step"] for line in one] == [line["step"] for line in two]
    agree(
        zip(one, two, strict=True),
        "loss",
        "grad_norm",
        "entropy",
        "kl",
        "value_error",
        "reward",
        "auc_after",
    )
    for a, b in zip(one, two, strict=True):
        for key in set(a) & {
            "right",
            "length",
            "sampled_tokens",
            "fresh_solutions",
            "replayed_solutions",
        }:
            assert a[key] == b[key]
    assert sum("trained_reward" in line for line in two) == ("everything" in name)


@pytest.mark.parametrize("name", RUNS)
def test_two_processes_make_the_update_of_one(start, folders, name):
    one, two = folders[0] / name.split("_")[0] / "rl", folders[1] / name / "rl"
    same_movement(*(folder / "model.safetensors" for folder in (start / "sft", one, two)))


def test_sharded_rl_that_was_stopped_ends_with_the_same_bits(folders):
    whole, resumed = (folders[1] / name / "rl" for name in ("everything_shard", "resumed"))
    assert file_digest(whole / "model.safetensors") == file_digest(resumed / "model.safetensors")
