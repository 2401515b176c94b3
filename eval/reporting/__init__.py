"""The results report, section by section, and the numbers in it.

metrics.py         accuracy, Maj@K and Pass@K with 95 % intervals
scores.py          tables and charts of what the models reach
training.py        curves of all trainings, and what each job cost
samples.py         samples with their verdicts, for a browser with search and filters
rollouts.py        rollouts of RL with each token's advantage
corpus.py          the corpus in short, with a link to its own report
lm_eval_format.py  scores as lm-evaluation-harness writes them
"""
