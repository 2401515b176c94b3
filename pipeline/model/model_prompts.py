"""How a model wants to be asked: the file `prompts.json` beside its weights.

A model answers well only where it is asked as it was taught. Every training of this project writes
down how that is, and every command that asks a model reads it back and warns when it was told to
ask otherwise:

    {
     "style": "chat",                          or "few-shot", for a model that was never taught to chat
     "modes": ["cot", "pot", "tool"],          how it was evaluated: text, a program, both in turns
     "suffixes": {"cot": {"en": …, "zh": …, "other": {}}, "pot": …, "tool": …},   after the question
     "stop": {"cot": [], "pot": [], "tool": ["```output"]},    strings at which generation ends, besides EOS
     "max_new_tokens": 96,                     longest answer; with tools, longest turn
     "temperature": 0.7,                       of samples for Maj@K and Pass@K; the first answer is greedy
     "tool_rounds": 2,                         turns with the tool
     "shots": 4                                worked examples before a question (style "few-shot")
    }

What is null or missing is not known. The chat template is the tokenizer's (chat_template.jinja);
`max_new_tokens` also stands in generation_config.json, where transformers looks for it.

A model from elsewhere has no such file: it is asked by its own chat template.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, Self

from pydantic import ConfigDict, Field

from pipeline.artifacts.write import read_json, write_json
from pipeline.config.base import Section
from pipeline.config.prompts import Prompts
from pipeline.config.read import read_section
from pipeline.model.chat import OUTPUT_FENCE

FILE = "prompts.json"

Style = Literal["chat", "few-shot"]
Mode = Literal["cot", "pot", "tool"]

STOP: dict[Mode, list[str]] = {"cot": [], "pot": [], "tool": [OUTPUT_FENCE]}
"""Where this project's own models end besides EOS: in the mode `tool` where they ask for an output."""

FROM_EVALUATION = ("modes", "max_new_tokens", "temperature", "tool_rounds", "shots")
"""Settings of section `eval` that a model carries. They are read by name, not by that section's
schema: a change of the latter must train no model again."""


class ModelPrompts(Section):
    """What `prompts.json` holds; see the module's docstring."""

    # A later version may say more than this one knows.
    model_config = ConfigDict(extra="ignore")

    style: Style
    modes: list[Mode] = Field(["cot"], min_length=1)
    suffixes: Prompts | None = None
    stop: dict[Mode, list[str]] = STOP
    max_new_tokens: int | None = Field(None, ge=1)
    temperature: float | None = Field(None, gt=0)
    tool_rounds: int | None = Field(None, ge=1)
    shots: int | None = Field(None, ge=0)

    @classmethod
    def of(
        cls,
        style: Style,
        start: Self | None,
        prompts: Prompts | None,
        evaluation: Mapping[str, object] | None,
    ) -> Self:
        """What a newly trained model carries: the prompts of its run, and of the settings of its
        evaluation (section `eval` as JSON values) those that a model carries.

        Where the run does not say them, the model that the training started from does (`start`).
        """
        known: dict[str, object] = {"style": style}
        if start is not None:
            known = start.model_dump() | known
        if prompts is not None:
            known["suffixes"] = prompts.model_dump()
        if evaluation is not None:
            known |= {name: evaluation[name] for name in FROM_EVALUATION if name in evaluation}

        # Who was never taught to chat cannot use the tool.
        modes = known.get("modes")
        if style == "few-shot" and isinstance(modes, list):
            known["modes"] = [mode for mode in modes if mode != "tool"] or ["cot"]
        return cls.model_validate(known)

    def evaluation(self) -> dict[str, object]:
        """The settings of section `eval` that the model states."""
        values = self.model_dump(include=set(FROM_EVALUATION))
        return {name: value for name, value in values.items() if value is not None}


def carried_by(model: str | Path) -> ModelPrompts | None:
    """What the model in a folder, or on the Hub, says of itself; None where it says nothing."""
    folder = Path(model)
    path = folder / FILE if folder.is_dir() else _fetched(str(model))
    if path is None or not path.is_file():
        return None
    return read_section(path, ModelPrompts)


def _fetched(name: str) -> Path | None:
    """The file of a model on the Hub."""
    from transformers.utils import cached_file

    try:
        found = cached_file(
            name,
            FILE,
            _raise_exceptions_for_missing_entries=False,
            _raise_exceptions_for_connection_errors=False,
            _raise_exceptions_for_gated_repo=False,
        )
    except OSError:
        # No such model: whoever loads its weights says so.
        return None
    return None if found is None else Path(found)


def write_prompts(folder: Path, asking: ModelPrompts) -> None:
    """Write a model's prompts.json, and into its generation_config.json what transformers has a
    field for.

    Stop strings stay out of the latter: `generate` would demand a tokenizer with every call.
    """
    write_json(folder / FILE, asking.model_dump(mode="json"))
    generation = folder / "generation_config.json"
    if asking.max_new_tokens is not None and generation.is_file():
        write_json(generation, read_json(generation) | {"max_new_tokens": asking.max_new_tokens})


# Whose word holds: the command line's, else the model's, else the paper's.


def prompts_for(model: str | Path, given: Path | None) -> Prompts:
    """The suffixes to ask `model` with: those of the file `given` (one line warns where the model
    carries others), else its own, else the paper's.
    """
    carried = carried_by(model)
    own = carried.suffixes if carried is not None else None
    if given is None:
        return own or Prompts()

    prompts = read_section(given, Prompts)
    if carried is not None:
        warn_of(model, suffix_differences(carried, prompts))
    return prompts


def suffix_differences(
    carried: ModelPrompts, prompts: Prompts, modes: Sequence[str] = ("cot", "pot", "tool")
) -> list[str]:
    """In which suffixes `prompts` differs from what a model carries, in words."""
    if carried.suffixes is None:
        return []

    found = []
    for mode in modes:
        own, asked = getattr(carried.suffixes, mode), getattr(prompts, mode)
        for language in ("en", "zh"):
            before, after = getattr(own, language), getattr(asked, language)
            if before != after:
                found.append(f"suffix {mode}.{language} {after!r}, not {before!r}")
    return found


def warn_of(model: str | Path, differences: list[str]) -> None:
    """One line on stderr where a model is asked otherwise than it says."""
    if not differences:
        return
    text = "; ".join(differences)
    print(
        f"warning: {model} is asked otherwise than its {FILE} says: {text}",
        file=sys.stderr,
    )


# Training programs: what the trained model will carry.


def add_evaluation_option(parser: argparse.ArgumentParser) -> None:
    """The option of every training that says how its model will be evaluated."""
    parser.add_argument(
        "--evaluation",
        type=Path,
        help=f"JSON of the section `eval`: modes, tokens and examples for the model's {FILE}; trains nothing",
    )


def read_evaluation(path: Path | None) -> dict[str, object] | None:
    """The values in the file of `--evaluation`, if it was given."""
    return read_json(path) if path is not None else None
