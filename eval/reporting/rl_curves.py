"""The curves of reinforcement learning, and how rewards and lengths are distributed at its start and
end.
"""

from dataclasses import dataclass
from math import floor, isfinite
from typing import Any

from markupsafe import Markup

from pipeline.report.charts import Line, line_chart, shares
from pipeline.report.drawing.axes import Axis, round_step, tick_label

Lines = list[dict[str, Any]]  # of a metrics.jsonl

BINS = 20  # about so many in a histogram
NOT_REWARDS = ("reward_std", "reward_span", "reward_seconds", "reward_counts")
LEVEL = "heldout_greedy/"


@dataclass(frozen=True, slots=True)
class Panel:
    """A chart: its title, the unit of its y axis, and the metrics drawn (name of the curve -> key)."""

    title: str
    unit: str
    metrics: dict[str, str]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart that is drawn, with what is said under it."""

    title: str
    drawing: Markup
    note: str = ""


OUTCOMES = (
    Panel(
        "Correct outputs",
        "share of the step's outputs",
        {"correct": "right"},
        "As judged by the rule, whichever rewards are in use.",
    ),
    Panel(
        "Held-out accuracy",
        "share of validation problems, greedy",
        {"held-out problems": "heldout_greedy"},
    ),
)
UPDATES = (
    Panel(
        "KL divergence from the reference model",
        "nats per token",
        {"KL": "kl"},
        "The estimate of the paper's Equation 4.",
    ),
    Panel("Entropy", "nats per token", {"entropy": "entropy"}, "Of the tokens that were sampled."),
    Panel("Gradient norm", "L2 norm before clipping", {"gradient norm": "grad_norm"}),
    Panel(
        "Clipped tokens",
        "share of tokens",
        {"ratio too low": "clipped_low", "ratio too high": "clipped_high"},
        "Tokens whose probability ratio left the trust region, so that they give no gradient.",
    ),
    Panel("Response length", "tokens", {"mean": "length", "longest": "length_max"}),
    Panel(
        "Lost outputs",
        "share",
        {"groups without signal": "zero_variance_groups", "outputs cut off": "truncated"},
        "A group whose outputs all earn the same reward gives no gradient.",
    ),
    Panel(
        "Reward models against the rule",
        "probability that a right output beats a wrong one",
        {"outcome model": "agreement_outcome_model", "process model": "agreement_process_model"},
    ),
    Panel("Tool use", "programs per output", {"programs": "tool_calls"}),
    Panel(
        "Time per step",
        "seconds",
        {
            "sampling": "sample_seconds",
            "rewards": "reward_seconds",
            "scoring": "score_seconds",
            "update": "update_seconds",
        },
    ),
)


def curves(lines: Lines, metrics: dict[str, str]) -> list[Line]:
    """A curve for each metric (name of the curve -> key) that a run has."""
    found = []
    for name, metric in metrics.items():
        # Lines of a log hold what was measured at that step, seldom everything.
        points = []
        for line in lines:
            value = line.get(metric)
            if value is not None and "step" in line and isfinite(value):
                points.append((line["step"], value))
        if points:
            found.append(Line(name, points))
    return found


def charts(lines: Lines) -> list[Chart]:
    """All charts for which the run has metrics, in the order in which they are read."""
    panels = (_rewards(lines), _zeros(lines), *OUTCOMES, _levels(lines), *UPDATES)
    found = [_chart(lines, panel) for panel in panels]
    found += distributions(lines)
    return [chart for chart in found if chart.drawing]


def _chart(lines: Lines, panel: Panel) -> Chart:
    drawing = line_chart(curves(lines, panel.metrics), "step", panel.unit)
    return Chart(panel.title, drawing, panel.note)


def reward_names(lines: Lines) -> dict[str, str]:
    """Name of each reward -> the key of its mean in the metrics."""
    found = _keys_after("rewards/", lines)
    if found:
        return found

    # Runs of earlier versions have the built-in rewards only, among other keys that begin so.
    older = _keys_after("reward_", lines)
    return {name: key for name, key in older.items() if key not in NOT_REWARDS}


def _keys_after(beginning: str, lines: Lines) -> dict[str, str]:
    """What follows `beginning` in keys of the metrics -> the key, in the order of appearance."""
    found: dict[str, str] = {}
    for line in lines:
        for key in line:
            if key.startswith(beginning):
                found[key.removeprefix(beginning)] = key
    return found


def _rewards(lines: Lines) -> Panel:
    names = reward_names(lines)
    # A single reward is the total, but for its weight.
    metrics = names if len(names) == 1 else {"weighted sum": "reward", **names}
    return Panel("Rewards", "mean over the step's outputs", metrics)


def _zeros(lines: Lines) -> Panel:
    # Where there is one reward, the share of right outputs says as much.
    zeros = _keys_after("reward_zeros/", lines)
    metrics = zeros if len(zeros) > 1 else {}
    return Panel("Outputs that a reward gave nothing", "share of the step's outputs", metrics)


def _levels(lines: Lines) -> Panel:
    keys = _keys_after(LEVEL, lines)
    metrics = {f"level {level}": keys[level] for level in sorted(keys)}
    return Panel("Held-out accuracy by level", "share of the level's problems, greedy", metrics)


# ---- Histograms ----------------------------------------------------------------------------------
def distributions(lines: Lines) -> list[Chart]:
    """Histograms of rewards and lengths, the first recorded step over the last one."""
    kinds = (
        ("Rewards at the start and at the end", "reward_counts", "reward"),
        ("Lengths at the start and at the end", "length_counts", "tokens per output"),
    )
    found = []
    for title, key, unit in kinds:
        recorded = [line for line in lines if line.get(key)]
        if len(recorded) > 1:
            ends = [(f"step {line['step']}", line[key]) for line in (recorded[0], recorded[-1])]
            found.append(Chart(title, _histogram(ends, unit)))
    return found


@dataclass(frozen=True, slots=True)
class Binned:
    """Histograms with the same bins: `width` wide, the first beginning at `low`."""

    low: float
    width: float
    series: list[tuple[str, list[int]]]


def binned(series: list[tuple[str, dict[str, int]]]) -> Binned:
    """Counts by value ("0.5" -> 12), put into common bins of a round width; NaN and infinity are left
    out."""
    values = [float(value) for _, counts in series for value in counts if isfinite(float(value))]
    if not values:
        return Binned(0.0, 1.0, [(name, [0]) for name, _ in series])
    low, high = min(values), max(values)
    width = round_step((high - low) / BINS) if high > low else 1.0

    def place(value: float) -> int:
        # The small number keeps a value at the edge of a bin, but for rounding, in that bin.
        return floor(value / width + 1e-6)

    first, last = place(low), place(high)
    histograms = []
    for name, counts in series:
        bins = [0] * (last - first + 1)
        for value, count in counts.items():
            if isfinite(float(value)):
                bins[place(float(value)) - first] += count
        histograms.append((name, bins))
    return Binned(first * width, width, histograms)


def _histogram(series: list[tuple[str, dict[str, int]]], unit: str) -> Markup:
    found = binned(series)
    bins = len(found.series[0][1])
    axis = Axis(found.low, found.low + bins * found.width, 0, 1)
    ticks = [(axis(value), tick_label(value)) for value in axis.ticks()]
    return shares(found.series, ticks, unit)
