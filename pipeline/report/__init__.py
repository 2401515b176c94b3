"""Report pages: data and Jinja2 templates become one HTML file that opens offline.

page.py           sections and templates become one page, with style sheets and scripts inlined
number_format.py  numbers as readers see them: counts, shares, decimals
charts.py         charts as inline SVG
drawing/          how they are drawn: marks, axes, lines, histograms, rows
math_html.py      text from the web as HTML, formulas as MathML
templates/        the common layout, macros for tables and figures, and the common style sheet
"""
