"""The charts that pages draw, by name: inline SVG that follows the page's light and dark colours.

Each function takes plain numbers and returns Markup, NOTHING where there is nothing to draw. Every
chart has a name for screen readers, and labels with units on its axes. How they are drawn stands in
pipeline/report/drawing/.
"""

from pipeline.report.drawing.histograms import score_histogram, shares
from pipeline.report.drawing.lines import Line, line_chart
from pipeline.report.drawing.marks import NOTHING
from pipeline.report.drawing.rows import (
    Growth,
    Interval,
    Stage,
    bar_chart,
    funnel,
    growth,
    interval_chart,
    sizes,
    spark,
)

__all__ = [
    "NOTHING",
    "Growth",
    "Interval",
    "Line",
    "Stage",
    "bar_chart",
    "funnel",
    "growth",
    "interval_chart",
    "line_chart",
    "score_histogram",
    "shares",
    "sizes",
    "spark",
]
