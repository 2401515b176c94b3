"""The part of the results report about reinforcement learning: its curves, its warnings, and a browser of rollouts."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from pipeline.artifacts.records import read_jsonl
from pipeline.report.page import Html, details, paragraph, tag

RL_CURVES = {
    "Reward": (("reward", "right"), "mean of the step's outputs"),
    "Model reward beside the rule": (
        ("reward_outcome_model", "reward_process_model", "reward_rule"),
        "mean",
    ),
    "Agreement of model reward and rule": (
        ("agreement_outcome_model", "agreement_process_model"),
        "chance that a right output scores above a wrong one",
    ),
    "Held-out accuracy": (("heldout_greedy",), "greedy, share of validation problems"),
    "Distance from the reference": (("kl",), "KL estimate (Equation 4), nats a token"),
    "Entropy": (("entropy",), "nats a token"),
    "Groups without signal": (("zero_variance_groups", "truncated"), "share"),
    "Length": (("length",), "tokens an output"),
    "Tool use": (("tool_calls",), "programs an output"),
    "Seconds of a step": (
        ("sample_seconds", "reward_seconds", "score_seconds", "update_seconds"),
        "seconds",
    ),
}
"""Title -> metrics drawn together and their unit; what a run does not have is left out."""

FULL_COLOUR = 2.0  # advantage, in standard deviations, at which a token's colour is strongest


def warnings_of(lines: list[dict]) -> list[Html]:
    """What the run warned of: a model's reward and the rule going different ways."""
    found = [
        (line["step"], text)
        for line in lines
        for name, text in line.items()
        if name.startswith("warning_")
    ]
    return [tag("p", f"Step {step}: {text}.", class_="bad") for step, text in found]


def rollouts(path: Path) -> list[Html]:
    """A browser of recorded questions: their outputs side by side, with rewards and advantages."""
    if not path.is_file():
        return []
    legend = (
        "Recorded questions with all outputs of their group, best first. Where advantages differ inside an output"
        " (process supervision, PPO) its tokens are coloured by them; pointing at a token shows its number. A bar"
        " behind a token ends a step, with the step's reward. Framed text is what a program printed: the model read it"
        " and is not trained on it."
    )
    parts = [tag("h3", "Rollouts"), paragraph(legend)]
    for record in read_jsonl(path):
        right = sum(
            output["parts"].get("rule", output["reward"]) > 0 for output in record["outputs"]
        )
        outputs = [
            _output(output)
            for output in sorted(record["outputs"], key=lambda output: -output["reward"])
        ]
        asked = f"{record['question'][:110]} → {record['answer']}"
        title = f"step {record['step']}: {asked} ({right} of {len(outputs)} right)"
        parts.append(
            details(title, paragraph(record["question"]), tag("div", *outputs, class_="outputs"))
        )
    return parts


def _output(output: dict) -> Html:
    """One output: its reward and the reward's parts, its advantage where all tokens share one, and the text."""
    written = output.get("written") or [True] * len(output["tokens"])
    values = output.get("advantages") or [0.0] * len(output["tokens"])
    advantages = (
        [value for value, mine in zip(values, written, strict=False) if mine]
        if "advantages" in output
        else []
    )
    steps = {step["end"]: step["reward"] for step in output.get("steps", [])}
    differ = len(set(advantages)) > 1 or steps
    if differ or not all(written):
        body = tag("pre", *_pieces(output["tokens"], values, written, steps, differ))
    else:
        body = tag("pre", output["text"])
    shown = f"reward {output['reward']:.2f}"
    if len(output["parts"]) > 1:
        shown += f" ({', '.join(f'{name} {value:.2f}' for name, value in output['parts'].items())})"
    if advantages and len(set(advantages)) == 1:
        shown += f", advantage {advantages[0]:+.2f}"
    if output["finish"] == "length":
        shown += ", cut off"
    kind = "good" if output["parts"].get("rule", output["reward"]) > 0 else "bad"
    return tag("div", tag("span", shown, class_=kind), body)


def _pieces(
    tokens: list[str],
    values: list[float],
    written: list[bool],
    steps: dict[int, float],
    coloured: bool,
) -> Iterator[Html]:
    """The tokens that the model wrote, coloured where that tells something; what a tool wrote in one frame."""
    for mine, run in groupby(range(len(tokens)), key=lambda place: written[place]):
        places = list(run)
        text = "".join(tokens[place] for place in places)
        if not mine:
            yield tag(
                "span",
                text,
                style="border:1px dashed currentColor",
                title="printed by the program",
                class_="tool",
            )
        elif coloured:
            yield from (_token(tokens[place], values[place], steps.get(place)) for place in places)
        else:
            yield tag("span", text)


def _token(text: str, advantage: float, step_reward: float | None) -> Html:
    strength = min(abs(advantage) / FULL_COLOUR, 1) * 45
    colour = "var(--good)" if advantage > 0 else "var(--bad)"
    style = f"background:color-mix(in srgb, {colour} {strength:.0f}%, transparent)"
    told = f"advantage {advantage:+.2f}"
    if step_reward is not None:
        style, told = (
            f"{style};border-right:3px solid currentColor",
            f"{told}, step reward {step_reward:.2f}",
        )
    return tag("span", text, style=style, title=told)
