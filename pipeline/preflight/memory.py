"""The memory that each training takes, against what this machine has (pipeline.memory says how it is predicted)."""

from collections.abc import Sequence
from dataclasses import replace

from pipeline.config.load import Config
from pipeline.memory.card import GIB, Card
from pipeline.memory.judgement import judged
from pipeline.memory.shape import of_folder
from pipeline.memory.stages import Need, needs
from pipeline.preflight.checkpoint import Checkpoint


def needs_of(config: Config, model: Checkpoint, card: Card) -> list[Need]:
    """The needs of all stages; `model` is the coder checkpoint."""
    shape = replace(of_folder(model.folder), counted=model.parameters)
    return needs(config, shape, card)


def warnings_of(found: Sequence[Need], card: Card) -> tuple[list[str], str | None]:
    """Warnings, a line each, and the error if a stage surely cannot run.

    Sure is only what no setting changes: weights, gradients and moments. All else can be made
    smaller.
    """
    largest = max(found, key=lambda need: need.fixed)
    if largest.fixed > card.memory:
        error = (
            f"{largest.stage}: weights, gradients and Adam's moments take {_gib(largest.fixed)}, "
            f"{card.name}: {_gib(card.memory)}; choose a smaller checkpoint or a larger machine"
        )
        return [], error

    warnings = []
    for judgement in judged(list(found), card):
        if not judgement.fits:
            need = judgement.need
            warnings.append(
                f"{need.stage}, {need.moment}: takes about {_gib(need.total)} of {_gib(card.memory)} "
                f"({card.name}); {judgement.advice} (python -m pipeline.memory shows the parts)"
            )
    return warnings, None


def _gib(size: int) -> str:
    return f"{size / GIB:.1f} GiB"
