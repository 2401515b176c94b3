"""Which contexts of which sources make which step of the training: a pure function of seed and
step.

The plan gives each source its share of every step's contexts, rounded so that after any number of
steps each source is within one context of its share. Within a source, contexts come in an order
shuffled anew in each epoch.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(slots=True)
class Plan:
    """`taken[s, k]`: contexts of source k in the first s steps, int64 [steps + 1, sources]."""

    names: list[str]
    windows: list[int]
    """Contexts that each source has."""
    context: int
    """Tokens of a context."""
    taken: np.ndarray
    seed: int

    @property
    def steps(self) -> int:
        return len(self.taken) - 1

    def table(self) -> dict[str, dict[str, float]]:
        """Per source: contexts, tokens, share of all, and epochs over what there is."""
        totals = self.taken[-1]
        table: dict[str, dict[str, float]] = {}
        for name, total, windows in zip(self.names, totals, self.windows, strict=True):
            contexts = int(total)
            share = float(total / totals.sum())
            epochs = float(total / windows)
            table[name] = {
                "contexts": contexts,
                "tokens": contexts * self.context,
                "share": round(share, 6),
                "epochs": round(epochs, 4),
            }
        return table

    def of_step(self, step: int) -> list[tuple[str, int]]:
        """The (source, window) pairs of a step, in the sources' order."""
        pairs = []
        for k, name in enumerate(self.names):
            first = int(self.taken[step, k])
            end = int(self.taken[step + 1, k])
            for n in range(first, end):
                pairs.append((name, self._window(k, n)))
        return pairs

    def _window(self, k: int, n: int) -> int:
        """The window of the n-th context drawn from source k."""
        epoch, place = divmod(n, self.windows[k])
        order = _order(self.seed, k, epoch, self.windows[k])
        return int(order[place])


def plan_mixture(
    weights: dict[str, float],
    windows: dict[str, int],
    *,
    steps: int,
    contexts: int,
    context: int,
    seed: int,
) -> Plan:
    """Spread the sources over `steps` of `contexts` contexts each by largest deficit."""
    names = list(weights)
    total = sum(weights.values())
    shares = np.array([weights[name] for name in names]) / total
    taken = np.zeros((steps + 1, len(names)), dtype=np.int64)

    for step in range(1, steps + 1):
        # What each source should have had by now, less what it got. The small number guards whole
        # ones against rounding: 2.9999999 contexts are three.
        due = shares * step * contexts - taken[step - 1]
        count = np.maximum(np.floor(due + 1e-9), 0).astype(np.int64)

        # The largest remainders get what rounding left over; equal ones go by the order of the
        # sources.
        while rest := contexts - int(count.sum()):
            neediest = np.argsort(-(due - count), kind="stable")
            if rest > 0:
                count[neediest[:rest]] += 1
            else:
                # Sources ahead of their share left the others to claim too much: the least needy
                # gives one back.
                giver = next(k for k in neediest[::-1] if count[k])
                count[giver] -= 1

        taken[step] = taken[step - 1] + count

    return Plan(names, [windows[name] for name in names], context, taken, seed)


_ORDERS: dict[tuple[int, int, int, int], np.ndarray] = {}


def _order(seed: int, source: int, epoch: int, size: int) -> np.ndarray:
    """The permutation of one epoch; the last few are kept, since neighbouring steps share them."""
    key = (seed, source, epoch, size)
    if key not in _ORDERS:
        # That of a source of a trillion tokens takes gigabytes.
        if len(_ORDERS) > 16:
            _ORDERS.clear()
        _ORDERS[key] = np.random.default_rng([seed, source, epoch]).permutation(size)
    return _ORDERS[key]
