"""Whether a model computes in fp32 or in bf16 here: as the settings say, or whichever is faster.

`auto` measures a product once in each precision. Neither a processor's name nor its flags tell: AMX and AVX512-BF16
multiply bf16 at two to eight times the speed of fp32, while processors without them emulate it, several times slower.
"""

import functools
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import torch

PRECISIONS = ("auto", "fp32", "bf16")

WORTH_SWITCHING = 1.2
"""Speed of bf16 over fp32 from which on `auto` takes it: casts and the other operations gain nothing."""

SMALL = 2**24
"""Parameters below which `auto` stays with fp32 on a processor: so small a model waits for everything but its products,
and its results are the same on every machine then."""


def computes_in_bf16(precision: str, model: torch.nn.Module) -> bool:
    """What "bf16", "fp32" or "auto" means for this model on this machine."""
    if precision != "auto":
        return precision == "bf16"

    # A model that is about to be sharded is not on the GPU yet.
    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if sum(parameter.numel() for parameter in model.parameters()) < SMALL:
        return False
    return bf16_speedup() >= WORTH_SWITCHING


def autocast(precision: str, model: torch.nn.Module) -> AbstractContextManager:
    """The context in which a forward pass of `model` computes in "bf16", "fp32" or "auto"."""
    if not computes_in_bf16(precision, model):
        return nullcontext()
    device = next(model.parameters()).device
    return torch.autocast(device.type, dtype=torch.bfloat16)


@functools.cache
def bf16_speedup() -> float:
    """How many times faster this processor multiplies in bf16 than in fp32; measured once, in a tenth of a second."""
    # The size of a layer's product in a model of some hundred million parameters.
    x, weight = torch.ones(256, 1024), torch.ones(1024, 1024)
    speedup = _seconds(x, weight) / _seconds(x.bfloat16(), weight.bfloat16())

    chosen = "bf16" if speedup >= WORTH_SWITCHING else "fp32"
    print(
        f"precision auto: this processor multiplies bf16 {speedup:.1f} times as fast as fp32; {chosen} is taken",
        file=sys.stderr,
    )
    return speedup


def _seconds(x: torch.Tensor, weight: torch.Tensor) -> float:
    """The least time of a few products: other programs can only make it longer."""

    def timed(function: Callable[[], torch.Tensor]) -> float:
        start = time.perf_counter()
        function()
        return time.perf_counter() - start

    with torch.no_grad():
        return min(timed(lambda: torch.nn.functional.linear(x, weight)) for _ in range(8))
