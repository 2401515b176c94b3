"""The results report and the numbers behind it.

metrics.py         scores with intervals, Maj@K, Pass@K, two models compared
scores.py          sections about accuracy, comparisons, sampling curves, break-downs, grading
corpus.py          the section about the mined corpus
training.py        sections about pretraining, losses, reinforcement learning
rl_curves.py       RL's curves, and its rewards and lengths at start and end
rollouts.py        the browser of recorded rollouts
language.py        the language of a text by its writing
samples.py         the browser of samples
cost.py            time and memory of stages and jobs
settings.py        the run's settings, and what differs from its preset
provenance.py      commit, date, versions and hardware: recorded, and read again
markdown.py        the main numbers as Markdown
paired.py          two runs on the problems that they share
comparison.py      several runs on one page
lm_eval_format.py  results in the format of lm-evaluation-harness
templates/         a template for each section, and the sample browser's script
"""
