"""The results report and the numbers behind it.

metrics.py         scores with intervals, Maj@K, Pass@K, two models compared
scores.py          sections about accuracy, comparisons, sampling curves, break-downs, grading
corpus.py          the section about the mined corpus
training.py        sections about pretraining, losses, reinforcement learning, time, settings
rollouts.py        RL's curves and warnings, and the browser of recorded rollouts
samples.py         the browser of samples
lm_eval_format.py  results in the format of lm-evaluation-harness
templates/         a template for each section, and the sample browser's script
"""
