"""Sets of real numbers as sorted, disjoint pieces of the line with open or closed ends.

No formulas here: real_sets.py reads them.
"""

from dataclasses import dataclass
from fractions import Fraction

_BLUR = Fraction(1, 10**50)  # relative; irrational ends are kept to 60 digits


@dataclass(frozen=True, slots=True)
class End:
    """One end of a piece; None is -∞ at the low end, +∞ at the high end, and never closed."""

    value: Fraction | None
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    low: End
    high: End


INFINITE = End(None)
WHOLE_LINE = Piece(INFINITE, INFINITE)


def single_point(value: Fraction) -> Piece:
    end = End(value, closed=True)
    return Piece(end, end)


def same_pieces(first: list[Piece], second: list[Piece]) -> bool:
    """Whether two merged sets have equal pieces with equal ends."""
    if len(first) != len(second):
        return False
    for a, b in zip(first, second, strict=True):
        if not _same_end(a.low, b.low) or not _same_end(a.high, b.high):
            return False
    return True


def _same_end(first: End, second: End) -> bool:
    if first.closed != second.closed:
        return False
    if first.value is None or second.value is None:
        return first.value is second.value

    difference = abs(first.value - second.value)
    size = max(abs(first.value), Fraction(1))
    return difference <= _BLUR * size


# --- the order of ends from left to right


def _low_key(end: End) -> tuple[bool, Fraction, bool]:
    """-∞ first; at one value, a closed end begins before an open one."""
    finite = end.value is not None
    return (finite, end.value or Fraction(0), not end.closed)


def _high_key(end: End) -> tuple[bool, Fraction, bool]:
    """+∞ last; at one value, a closed end reaches further than an open one."""
    infinite = end.value is None
    return (infinite, end.value or Fraction(0), end.closed)


# --- operations


def merged(pieces: list[Piece]) -> list[Piece]:
    """The union of pieces in any order, as sorted pieces that do not touch, without empty ones."""
    result: list[Piece] = []
    for piece in sorted(pieces, key=lambda piece: _low_key(piece.low)):
        if _is_empty(piece):
            continue
        if result and _touch(result[-1].high, piece.low):
            before = result.pop()
            high = max(before.high, piece.high, key=_high_key)
            piece = Piece(before.low, high)
        result.append(piece)
    return result


def _is_empty(piece: Piece) -> bool:
    low, high = piece.low, piece.high
    if low.value is None or high.value is None:
        return False
    if low.value == high.value:  # a point, if both ends belong to it
        return not (low.closed and high.closed)
    return low.value > high.value


def _touch(high: End, low: End) -> bool:
    """Whether a piece ending at `high` leaves no gap to one further right beginning at `low`."""
    if high.value is None or low.value is None:
        return True
    if low.value == high.value:
        return low.closed or high.closed
    return low.value < high.value


def complement(pieces: list[Piece]) -> list[Piece]:
    """What merged pieces leave of the real line."""
    result: list[Piece] = []
    low = INFINITE
    to_the_end = True

    for piece in pieces:
        # A gap is closed where the piece beside it is open.
        if piece.low.value is not None:
            high = End(piece.low.value, not piece.low.closed)
            result.append(Piece(low, high))
        low = End(piece.high.value, not piece.high.closed)
        to_the_end = piece.high.value is not None

    if to_the_end:
        result.append(Piece(low, INFINITE))
    return merged(result)


def intersection(first: list[Piece], second: list[Piece]) -> list[Piece]:
    result: list[Piece] = []
    for a in first:
        for b in second:
            low = max(a.low, b.low, key=_low_key)
            high = min(a.high, b.high, key=_high_key)
            result.append(Piece(low, high))
    return merged(result)
