"""Code of the user's own in RL: it counts where it is named, and what is wrong with it is one line before training."""

import json
import math
import sys

import numpy as np
import pytest
import torch

from examples import own_grpo
from pipeline.artifacts.code_digest import code_digest
from pipeline.artifacts.records import Problem
from pipeline.artifacts.write import file_digest
from pipeline.config.rl import RL
from pipeline.errors import UserError
from pipeline.inference.engine import Sample
from rl.advantages import normalise, outcome_advantages, token_weights
from rl.monitoring.metrics import group_metrics
from rl.objectives import grpo_loss, kl_estimate
from rl.own_code import check
from rl.own_code.trials import check_own_code
from rl.rewards import compose
from rl.rollouts import Group, Question
from rl.train import main
from tests.support.rl_toy import arguments
from tests.support.worked_gradients import POLICY, REFERENCE, WEIGHT, gradient_of, numeric_gradient

RIGHT = {
    "rewards": {"examples.own_reward:Brevity": 1.0},
    "normalisation": "examples.own_grpo:leave_one_out",
    "aggregation": "examples.own_grpo:square_root",
    "kl": "examples.own_grpo:jensen_shannon",
}
REWARD = "import numpy as np\nclass R:\n    def score(self, groups):\n        "
WRONG = {
    "rewards": [
        ("import nowhere_at_all\n", "cannot be imported (ModuleNotFoundError"),
        ("def broken(:\n", "cannot be imported (SyntaxError"),
        ("", "has no R"),
        ("R = 3\n", "has no method score"),
        ("class R:\n    def __init__(self, a): ...\n    def score(self): ...\n", "without arguments"),
        (REWARD + "return None\n", "gave NoneType for 2 groups"),
        (REWARD + "return [np.zeros(4)]\n", "gave 1 arrays for 2 groups"),
        (REWARD + "return [np.zeros(4) for g in groups]\n", "example-2: score gave an array of shape (4,), not (3,)"),
        (REWARD + "return [np.full(len(g.texts), np.nan) for g in groups]\n", "gave nan at place 0"),
        (REWARD + "return [[t for t in g.texts] for g in groups]\n", "gave list, not 4 numbers"),
        (REWARD + "return [1 / 0 for g in groups]\n", "ZeroDivisionError: division by zero"),
    ],
    "normalisation": [
        ("def R(rewards): return rewards\n", "takes 1 positional argument but 2 were given"),
        ("def R(rewards, pool): return pool\n", "gave an array of shape (5,), not (2,)"),
        ("def R(rewards, pool): return rewards / 0\n", "gave "),
        ("R = 1\n", "is no function"),
    ],
    "aggregation": [
        ("def R(lengths, longest): return [1 / n for n in lengths]\n", "ZeroDivisionError"),
        ("def R(lengths, longest): return 0.5\n", "gave an array of shape (), not (3,)"),
    ],
    "kl": [
        ("def R(p, r): return (r - p).mean()\n", "gave shape (), not that of log_probs (3,)"),
        ("def R(p, r): return (r - p).detach()\n", "no gradient"),
        ("def R(p, r): return (r - p).sqrt()\n", "must be finite"),
        ("def R(p, r): return (r - p).abs().sqrt()\n", "its gradient is"),
        ("def R(p, r): return p.detach().numpy()\n", "gave ndarray, not a tensor"),
    ],
}  # fmt: skip
CASES = [(setting, *case) for setting, cases in WRONG.items() for case in cases]
NUMBERED = list(enumerate(CASES))


def settings_with(setting: str, name: str) -> RL:
    return RL(**{setting: {name: 1.0} if setting == "rewards" else name})


def test_the_examples_pass():
    check_own_code(RL(**RIGHT))


@pytest.mark.parametrize(("number", "case"), NUMBERED, ids=range(len(CASES)))
@pytest.mark.filterwarnings("ignore:.*in divide:RuntimeWarning")
def test_what_is_wrong_with_own_code_is_one_line_with_its_name(number, case, tmp_path, monkeypatch):
    setting, code, message = case
    module = f"own_code_{number}"
    (tmp_path / f"{module}.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(UserError) as error:
        check_own_code(settings_with(setting, f"{module}:R"))

    line = str(error.value)
    assert line.startswith(f"rl.{setting}: {module}:R: ") and message in line
    assert "\n" not in line
    sys.modules.pop(module, None)


@pytest.mark.parametrize("setting", ["normalisation", "aggregation", "kl"])
@pytest.mark.parametrize("name", ["populaton", "a:", ":b", "a b:c", "3a:b", "a..b:c"])
def test_a_name_that_is_neither_a_choice_nor_own_code_is_refused(setting, name):
    with pytest.raises(ValueError, match=r"choose of .*, or name a function of your own"):
        RL(**{setting: name})


def test_the_program_takes_problems_of_ones_own_for_rewards_that_read_them(tmp_path, monkeypatch):
    (tmp_path / "own_language.py").write_text(
        REWARD + "assert all(g.question.problem.language == 'xx' for g in groups)\n"
        "        return [np.ones(len(g.texts)) for g in groups]\n"
    )
    (tmp_path / "rl.json").write_text(json.dumps({"rewards": {"own_language:R": 1.0}}))
    problem = {"id": "1", "question": "?", "answer": "2", "language": "xx"}
    (tmp_path / "problems.jsonl").write_text(json.dumps(problem) + "\n")
    monkeypatch.syspath_prepend(tmp_path)

    check.main(["--config", f"{tmp_path}/rl.json", "--problems", f"{tmp_path}/problems.jsonl"])
    with pytest.raises(UserError, match=r"rl\.rewards: own_language:R: failed on a worked example"):
        check.main(["--config", f"{tmp_path}/rl.json"])


# What it does where it is named


def test_own_functions_give_the_worked_numbers():
    rewards = np.array([1.0, 0.0, 0.0, 1.0])
    own = RIGHT["normalisation"]
    assert normalise(rewards, own) == pytest.approx([2 / 3, -2 / 3, -2 / 3, 2 / 3])
    assert outcome_advantages(rewards, [2, 1, 0, 1], own)[0] == pytest.approx([2 / 3, 2 / 3])
    # Where all rewards are equal there is nothing to compare, whatever the function would say.
    assert (normalise(np.ones(3), own) == 0).all()

    weights_of_outputs = token_weights([4, 0, 16], RIGHT["aggregation"], 16)
    assert weights_of_outputs == pytest.approx([1 / 12, 0, 1 / 24])
    ratio = math.exp(2.5)
    expected = (ratio * 2.5 - (1 + ratio) * math.log((1 + ratio) / 2)) / 2
    estimate = kl_estimate(torch.tensor(-3.0), torch.tensor(-0.5), RIGHT["kl"])
    assert estimate.item() == pytest.approx(expected, rel=1e-5)


def test_an_own_kl_term_has_its_own_gradient():
    columns = {"weight": WEIGHT, "advantage": torch.zeros(5).double(), "old_log_probs": POLICY}
    columns["ref_log_probs"] = REFERENCE
    found = gradient_of(grpo_loss(0.04, RIGHT["kl"], 0.2, 0.2), columns)

    def term(policy):
        return 0.04 * (WEIGHT * own_grpo.jensen_shannon(policy, REFERENCE)).sum()

    assert torch.allclose(found, numeric_gradient(term, POLICY), atol=1e-7)


def test_training_with_a_copy_of_the_built_in_code_gives_the_same_weights(
    start, tmp_path, monkeypatch
):
    (tmp_path / "own_copies.py").write_text(
        "def population(rewards, pool): return (rewards - pool.mean()) / pool.std()\n"
        "def sequence(lengths, longest):\n"
        "    outputs = sum(n > 0 for n in lengths)\n"
        "    return [1 / (outputs * n) if n else 0 for n in lengths]\n"
        "def k3(p, r): return (r - p).exp() - (r - p) - 1\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    own = {
        "normalisation": "own_copies:population",
        "aggregation": "own_copies:sequence",
        "kl": "own_copies:k3",
    }
    main(arguments(start, tmp_path / "own", steps=2, **own))
    main(arguments(start, tmp_path / "built_in", steps=2))
    own_weights, built_in = (
        file_digest(tmp_path / name / "rl" / "model.safetensors") for name in ("own", "built_in")
    )
    assert own_weights == built_in


def test_own_code_counts_as_the_code_of_the_stage(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = RL(normalisation="own_digest:a", rewards={"own_digest_reward:R": 1.0, "rule": 0.5})
    assert settings.own_modules == ["own_digest", "own_digest_reward"]

    digests = []
    for version in (1, 2):
        (tmp_path / "own_digest.py").write_text(
            f"def a(rewards, pool): return {version} * rewards\n"
        )
        (tmp_path / "own_digest_reward.py").write_text("class R: ...\n")
        code_digest.cache_clear()
        digests.append(code_digest("rl.train", *settings.own_modules))
    code_digest.cache_clear()
    assert digests[0] != digests[1]


# Rewards while training runs


def group_of(texts, name="q1"):
    samples = [Sample([5], [0.0], "stop") for _ in texts]
    return Group(Question(Problem(name, "Q", "7"), [1]), samples, texts)


class Scores:
    """A reward that gives what it was made with."""

    def __init__(self, *scores):
        self.scores = scores

    def score(self, groups):
        return [np.array(of_group) for of_group in self.scores]


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        ([[1.0, math.nan]], r"rewards\.mine:R: question q1: score gave nan at place 1"),
        ([[1.0, math.inf]], r"rewards\.mine:R: question q1: score gave inf"),
        ([[1.0]], r"rewards\.mine:R: question q1: score gave an array of shape \(1,\), not \(2,\)"),
        ([[1.0, 2.0], [1.0, 2.0]], r"rewards\.mine:R: score gave 2 arrays for 1 groups"),
    ],
)
def test_a_bad_score_while_training_names_reward_and_question(scores, message):
    with pytest.raises(UserError, match=message):
        compose([group_of(["a", "b"])], {"mine:R": Scores(*scores)}, {"mine:R": 1.0})


def test_metrics_carry_each_reward_by_name_with_its_mean_and_share_of_zeros():
    groups = [group_of(["a", "b"]), group_of(["a", "b", "c", "d"], "q2")]
    rule, mine = Scores([0, 1], [0, 0, 0, 1]), Scores([0.5, 0.5], [2.0, 0, 0, 0])
    compose(groups, {"rule": rule, "mine:R": mine}, {"mine:R": 1.0})
    line = group_metrics(groups)
    assert line["rewards/rule"] == line["reward_rule"] == pytest.approx(2 / 6)
    assert line["rewards/mine:R"] == pytest.approx(3 / 6)
    assert line["reward_zeros/mine:R"] == pytest.approx(3 / 6)
    assert line["reward_zeros/rule"] == pytest.approx(4 / 6)
