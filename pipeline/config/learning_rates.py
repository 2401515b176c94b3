"""Learning rates where the settings say `auto`: from the size of the checkpoint and of the batch.

The paper's rates are those of its 7B model and its batches. For another size they are scaled as the rates of GPT-3's
models differ (arXiv 2005.14165, Table 2.1), interpolated on logarithmic axes; for a smaller batch by the square root
of the ratio, which keeps Adam's noise alike (arXiv 2205.10287), never for a larger one.

    continued pretraining   1e-4 at 4M tokens    Llemma 7B (arXiv 2310.10631): a released checkpoint, whose rate had
                                                 been decayed; the paper's 4.2e-4 begins before the decay
    fine-tuning             5e-5 at 1M tokens    paper, section 3.2: 256 sequences of 4K
    reward models           2e-5 at 256          paper, section 4.2; its batch is NS
    policy                  1e-6 at 1,024        paper, section 4.2

The built-in world's own coder (`sources.coder: mini`) is trained from scratch and takes preset mini's rates.
"""

import math
import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from pipeline.errors import UserError
from pipeline.preflight.checkpoint import read_checkpoint

AUTO = "auto"
GPT3 = (
    (125e6, 6.0e-4),
    (350e6, 3.0e-4),
    (760e6, 2.5e-4),
    (1.3e9, 2.0e-4),
    (2.7e9, 1.6e-4),
    (6.7e9, 1.2e-4),
    (13e9, 1.0e-4),
    (175e9, 0.6e-4),
)
"""Parameters and learning rate."""
PAPER_PARAMETERS = 6.9e9
_SIZE = re.compile(r"(?<![a-z0-9.])(\d+(?:\.\d+)?)([bm])(?![a-z0-9])", re.IGNORECASE)
"""A size in a model's name, such as 1.3b or 135M."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A setting that may say `auto`."""

    key: str
    at_7b: float
    batch: float
    """Batch of `at_7b`, in the unit of `batch_keys`."""
    batch_keys: tuple[tuple[str, int], ...]
    """Settings whose product is the batch, with their defaults."""
    mini: float
    """Preset mini's, for a model trained from scratch."""


RATES = (
    Rate(
        "pretrain.optimisation.schedule.peak",
        1e-4,
        2**22,
        (("pretrain.batch_tokens", 10_000_000),),
        1e-3,
    ),
    Rate(
        "sft.optimisation.schedule.peak",
        5e-5,
        2**20,
        (("sft.batch_sequences", 256), ("sft.context", 4096)),
        1e-3,
    ),
    Rate("reward.learning_rate", 2e-5, 256, (("reward.batch_solutions", 256),), 1e-3),
    Rate("rl.learning_rate", 1e-6, 1024, (("rl.batch_outputs", 1024),), 1e-4),
)


def with_learning_rates(values: dict[str, Any]) -> dict[str, Any]:
    """The settings with a number for each learning rate that says `auto`.

    Raises UserError where the checkpoint's size cannot be known.
    """
    asked = [rate for rate in RATES if _get(values, rate.key) == AUTO]
    if not asked:
        return values

    coder = _get(values, "sources.coder") or "mini"
    if coder == "mini":
        numbers = {rate.key: rate.mini for rate in asked}
    else:
        size = parameters(str(coder), asked[0].key)
        numbers = {rate.key: scaled(rate, size, _batch(values, rate)) for rate in asked}
    for key, number in numbers.items():
        values = _with(values, key.split("."), number)
    return values


def parameters(coder: str, key: str = "") -> float:
    """Parameters of a checkpoint: of a folder as its weights say, of a Hub id as its name says."""
    if Path(coder).is_dir():
        return read_checkpoint(coder).parameters

    size = _SIZE.search(coder)
    if size is None:
        raise UserError(
            f"{key} = 'auto': the size of sources.coder = {coder!r} is not known before it is here; "
            "give a number, or a folder as sources.coder"
        )
    return float(size[1]) * (1e9 if size[2].lower() == "b" else 1e6)


def scaled(rate: Rate, size: float, batch: float) -> float:
    """The rate for a model of `size` parameters and a batch, to two digits."""
    by_size = gpt3_rate(size) / gpt3_rate(PAPER_PARAMETERS)
    by_batch = min(1.0, math.sqrt(batch / rate.batch))
    return float(f"{rate.at_7b * by_size * by_batch:.1e}")


def gpt3_rate(size: float) -> float:
    """GPT-3's rate at this many parameters, between its models on logarithmic axes; at the ends the
    outermost model's."""
    if size <= GPT3[0][0]:
        return GPT3[0][1]
    for (small, high), (large, low) in pairwise(GPT3):
        if size <= large:
            place = math.log(size / small) / math.log(large / small)
            return high * (low / high) ** place
    return GPT3[-1][1]


def _batch(values: dict[str, Any], rate: Rate) -> float:
    """The batch that the settings ask for; wrong values are reported when they are checked."""
    product = 1.0
    for key, default in rate.batch_keys:
        value = _get(values, key)
        usable = isinstance(value, int | float) and not isinstance(value, bool) and value > 0
        product *= value if usable else default
    return product


def _get(values: Any, key: str) -> Any:
    for name in key.split("."):
        values = values.get(name) if isinstance(values, dict) else None
    return values


def _with(values: dict[str, Any], names: list[str], number: float) -> dict[str, Any]:
    """A copy of the settings with one of them set."""
    first, *rest = names
    inner = number if not rest else _with(values[first], rest, number)
    return {**values, first: inner}
