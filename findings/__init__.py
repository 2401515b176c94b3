"""The findings ledger: which claims of the paper hold here, with intervals.

claims.yaml     the claims, their comparisons and thresholds, declared before any run
claims.py       reads them
run.py          the command that runs one seed of one claim and writes its evidence
studies/        what a seed of each kind of study does
evidence.py     the result of one seed, a small JSON file; evidence/<preset>/<claim>/ holds those that are committed
statistics.py   from evidence to intervals, verdicts and power
ledger.py       a row a claim
page.py         the report as a page, and as Markdown for docs/findings.md
report.py       the command that writes them
"""
