"""A verdict on every attempt, by our rules and by those of the public DeepSeekMath evaluation.

judge.py           one verdict for one attempt: by answer, by tests or by proof
isabelle.py        formal proofs, checked where Isabelle is installed
public_rules.py    the public evaluation's general rules
public_tasks.py    its own rules for single benchmarks
graded_samples.py  the rows that are stored: attempts, and attempts with their verdicts
"""
