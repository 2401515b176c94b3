"""Arms that are settings of the workflow: each is a run of the preset that starts from the seed's shared stages.

Settings of the claim:
    after      the last stage that is taken from the seed's start: world, coder, corpus, base, sft
    model      the model that is evaluated: sft or rl; an arm may name its own
    arms       arm -> settings on top of the preset's. `formats` is no setting of the workflow: it leaves only
               solutions of these formats to fine-tune on. An arm that is only a `model` is that model of the start
    base       settings of all arms
    eval       settings of the evaluation
    tune       one setting -> values: each arm is trained with each of them, and the one with the best greedy
               accuracy on validation problems is evaluated; tune_with: settings of these trials only
"""

from pathlib import Path
from typing import Any

from findings.studies.samples import measures_of
from findings.studies.task import Outcome, Task
from pipeline.artifacts.records import read_jsonl
from pipeline.artifacts.write import read_json, write_jsonl
from pipeline.config.load import merged
from pipeline.errors import UserError

PROGRAMS = ("pretrain.train", "sft.train", "rl.train", "eval.run")

TAKEN_AFTER = {
    "world": "world/problems/manifest.json",
    "coder": "models/coder",
    "corpus": "corpus/final",
    "base": "models/base",
    "sft": "models/sft",
}
"""What an overlay's `from` names for the last stage that is taken."""

REPORTED = ("heldout_greedy_before", "heldout_greedy_after", "kl", "length", "zero_variance_groups")
"""Metrics of a model that stand in the notes."""

Settings = dict[str, Any]


def run(task: Task) -> Outcome:
    wanted = task.settings
    start = task.start(TAKEN_AFTER[wanted["after"]])
    arms: dict[str, Any] = {}
    notes: dict[str, Any] = {}

    for name, given in wanted["arms"].items():
        own = dict(given)
        model = own.pop("model", wanted["model"])
        overlay = arm_settings(task, start, name, own)

        if "tune" in wanted and own:
            overlay, tried = tuned(task, name, overlay, model)
            notes[f"{name}, validation"] = tried
        folder = task.run_arm(name, overlay, f"eval/{model}")
        arms[name] = measures_of(folder / "eval" / model)
        notes[name] = reported(folder / "models" / model)
    return Outcome(arms, notes)


def arm_settings(task: Task, start: Path, arm: str, own: Settings) -> Settings:
    """The overlay of an arm: what all arms have, its own settings, and where it starts."""
    formats = own.pop("formats", None)
    overlay = merged(task.settings.get("base", {}), own)
    overlay["eval"] = merged(overlay.get("eval", {}), task.settings.get("eval", {}))
    overlay["from"] = str(start / TAKEN_AFTER[task.settings["after"]])

    if formats is not None:
        file = task.folder / f"solutions-{arm}.jsonl"
        every = read_jsonl(start / "world" / "solutions.jsonl")
        write_jsonl(file, (solution for solution in every if solution["format"] in formats))
        overlay["sources"] = {"solutions": str(file)}
    return overlay


def tuned(task: Task, arm: str, overlay: Settings, model: str) -> tuple[Settings, Settings]:
    """The overlay with the best value of the tuned setting, and greedy accuracy on validation by value."""
    [(setting, values)] = task.settings["tune"].items()

    found: dict[float, float] = {}
    overlays: dict[float, Settings] = {}
    for value in values:
        chosen = merged(overlay, nested(setting, value))
        trial = merged(chosen, task.settings.get("tune_with", {}))
        folder = task.run_arm(f"{arm}-{value:g}", trial, f"models/{model}")
        metrics = read_json(folder / "models" / model / "manifest.json")["metrics"]
        if "heldout_greedy_after" not in metrics:
            raise UserError(f"{folder}: no accuracy on validation problems to choose {setting} by")
        found[value] = metrics["heldout_greedy_after"]
        overlays[value] = chosen

    # The first of equal values: they stand in rising order.
    best = max(found, key=lambda value: found[value])
    return overlays[best], {"setting": setting, "chosen": best, "tried": found}


def nested(dotted: str, value: object) -> Settings:
    """ "rl.learning_rate" and a value as {"rl": {"learning_rate": value}}."""
    for part in reversed(dotted.split(".")):
        value = {part: value}
    assert isinstance(value, dict)
    return value


def reported(model: Path) -> Settings:
    """Metrics of a finished model that explain its scores."""
    metrics = read_json(model / "manifest.json").get("metrics", {})
    return {name: metrics[name] for name in REPORTED if name in metrics}
