"""Evaluate models on benchmarks: sample solutions, grade them, report.

run.py           sample and grade one benchmark with one model
grade.py         grade given answers or solutions
benchmarks.py    read a benchmark by name or file, or fetch it
summary.py       scores of all runs in one JSON file
table.py         these scores as a table on the terminal
paper_tables.py  the paper's tables with our scores beside
report.py        the report page
card.py          a model's card with its scores
tasks/           the benchmarks: declarations, rows, the paper's own results
shots/           worked examples that base models are shown
sampling/        prompts, engines, the tool loop, what is kept between runs
programs/        programs in solutions: found, run, tested
sandbox/         model-written programs in isolation
grading/         whether an answer is right
cases/           structured answers to cases: judged, and rated by simulated experts
verdicts/        a verdict for every kind of benchmark, by our rules and by the public ones
reporting/       metrics, and what the report shows
"""
