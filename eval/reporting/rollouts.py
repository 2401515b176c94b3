"""The browser of recorded rollouts in the results report, and the run's warnings."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from eval.reporting.language import language_of
from pipeline.artifacts.records import read_jsonl

FULL_COLOUR = 2.0  # advantage, in standard deviations, at which a token's colour is strongest
STRONGEST = 45  # percent of colour: more would make text on it hard to read
QUESTION_LENGTH = 110  # characters of the question in the line that unfolds


@dataclass(frozen=True, slots=True)
class RunWarning:
    """What the run warned of: a model's reward and the rule going different ways."""

    step: int
    text: str


@dataclass(frozen=True, slots=True)
class Piece:
    """Text of an output with one look; "plain" where there is nothing to tell of it."""

    kind: str  # "plain", "token" (coloured by its advantage) or "tool" (printed by a program)
    text: str
    advantage: float = 0.0
    strength: float = 0.0  # of the colour, in percent
    step_reward: float | None = None  # where a step ends with this token


@dataclass(frozen=True, slots=True)
class Output:
    """One output of a group: what is said of it, and its text in pieces."""

    summary: str
    right: bool
    pieces: list[Piece]


@dataclass(frozen=True, slots=True)
class RecordedQuestion:
    summary: str
    question: str
    language: str  # "en", or what the question's writing shows
    outputs: list[Output]  # the best first


def warnings_of(lines: list[dict[str, Any]]) -> list[RunWarning]:
    """The warnings in the lines of RL's metrics.jsonl."""
    found = []
    for line in lines:
        for name, text in line.items():
            if name.startswith("warning_"):
                found.append(RunWarning(line["step"], text))
    return found


def rollouts(path: Path) -> list[RecordedQuestion]:
    """The recorded questions of a rollouts.jsonl; none where the file is absent."""
    if not path.is_file():
        return []
    return [_question(record) for record in read_jsonl(path)]


def _question(record: dict[str, Any]) -> RecordedQuestion:
    best_first = sorted(record["outputs"], key=lambda output: -output["reward"])
    outputs = [_output(output) for output in best_first]
    right = sum(output.right for output in outputs)

    question = record["question"]
    asked = f"{question[:QUESTION_LENGTH]} → {record['answer']}"
    summary = f"step {record['step']}: {asked} ({right} of {len(outputs)} right)"
    return RecordedQuestion(summary, question, language_of(question), outputs)


def _output(output: dict[str, Any]) -> Output:
    tokens = output["tokens"]
    # Whether the model wrote each token; the others are what a tool printed, and have no advantage.
    written = output.get("written") or [True] * len(tokens)
    advantages = output.get("advantages") or [0.0] * len(tokens)
    own_advantages: set[float] = set()
    if "advantages" in output:
        pairs = zip(advantages, written, strict=False)
        own_advantages = {value for value, mine in pairs if mine}

    # One advantage for all tokens is said in the summary; colours would say it again.
    step_rewards = {step["end"]: step["reward"] for step in output.get("steps", [])}
    coloured = len(own_advantages) > 1 or bool(step_rewards)
    if coloured or not all(written):
        pieces = list(_pieces(tokens, advantages, written, step_rewards, coloured))
    else:
        pieces = [Piece("plain", output["text"])]

    # The rule says whether an output is right; without one its reward does.
    right = output["parts"].get("rule", output["reward"]) > 0
    return Output(_summary(output, own_advantages), right, pieces)


def _summary(output: dict[str, Any], own_advantages: set[float]) -> str:
    """What is said of an output: its reward, the parts of it, its advantage, how it ended."""
    summary = f"reward {output['reward']:.2f}"

    parts = [f"{name} {value:.2f}" for name, value in output["parts"].items()]
    if len(parts) > 1:
        summary += f" ({', '.join(parts)})"

    if len(own_advantages) == 1:
        (advantage,) = own_advantages
        summary += f", advantage {advantage:+.2f}"

    if output["finish"] == "length":
        summary += ", cut off"
    return summary


def _pieces(
    tokens: list[str],
    advantages: list[float],
    written: list[bool],
    step_rewards: dict[int, float],
    coloured: bool,
) -> Iterator[Piece]:
    """The tokens that the model wrote, one by one if coloured; what a tool printed in one piece."""
    for mine, run in groupby(range(len(tokens)), key=lambda place: written[place]):
        places = list(run)
        text = "".join(tokens[place] for place in places)

        if not mine:
            yield Piece("tool", text)
        elif not coloured:
            yield Piece("plain", text)
        else:
            for place in places:
                advantage = advantages[place]
                strength = STRONGEST * min(abs(advantage) / FULL_COLOUR, 1)
                step_reward = step_rewards.get(place)
                yield Piece("token", tokens[place], advantage, strength, step_reward)
