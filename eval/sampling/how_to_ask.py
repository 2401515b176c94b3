"""Settings and prompts of an evaluation: the command line's, else the model's own, else the paper's.

A model folder of this project says how it wants to be asked (pipeline/model/model_prompts.py). Whoever evaluates it
without further options asks it that way; whoever asks otherwise is told so in one line.
"""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.config.eval import Evaluation
from pipeline.config.prompts import Prompts
from pipeline.config.read import read_section
from pipeline.errors import UserError
from pipeline.model.model_prompts import ModelPrompts, carried_by, suffix_differences, warn_of


@dataclass(frozen=True, slots=True)
class HowToAsk:
    """How every problem of a run is put to the model."""

    style: str  # "chat" or "few-shot"
    modes: list[str]
    settings: Evaluation
    prompts: Prompts
    stop: Mapping[str, list[str]]  # strings at which an answer ends, besides those of the mode
    carried: ModelPrompts | None  # what the model says of itself


def how_to_ask(args: argparse.Namespace) -> HowToAsk:
    """From the options of eval.run (model, server, style, mode, config, prompts, samples, limit)."""
    carried = _carried(args)
    style = args.style or (carried.style if carried is not None else "chat")
    without_tool = _why_no_tool(args, style)
    if without_tool and args.mode and "tool" in args.mode:
        raise UserError(f"--mode tool: {without_tool}")

    settings = _settings(args, carried)
    modes = args.mode or [mode for mode in settings.modes if not without_tool or mode != "tool"]

    own = carried.suffixes if carried is not None else None
    prompts = read_section(args.prompts, Prompts) if args.prompts else own or Prompts()
    stop: Mapping[str, list[str]] = {}
    if carried is not None and style == carried.style:
        stop = {mode: list(strings) for mode, strings in carried.stop.items()}

    asking = HowToAsk(style, modes, settings, prompts, stop, carried)
    warn_of(args.model, _differences(asking))
    return asking


def _carried(args: argparse.Namespace) -> ModelPrompts | None:
    """What the model says of itself; a model on a server says nothing unless --tokenizer names its folder."""
    if args.server:
        return carried_by(args.tokenizer) if args.tokenizer else None
    return carried_by(args.model)


def _why_no_tool(args: argparse.Namespace, style: str) -> str:
    """Why the mode tool cannot be had; empty where it can."""
    if style == "few-shot":
        return "needs a model that was taught to use it (--style chat)"
    if args.server and not args.tokenizer:
        return "needs the model's tokenizer, since answers are gone on with in the middle (--tokenizer)"
    return ""


def _settings(args: argparse.Namespace, carried: ModelPrompts | None) -> Evaluation:
    """The settings file, or what the model states, with what the command line says on top, checked together."""
    if args.config:
        given = read_section(args.config, Evaluation).model_dump()
    else:
        given = {"samples": 0} | (carried.evaluation() if carried is not None else {})
    if args.samples is not None:
        given["samples"] = args.samples
    if args.limit is not None:
        given["limit"] = args.limit
    if args.engine is not None:
        given["engine"] = args.engine
    if not args.config:
        # Sampled is what was asked for; without --mode the paper's chain of thought.
        given["modes"] = args.mode or given.get("modes", Evaluation().modes)
        wanted = args.mode or Evaluation().sample_modes
        sampled = [mode for mode in wanted if mode in given["modes"]] or given["modes"]
        given["sample_modes"] = sampled if args.samples else []

    # Named as the option is: the schema's own message would name the field of a file that nobody wrote.
    for name, least in (("samples", 0), ("limit", 1)):
        if given.get(name) is not None and given[name] < least:
            raise UserError(f"--{name} {given[name]}: allowed is {least} or more")
    return Evaluation.model_validate(given)


def _differences(asking: HowToAsk) -> list[str]:
    """Where the run asks otherwise than the model says, in words."""
    carried, settings = asking.carried, asking.settings
    if carried is None:
        return []
    if asking.style != carried.style:
        return [f"style {asking.style}, not {carried.style}"]

    found = [
        f"mode {mode}, not {' or '.join(carried.modes)}"
        for mode in asking.modes
        if mode not in carried.modes
    ]
    compared = ["max_new_tokens"]
    if "tool" in asking.modes:
        compared.append("tool_rounds")
    if settings.samples and settings.sample_modes:
        compared.append("temperature")

    if asking.style == "few-shot":
        compared.append("shots")
    else:
        found += suffix_differences(carried, asking.prompts, asking.modes)

    for name in compared:
        own, asked = getattr(carried, name), getattr(settings, name)
        if own is not None and own != asked:
            found.append(f"{name} {asked}, not {own}")
    return found
