"""Axes: values to pixels, with tick marks at round values."""

from math import ceil, floor, log2, log10

_LEAST_SPAN = 1e-300


class Axis:
    """Values from `low` to `high` to pixels from `start` to `end`.

    The axis ends where its data end; the tick marks lie at round values within.
    """

    def __init__(self, low: float, high: float, start: float, end: float):
        # A single value gets an axis, too, and so do values so close that their difference has no logarithm.
        if high - low < _LEAST_SPAN:
            high = low + (abs(low) or 1.0)
        self.low, self.high, self.start, self.end = low, high, start, end

    def __call__(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self) -> list[float]:
        step = round_step((self.high - self.low) / 5)

        # The small number keeps a bound that is a tick mark, but for rounding, from being lost.
        first = ceil(self.low / step - 1e-9)
        last = floor(self.high / step + 1e-9)
        return [place * step for place in range(first, last + 1)]


class PowersOfTwo(Axis):
    """Powers of two to pixels, evenly spaced."""

    def __init__(self, low: float, high: float, start: float, end: float):
        super().__init__(low, max(high, 2 * low), start, end)

    def __call__(self, value: float) -> float:
        share = log2(value / self.low) / log2(self.high / self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self) -> list[float]:
        doublings = int(log2(self.high / self.low) + 1e-9)
        return [self.low * 2**power for power in range(doublings + 1)]


def round_step(step: float) -> float:
    """The next step up of the series 1, 2, 5, 10, 20, 50 …"""
    power: float = 10 ** floor(log10(step))
    return next(nice * power for nice in (1, 2, 5, 10) if nice * power >= step * 0.999)


def tick_label(value: float) -> str:
    """The short label of a tick mark: 1.5e-4, 0.25, 300, 20k, 1.5M, 2B."""
    size = abs(value)
    if 0 < size < 1e-3:
        digits, _, power = f"{value:.1e}".partition("e")
        return f"{digits.removesuffix('.0')}e{int(power)}"
    for limit, unit, letter in ((1e9, 1e9, "B"), (1e6, 1e6, "M"), (1e4, 1e3, "k")):
        if size >= limit:
            return f"{value / unit:g}{letter}"
    return f"{value:.4g}"
