"""RL on two processes makes the update of one: replicated and sharded policy, and PPO with its value model."""

import json

import pytest
from safetensors.torch import load_file
from test_pipeline_distributed import HERE
from test_pipeline_distributed import start as run
from test_rl_train import start  # noqa: F401  (a fixture)
from two_processes_rl import RUNS


@pytest.fixture(scope="module")
def folders(start, tmp_path_factory):  # noqa: F811
    """The same runs by one process and by two."""
    one, two = tmp_path_factory.mktemp("one"), tmp_path_factory.mktemp("two")
    run(HERE / "two_processes_rl.py", start, one)
    launcher = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", 2)
    run(*launcher, HERE / "two_processes_rl.py", start, two)
    return one, two


@pytest.mark.parametrize("name", RUNS)
def test_two_processes_sample_reward_and_update_like_one(folders, name):
    one, two = ([json.loads(line) for line in (f / f"{name}.jsonl").read_text().splitlines()] for f in folders)
    assert len(one) == len(two) == 3
    for a, b in zip(one, two, strict=True):
        assert (a["right"], a["length"], a["sampled_tokens"]) == (b["right"], b["length"], b["sampled_tokens"])
        for key in ("loss", "grad_norm", "entropy", "kl"):
            if key in a:
                assert b[key] == pytest.approx(a[key], rel=1e-3, abs=1e-6)


@pytest.mark.parametrize("name", RUNS)
def test_two_processes_make_the_update_of_one(start, folders, name):  # noqa: F811
    """Adam divides gradients near 0 by their own size: sums in another order show there, not in the whole step."""
    before = load_file(start / "sft" / "model.safetensors")
    one, two = (load_file(folder / name / "model.safetensors") for folder in folders)
    assert set(one) == set(two)
    moved = sum((one[key] - before[key]).square().sum() for key in one) ** 0.5
    apart = sum((one[key] - two[key]).square().sum() for key in one) ** 0.5
    assert moved > 0.1 and apart < 0.01 * moved
