"""The corpus report: numbers counted from a run's tables, and the page that shows them.

schema.py     what reports/corpus.json holds
data.py       a run's tables as DuckDB views; from records to pages, contents, duplicates, leaks
rounds.py     the mining rounds: growth, classifier, score histograms, domains, URL prefixes
context.py    what surrounds the numbers: cost, settings, recall and precision against ground truth
samples.py    sample pages, drawn by hash
page.py       the numbers as sections of an HTML page
templates/    a template for each section, and the page's style sheet
"""
