"""RL with tools: what a program printed is read by the model and counts in no loss, credit, length or denominator."""

from types import SimpleNamespace

import numpy as np
import pytest

from eval.report import TEMPLATES
from eval.reporting.rollouts import rollouts
from pipeline.artifacts.records import Problem, Solution
from pipeline.artifacts.write import read_json, write_json, write_jsonl
from pipeline.config.prompts import Prompts, Suffixes
from pipeline.config.rl import RL
from pipeline.errors import UserError
from pipeline.inference.engine import Sample, SampleRequest, SamplingSettings
from pipeline.model.chat import encode_output
from pipeline.report.page import render
from rl.methods import METHODS, Scorers
from rl.monitoring.metrics import group_metrics
from rl.rollouts import Group, Question, group_record, solution_groups
from rl.solution_steps import step_ends
from rl.tool_sampler import Programs, ToolSampler
from rl.train import main as train_policy
from tests.support.rl_toy import arguments, learner
from tests.support.small_llama import byte_tokenizer

PROGRAM = " so\n```python\nprint(3 + 4)\n```\n```output"
ANSWER = "It is \\boxed{7}."


class Scripted:
    """An engine that answers the n-th call with the n-th text, one token a byte; token i has log-probability -i."""

    def __init__(self, *texts: str):
        self.tokenizer, self.texts, self.prompts, self.keys = byte_tokenizer(), list(texts), [], []

    def sample(self, request):
        assert request.settings.stop == ("```output",)
        self.prompts, self.keys = [list(prompt) for prompt in request.prompts], list(request.keys)
        ids = self.tokenizer.encode(self.texts.pop(0))
        sample = Sample(ids, [-float(i) for i in range(len(ids))], "stop")
        return [[sample] * request.samples_per_prompt for _ in request.prompts]


class Printing:
    """A sandbox in which every program prints the same."""

    def __init__(self, text: str = "7"):
        self.text, self.programs = text, []

    def run_many(self, programs):
        self.programs += programs
        return [SimpleNamespace(status="ok", stdout=self.text, stderr="") for _ in programs]


def test_the_ids_in_the_loss_are_those_that_were_sampled_and_the_output_stands_between():
    engine, printing = Scripted(PROGRAM, ANSWER), Printing()
    [[sample]] = ToolSampler(engine, printing, 2).sample(
        SampleRequest([[9, 9]], 1, SamplingSettings(), ["k"])
    )
    first, second = (engine.tokenizer.encode(text) for text in (PROGRAM, ANSWER))
    shown = encode_output(engine.tokenizer, "7")
    assert sample.ids == first + shown + second and engine.prompts == [[9, 9, *first, *shown]]
    assert sample.written == [True] * len(first) + [False] * len(shown) + [True] * len(second)
    assert sample.logprobs == [-float(i) for ids in (first, second) for i in range(len(ids))]
    assert (sample.length, sample.finish) == (len(first) + len(second), "stop")
    assert printing.programs == ["print(3 + 4)"]


def test_the_rounds_are_counted_and_an_answer_without_a_program_is_an_ordinary_sample():
    engine = Scripted(PROGRAM, PROGRAM, PROGRAM)
    [[sample]] = ToolSampler(engine, Printing(), 2).sample(
        SampleRequest([[9]], 1, SamplingSettings(), ["k"])
    )
    assert len(engine.texts) == 1 and not sample.written[-1]
    [[sample]] = ToolSampler(Scripted(ANSWER), Printing(), 2).sample(
        SampleRequest([[9]], 1, SamplingSettings(), ["k"])
    )
    assert sample.written is None and sample.length == len(sample.ids)


def test_samples_of_one_question_have_random_numbers_of_their_own_in_every_round():
    engine = Scripted(PROGRAM, ANSWER)
    ToolSampler(engine, Printing(), 2).sample(
        SampleRequest([[9], [8]], 2, SamplingSettings(), ["a", "b"])
    )
    assert len(set(engine.keys)) == 4


# Credit


def groups(gap: list[int]) -> list[Group]:
    """Two questions with a right and a wrong output each; in three of the outputs `gap` stands between."""
    made = []
    for q in range(2):
        samples = []
        for length, at in ((6, 2), (4, 3), (5, None)):
            ids, logprobs = list(range(10, 10 + length)), [-0.1 * (i + q) for i in range(length)]
            if gap and at is not None:
                mine = [True] * at + [False] * len(gap) + [True] * (length - at)
                samples.append(Sample(ids[:at] + gap + ids[at:], logprobs, "stop", written=mine))
            else:
                samples.append(Sample(ids, logprobs, "stop"))
        group = Group(Question(Problem(f"p{q}", "Q", "7"), [1, 8 + q]), samples, [""] * 3)
        rule = np.array([1.0, 0.0, 0.0])
        group.parts, group.rewards = {"rule": rule, "process_model": rule}, rule
        group.step_rewards = [np.array([0.9, 0.4]), np.array([0.8, 0.1]), np.array([0.3])]
        ends = ([1, 5], [2, 3], [4])
        group.step_ends = [np.flatnonzero(s.sampled)[e] for s, e in zip(samples, ends, strict=True)]
        made.append(group)
    return made


def by_order(scale: float):
    """A fixed model whose number for the n-th token that the model wrote is scale * n."""

    def score(rows):
        values = [np.zeros(len(row), dtype=np.float32) for row in rows]
        for row, value in zip(rows, values, strict=True):
            value[row.loss_mask] = scale * np.arange(row.loss_mask.sum())
        return values

    return score


@pytest.mark.parametrize("aggregation", ["sequence", "token", "constant"])
@pytest.mark.parametrize("method", [name for name in METHODS if name != "sft"])
def test_credit_and_denominators_across_the_gap_equal_those_with_the_gap_removed(
    method, aggregation
):
    settings = RL(
        method=method,
        mode="tool",
        aggregation=aggregation,
        rewards={"rule": 1.0, "process_model": 1.0},
    )
    scorers = Scorers(by_order(-0.2), by_order(-0.3), by_order(0.05))
    without = METHODS[method].rows(groups([]), settings, scorers)
    across = METHODS[method].rows(groups([99, 98, 97]), settings, scorers)
    assert len(across) == len(without) > 0
    for row, plain in zip(across, without, strict=True):
        assert not row.loss_mask[row.input_ids >= 97].any(), "what the tool wrote is no target"
        assert row.input_ids[row.loss_mask].tolist() == plain.input_ids[plain.loss_mask].tolist()
        assert row.columns.keys() == plain.columns.keys()
        for name, values in plain.columns.items():
            assert row.columns[name][row.loss_mask] == pytest.approx(
                values[plain.loss_mask], abs=1e-6
            ), name


def test_lengths_and_calls_in_the_metrics_are_those_of_the_model():
    across, without = (group_metrics(groups(gap)) for gap in ([99, 98], []))
    assert across["length"] == without["length"] == 5 and across["tool_calls"] == pytest.approx(
        2 / 3
    )
    assert "tool_calls" not in without


@pytest.mark.parametrize(
    ("text", "ends"), [("ab\ncd|\n5\nx\n|ef\n\ngh", [2, 4, 12, 15]), ("ab|\n5\n|", [1])]
)
def test_steps_are_lines_of_the_model_and_an_output_ends_the_line_before_it(text, ends):
    tokenizer, ids, written, mine = byte_tokenizer(), [], [], True
    for piece in text.split("|"):
        ids += tokenizer.encode(piece)
        written += [mine] * (len(ids) - len(written))
        mine = not mine
    assert step_ends(tokenizer, ids, written) == ends
    assert all(written[end] for end in ends)


# The loop


class Parity:
    """In the place of the rule, which the toy with its broken boxes never pleases."""

    def score(self, groups):
        return [
            np.array([float(sum(sample.ids) % 2) for sample in group.samples]) for group in groups
        ]


class StepReward:
    """In the place of a process reward model: every third token that the model wrote ends a step."""

    def score(self, groups):
        for group in groups:
            group.step_ends = [np.flatnonzero(sample.sampled)[2::3] for sample in group.samples]
            group.step_rewards = [np.linspace(0.1, 0.9, len(ends)) for ends in group.step_ends]
        return [np.array([float(len(ends)) for ends in group.step_ends]) for group in groups]


@pytest.mark.parametrize("method", ["online_rft", "ppo", "grpo_outcome", "grpo_process"])
def test_every_online_method_learns_with_tools_and_sampler_and_trainer_agree(
    start, monkeypatch, method
):
    """The toy writes no programs: "{" stands for the request, and the output goes between the brace and the digit."""
    monkeypatch.setattr("rl.tool_sampler.ASKS_FOR_OUTPUT", ("{",))
    monkeypatch.setattr("eval.sampling.tool_loop._asks", lambda tokenizer, answer: True)
    rewards = {"rule": 1.0} | ({"process_model": 0.1} if method == "grpo_process" else {})
    loop = learner(start, method=method, mode="tool", temperature=2.0, rewards=rewards, beta=0.04)
    loop.exploration.rewards = {"rule": Parity()} | (
        {"process_model": StepReward()} if method == "grpo_process" else {}
    )
    loop.sampler = ToolSampler(loop.sampler.engine, Printing("5"), 2)
    loop.exploration.sampler = loop.sampler
    before = {name: value.clone() for name, value in loop.policy.state_dict().items()}
    line = loop.step(0)  # compares the sampler's log-probabilities with the trainer's
    assert line["tool_calls"] > 0.3 and line["sampled_tokens"] == line["length"] * line["outputs"]
    assert any((value != before[name]).any() for name, value in loop.policy.state_dict().items())
    assert abs(line.get("kl", 0)) < 1e-6  # the reference is the start
    outputs = [output for record in loop.state.records for output in record["outputs"]]
    output = next(output for output in outputs if "written" in output)
    printed = [
        token for token, mine in zip(output["tokens"], output["written"], strict=True) if not mine
    ]
    assert printed and not "".join(printed).replace("\n5\n```\n", "")


def test_a_worked_solution_with_programs_has_the_output_masked():
    tokenizer = byte_tokenizer()
    turns = [
        {"role": "text", "content": "so"},
        {"role": "code", "content": "print(7)"},
        {"role": "output", "content": "7"},
        {"role": "text", "content": ANSWER},
    ]
    problem = Problem("p", "Q", "7")
    solution = Solution("s", "p", "Q", "7", "tool", turns)
    assert not solution_groups([solution], [Question(problem, [1])], tokenizer)
    [group] = solution_groups([solution], [Question(problem, [1])], tokenizer, "tool")
    [sample] = group.samples
    assert tokenizer.decode(np.array(sample.ids)[~sample.sampled].tolist()) == "\n7\n```\n"
    assert sample.length == len(sample.logprobs) < len(sample.ids)


def test_the_manifest_names_the_isolation_where_programs_may_run_and_only_there(start, tmp_path):
    try:
        assert Programs().isolation
    except UserError as error:
        pytest.skip(f"no sandbox here: {error}")
    for mode in ("tool", "cot"):
        given = arguments(start, tmp_path, mode=mode, steps=1, evaluate_every=0)
        write_json(
            tmp_path / "prompts.json", Prompts(**{mode: Suffixes(en="", zh="")}).model_dump()
        )
        given[given.index("--prompts") + 1] = str(tmp_path / "prompts.json")
        train_policy(given)
        found = read_json(tmp_path / "rl/manifest.json")["metrics"].get("isolation")
        assert ("rlimits" in found) if mode == "tool" else found is None


def test_reward_models_are_not_trained_on_with_programs():
    with pytest.raises(ValueError, match="mode cot only"):
        RL(mode="tool", iterations=2, rewards={"outcome_model": 1.0})
    RL(mode="tool", iterations=2, rewards={"rule": 1.0})


def test_the_report_frames_what_a_program_printed(tmp_path):
    tokenizer = byte_tokenizer()
    ids = tokenizer.encode("ab<i>c")
    sample = Sample(ids, [0.0] * 3, "stop", written=[True] * 2 + [False] * 3 + [True])
    group = Group(
        Question(Problem("p", "Q", "7"), [1]),
        [sample],
        ["ab<i>c"],
        {"rule": np.ones(1)},
        np.ones(1),
    )
    group.advantages = [np.full(3, 0.5)]
    write_jsonl(tmp_path / "r.jsonl", [group_record(group, tokenizer, 0)])
    html = render("rollouts.html.jinja", rollouts(tmp_path / "r.jsonl"), TEMPLATES)
    assert 'class="tool">&lt;i&gt;</span>' in html and "advantage +0.50" in html
