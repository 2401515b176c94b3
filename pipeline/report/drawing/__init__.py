"""Charts as inline SVG. Pages import them from pipeline.report.charts.

marks.py       the drawing itself: elements, colours, markers, legend, accessible name
axes.py        values to pixels, round tick marks
lines.py       lines over steps, with bands and smoothed curves
histograms.py  distributions, alone or over one another
rows.py        bars and intervals, one row a name
"""
