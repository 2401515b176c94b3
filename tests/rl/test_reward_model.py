"""Reward models: steps, labels by rollouts, training, measures on held-out problems, and use as a reward."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForTokenClassification

from pipeline.artifacts.records import Problem, read_jsonl
from pipeline.artifacts.write import file_digest, read_json, write_jsonl
from pipeline.config.rl import Reward
from pipeline.errors import UserError
from pipeline.inference.engine import Sample
from pipeline.inference.sampler import Sampler
from pipeline.measures import auc
from pipeline.model.chat import encode_prompt
from pipeline.model.load import load_model, load_tokenizer
from pipeline.training import loop
from rl import reward_model
from rl.methods import METHODS, Scorers
from rl.reward_model_metrics import calibration_error, calibration_table, judge
from rl.rollouts import Group, Question
from rl.score_model import ModelReward, load_score_model, row_scores, scored_row
from rl.solution_steps import step_ends
from rl.step_labels import LabelledSolution, label_outcomes, label_steps
from rl.train import main as train_policy
from tests.support.rl_toy import BARE, SMALL_REWARD, arguments, reward_options
from tests.support.small_llama import byte_tokenizer


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("ab\ncd\n", [2, 6]),
        ("ab\ncd", [2, 5]),
        ("ab\n\n\ncd\n\n", [2, 9]),
        ("\n\nab", [4]),
        ("ab", [2]),
        ("", [0]),
    ],
)
def test_a_step_ends_with_its_line_and_the_last_one_with_the_output(text, ends):
    tokenizer = byte_tokenizer()
    assert step_ends(tokenizer, [*tokenizer.encode(text), tokenizer.eos_token_id]) == ends


def test_an_output_without_tokens_has_no_steps_and_one_without_an_end_token_ends_with_its_last():
    tokenizer = byte_tokenizer()
    assert step_ends(tokenizer, []) == []
    assert step_ends(tokenizer, tokenizer.encode("ab\nc")) == [2, 3]
    assert step_ends(tokenizer, tokenizer.encode("ab\n")) == [2]


def questions(tokenizer, count: int = 4, answer: str = "7") -> list[Question]:
    problems = [Problem(f"p{i}", f"Q{i}?", answer) for i in range(count)]
    return [
        Question(problem, encode_prompt(tokenizer, problem.question, "cot", "en", BARE))
        for problem in problems
    ]


def toy_sampler(start) -> Sampler:
    return Sampler(load_model(start / "sft"), load_tokenizer(start / "sft"))


def test_outcome_labels_are_the_rules_verdicts_on_different_solutions(start):
    sampler = toy_sampler(start)
    solutions = label_outcomes(sampler, questions(sampler.tokenizer), Reward(**SMALL_REWARD))
    assert len({(s.problem_id, tuple(s.ids)) for s in solutions}) == len(solutions) > 10
    for solution in solutions:
        text = sampler.tokenizer.decode(solution.ids, skip_special_tokens=True)
        assert solution.right == ("\\boxed{7}" in text) and solution.labels == [
            float(solution.right)
        ]
        assert solution.ends == [len(solution.ids) - 1]
    assert 0 < sum(solution.right for solution in solutions) < len(solutions)


@pytest.mark.parametrize("kind", ["hard", "soft"])
def test_step_labels_are_the_share_of_rollouts_that_reach_the_answer(start, monkeypatch, kind):
    sampler = toy_sampler(start)
    monkeypatch.setattr(
        "rl.step_labels.step_ends",
        lambda tokenizer, ids: [1, 8, len(ids) - 1] if len(ids) > 9 else [0],
    )
    settings = Reward(**(SMALL_REWARD | {"labels": kind}))
    solutions = [
        s for s in label_steps(sampler, questions(sampler.tokenizer), settings) if len(s.ends) == 3
    ]
    after_digit = [s.labels[1] for s in solutions if s.right]
    assert solutions and all(s.labels[2] == float(s.right) for s in solutions)
    assert np.mean(after_digit) > 0.9  # the digit stands: every rollout keeps it
    assert np.mean([s.labels[1] for s in solutions if not s.right]) < 0.1
    first = np.array([s.labels[0] for s in solutions])
    allowed = {0.0, 1.0} if kind == "hard" else {0.0, 0.25, 0.5, 0.75, 1.0}
    assert set(first) <= allowed and 0 < first.mean() < 1


def test_an_outcome_model_learns_loads_with_transformers_and_rewards_a_policy(start, tmp_path):
    reward_model.main(reward_options(start, tmp_path, "outcome"))
    metrics = read_json(tmp_path / "reward/manifest.json")["metrics"]
    assert (
        metrics["auc"] > 0.95
        and metrics["accuracy"] > metrics["majority"]
        and metrics["best_of"] > metrics["mean"]
    )
    model = AutoModelForTokenClassification.from_pretrained(tmp_path / "reward")
    tokenizer = load_tokenizer(start / "sft")
    [question] = questions(tokenizer, 1)
    samples = [
        Sample(
            [*tokenizer.encode(f" \\boxed{{{digit}}}"), tokenizer.eos_token_id], [0.0] * 11, "stop"
        )
        for digit in "73"
    ]
    group = Group(question, [*samples, Sample([], [], "length")], ["", "", ""])
    [scores] = ModelReward(tmp_path / "reward", False, tokenizer, 600, "fp32").score([group])
    with torch.no_grad():
        for sample, score in zip(samples, scores, strict=False):
            logits = model(torch.tensor([question.prompt + sample.ids])).logits[0, -1, 0]
            assert score == pytest.approx(torch.sigmoid(logits).item(), abs=1e-5)
    assert scores[0] > 0.7 > 0.3 > scores[1] and scores[2] == 0
    out = tmp_path / "policy"
    out.mkdir()
    more = ["--outcome-model", str(tmp_path / "reward")]
    train_policy([*arguments(start, out, rewards={"outcome_model": 1.0}, steps=2), *more])
    line = json.loads((out / "rl/metrics.jsonl").read_text().splitlines()[1])
    assert (
        line["reward"] == pytest.approx(line["reward_outcome_model"])
        and 0 <= line["reward_rule"] <= 1
    )


def test_a_process_model_feeds_process_supervision(start, tmp_path):
    reward_model.main(reward_options(start, tmp_path, "process", epochs=2, drops={0.5: 0.1}))
    rates = [line["learning_rate"] for line in read_jsonl(tmp_path / "reward/metrics.jsonl")]
    assert rates[0] == SMALL_REWARD["learning_rate"] and rates[-1] == pytest.approx(
        SMALL_REWARD["learning_rate"] / 10
    )
    out = tmp_path / "policy"
    out.mkdir()
    settings = {"rewards": {"process_model": 1.0}, "method": "grpo_process", "steps": 2}
    settings["allow_weak_process_model"] = True  # a toy's, of few labels
    train_policy([*arguments(start, out, **settings), "--process-model", str(tmp_path / "reward")])
    assert "reward_process_model" in (out / "rl/metrics.jsonl").read_text()


def test_a_broken_reward_training_goes_on_to_the_same_bits(start, tmp_path, monkeypatch):
    digests, step = [], loop.train_step
    for name in ("whole", "broken"):
        (tmp_path / name).mkdir()
        given = reward_options(start, tmp_path / name, "outcome", epochs=2)
        if name == "broken":
            left = iter(range(4))

            def breaking(*a, left=left, **options):
                if next(left, None) is None:
                    raise KeyboardInterrupt
                return step(*a, **options)

            monkeypatch.setattr(loop, "train_step", breaking)
            with pytest.raises(KeyboardInterrupt):
                reward_model.main(given)
            monkeypatch.undo()
            assert list((tmp_path / name).glob("resume/train-*.jsonl"))
        reward_model.main(given)
        digests.append(file_digest(tmp_path / name / "reward/model.safetensors"))
    assert digests[0] == digests[1] and not (tmp_path / "broken/resume").exists()


def test_process_rows_carry_the_papers_advantages():
    question = Question(Problem("p", "Q", "7"), [1, 8])
    samples = [
        Sample([3, 4, 5, 6, 7], [-1.0] * 5, "stop"),
        Sample([3, 4, 5, 6], [-1.0] * 4, "stop"),
    ]
    group = Group(
        question, samples, ["", ""], {"process_model": np.array([0.5, 0.1])}, np.array([0.5, 0.1])
    )
    group.step_rewards = [np.array([0.9, 0.5]), np.array([0.8, 0.2, 0.1])]
    group.step_ends = [np.array([1, 4]), np.array([0, 2, 3])]
    from pipeline.config.rl import RL

    settings = RL(method="grpo_process", rewards={"process_model": 1.0}, beta=0)
    first, second = METHODS["grpo_process"].rows([group], settings, Scorers(None, None))
    assert first.columns["advantage"][2:] == pytest.approx([1.2649, 1.2649, 0, 0, 0], abs=5e-5)
    assert second.columns["advantage"][2:] == pytest.approx(
        [-1.2649, -2.2136, -2.2136, -1.2649], abs=5e-5
    )


def test_a_damaged_reward_model_is_refused_and_a_causal_model_gets_a_new_head(start, tmp_path):
    load_score_model(start / "sft").save_pretrained(tmp_path)
    load_score_model(tmp_path)
    whole = load_file(tmp_path / "model.safetensors")
    body = "model.layers.0.mlp.up_proj.weight"

    for missing in ("score.weight", body):
        left = {name: tensor for name, tensor in whole.items() if name != missing}
        save_file(left, tmp_path / "model.safetensors", metadata={"format": "pt"})
        with pytest.raises(UserError, match=f"lack 1 tensors.*{missing}"):
            load_score_model(tmp_path)

    broken = whole | {body: torch.full_like(whole[body], float("nan"))}
    save_file(broken, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(UserError, match=f"{body}.*not finite"):
        load_score_model(tmp_path)

    (tmp_path / "model.safetensors").write_bytes(b"damaged")
    with pytest.raises(UserError, match="cannot load the model"):
        load_score_model(tmp_path)


def test_scores_do_not_depend_on_the_company_in_a_batch(start):
    model = load_score_model(start / "sft")
    rows = [scored_row([1, 5], [9] * n, [0, n - 1]) for n in (2, 7, 4)]
    together = row_scores(model, rows, 10_000, "fp32")
    for row, scores in zip(rows, together, strict=True):
        assert row_scores(model, [row], 10_000, "fp32")[0] == pytest.approx(scores, abs=1e-5)
    assert [len(scores) for scores in together] == [2, 2, 2]


def test_auc_counts_pairs_and_ties_as_half():
    generator = np.random.default_rng(0)
    scores, positive = generator.integers(0, 6, 60) / 5, generator.random(60) < 0.4
    pairs = [(a > b) + 0.5 * (a == b) for a in scores[positive] for b in scores[~positive]]
    assert auc(scores, positive) == pytest.approx(np.mean(pairs))
    assert auc(scores, np.ones(60, dtype=bool)) is None


def test_within_a_problem_only_its_own_solutions_are_compared():
    def solution(problem: str, right: bool) -> LabelledSolution:
        return LabelledSolution(problem, [1], [2], [0], [float(right)], right)

    solutions = [
        solution("a", True),
        solution("a", False),
        solution("a", False),
        solution("b", True),
    ]
    scores = [np.array([value]) for value in (0.5, 0.4, 0.5, 0.1)]
    assert (
        judge(solutions, scores)["auc_within"] == 0.75
    )  # one pair in order, one tie; "b" has no wrong solution
    assert judge(solutions[3:], scores[3:])["auc_within"] is None


def test_calibration_compares_predicted_and_observed_in_tenths():
    probabilities, labels = np.array([0.05, 0.05, 0.95, 1.0]), np.array([0.0, 1.0, 1.0, 1.0])
    table = calibration_table(probabilities, labels)
    assert [(row["n"], row["observed"]) for row in table] == [(2, 0.5), (2, 1.0)]
    assert calibration_error(probabilities, labels) == pytest.approx((2 * 0.45 + 2 * 0.025) / 4)


def test_a_solution_is_as_good_as_its_worst_step():
    def solution(problem: str, right: bool) -> LabelledSolution:
        return LabelledSolution(problem, [1], [2, 3], [0, 1], [1.0, float(right)], right)

    solutions = [solution("a", True), solution("a", False), solution("b", False)]
    metrics = judge(solutions, [np.array([0.8, 0.9]), np.array([0.99, 0.1]), np.array([0.6, 0.6])])
    assert (metrics["best_of"], metrics["any"], metrics["mean"]) == (0.5, 0.5, 0.25)
    assert metrics["solution_auc"] == 1.0 and metrics["accuracy"] == pytest.approx(5 / 6)


def test_a_reward_model_of_another_tokenizer_and_too_few_problems_are_refused(start, tmp_path):
    other = byte_tokenizer()
    other.add_tokens(["zzz"])
    with pytest.raises(UserError, match="tokenizer"):
        ModelReward(start / "sft", False, other, 600, "fp32")
    write_jsonl(tmp_path / "one.jsonl", [Problem("p", "Q?", "7").to_json()])
    given = reward_options(start, tmp_path, "outcome")
    given[given.index("--problems") + 1] = str(tmp_path / "one.jsonl")
    with pytest.raises(UserError, match="at least 2"):
        reward_model.main(given)
