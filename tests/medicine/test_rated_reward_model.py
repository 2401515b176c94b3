"""A reward model that learns from experts' scores, and a policy that learns from it, on a toy whose answers name one of
two diagnoses and one of three treatments."""

import json

import numpy as np
import pytest
import torch

from pipeline.artifacts.records import Problem, read_jsonl
from pipeline.artifacts.write import read_json, write_json, write_jsonl
from pipeline.errors import UserError
from pipeline.forward.batches import Row
from pipeline.model.chat import encode_prompt
from pipeline.model.load import CHAT_TEMPLATE, load_tokenizer, save_model
from pipeline.training.step import adamw, set_learning_rate, train_step, weighted_nll
from rl.ratings.scale import scale_of
from rl.reward_model import main as train_reward_model
from rl.score_model import ModelReward, load_score_model
from rl.train import main as train_policy
from tests.support.rl_toy import BARE, arguments, metrics, reward_options
from tests.support.small_llama import byte_tokenizer, llama

GOLD = {
    "diagnosis": ["a"],
    "plan": [["x"]],
    "unsafe": ["z"],
    "revised": {"plan": [["y"]], "unsafe": ["x", "z"]},
}
TOKENS = 26
EXPERTS = {"raters": 4, "held_out": 1, "severity": 0.8, "noise": 0.4}
REWARD = {"labels": "experts", "experts": EXPERTS, "max_new_tokens": TOKENS, "epochs": 12}


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    """A tiny model that answers any case at random, and the cases."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("cases")
    tokenizer, model = byte_tokenizer(), llama(initializer_range=0.1)
    tokenizer.chat_template = CHAT_TEMPLATE
    problems = [Problem(f"p{i}", f"Q{i}?", json.dumps({"case": f"p{i}"} | GOLD)) for i in range(10)]
    generator = np.random.default_rng(0)
    optimiser = adamw(model)
    set_learning_rate(optimiser, 1e-2)

    for _ in range(110):
        rows = []
        for problem in problems:
            text = f"Diagnosis:{generator.choice(list('ab'))}\nTreatment:{generator.choice(list('xyz'))}"
            answer = [*tokenizer.encode(text), tokenizer.eos_token_id]
            prompt = encode_prompt(tokenizer, problem.question, "cot", "en", BARE)
            scored = np.array([False] * len(prompt) + [True] * len(answer))
            ids = np.array(prompt + answer, dtype=np.int32)
            rows.append(Row(ids, scored, {"weight": scored / 200}))
        train_step(model, optimiser, rows, weighted_nll, max_tokens=1000)

    save_model(folder / "sft", model, tokenizer, card="toy", stage="rl.train", settings={})
    for name in ("train", "heldout"):
        write_jsonl(folder / f"{name}.jsonl", [problem.to_json() for problem in problems])
    write_json(folder / "prompts.json", BARE.model_dump())
    return folder


@pytest.fixture(scope="module")
def reward(start, tmp_path_factory):
    """A reward model of the experts' scores; the guideline is to change with the second iteration of RL."""
    out = tmp_path_factory.mktemp("reward")
    experts = EXPERTS | {"revised_from": 1}
    train_reward_model(reward_options(start, out, "outcome", **REWARD | {"experts": experts}))
    return out / "reward"


def test_the_model_ranks_answers_as_experts_do_whose_scores_it_has_not_seen(reward):
    found = read_json(reward / "manifest.json")["metrics"]
    assert found["agreement"] > 0.5
    assert found["rank_correlation_held_out"] > 0.6
    assert found["rank_correlation_within"] > 0.6
    assert set(found["raters"]) == {"expert-1", "expert-2", "expert-3"}, "the fourth is held out"
    assert found["rating_calibration"]
    assert "experts would score" in (reward / "README.md").read_text()


def test_its_values_are_points(reward):
    scale = scale_of(load_score_model(reward))
    assert (scale.lowest, scale.highest) == (1, 10)
    tokenizer = load_tokenizer(reward)
    model = ModelReward(
        reward, process=False, tokenizer=tokenizer, max_tokens=600, precision="fp32"
    )
    assert model.scale == scale


def test_when_the_guideline_changes_experts_score_anew_and_the_reward_model_learns(
    start, reward, tmp_path
):
    changes = {
        "rewards": {"outcome_model": 1.0}, "iterations": 2, "steps": 6, "evaluate_every": 0,
        "max_new_tokens": TOKENS, "micro_batch_tokens": 2000, "learning_rate": 1e-5,
    }  # fmt: skip
    options = arguments(start, tmp_path, **changes)
    train_policy([*options, "--outcome-model", str(reward)])

    lines = metrics(tmp_path / "rl")
    steps = [line for line in lines if "reward" in line]
    assert all(1 <= line["reward_outcome_model"] <= 10 for line in steps)
    # At so small a rate the policy stays what it is: two of its three treatments are unsafe now, and one was.
    experts = [line["reward_experts"] for line in steps]
    assert np.mean(experts[3:]) < np.mean(experts[:3]) - 0.5

    [trained] = [line for line in lines if "trained_reward" in line]
    fresh, replayed = trained["fresh_solutions"], trained["replayed_solutions"]
    assert replayed == round(fresh * 0.1 / 0.9)
    assert trained["error_after"] < trained["error_before"]


@pytest.mark.parametrize("loss", ["regression", "ordinal"])
def test_people_s_ratings_train_a_model_without_any_sampling(start, reward, tmp_path, loss):
    settings = REWARD | {"labels": "ratings", "rating_loss": loss, "epochs": 4}
    options = reward_options(start, tmp_path, "outcome", **settings)
    train_reward_model([*options, "--ratings", str(reward / "ratings.jsonl")])

    found = read_json(tmp_path / "reward" / "manifest.json")["metrics"]
    assert found["rank_correlation"] > 0.4
    assert bool(scale_of(load_score_model(tmp_path / "reward")).cuts) == (loss == "ordinal")
    rated = list(read_jsonl(tmp_path / "reward" / "ratings.jsonl"))
    assert len(rated) == len(list(read_jsonl(reward / "ratings.jsonl")))

    # Iterations would need new ratings, which nobody gives.
    rl = arguments(start, tmp_path, rewards={"outcome_model": 1.0}, iterations=2)
    with pytest.raises(UserError, match="people's ratings"):
        train_policy([*rl, "--outcome-model", str(tmp_path / "reward")])


def test_labels_that_a_model_cannot_have_are_refused(start, tmp_path):
    with pytest.raises(UserError, match="scores are of whole answers"):
        train_reward_model(reward_options(start, tmp_path, "process", **REWARD))
    with pytest.raises(UserError, match="--ratings FILE"):
        train_reward_model(reward_options(start, tmp_path, "outcome", labels="ratings"))

    plain = [Problem(f"p{i}", f"Q{i}?", "7").to_json() for i in range(10)]
    write_jsonl(tmp_path / "plain.jsonl", plain)
    options = reward_options(start, tmp_path, "outcome", **REWARD)
    options[options.index("--problems") + 1] = str(tmp_path / "plain.jsonl")
    with pytest.raises(UserError, match="is no case"):
        train_reward_model(options)
