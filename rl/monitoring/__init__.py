"""What is measured while RL runs.

metrics.py         a step's line: rewards, outputs, update, speed, memory
evaluation.py      greedy accuracy on held-out problems
mismatch.py        how far another engine's log-probabilities are from the trainer's
reward_hacking.py  whether a reward model's reward still rises with what the rule finds right
stopwatch.py       seconds of each phase of a step
"""
