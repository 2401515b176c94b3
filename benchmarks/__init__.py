"""Measurements of speed, accuracy and memory, run by `make bench`; no other package imports them.

corpus.py      extraction, formulas, signatures, decontamination, scoring
leaks.py       edited copies, translations and innocent pages: what the search for benchmark problems finds
crawl.py       a whole crawl: the real DAG on 1, 10 and 100 nodes, simulated from measured rates
single_steps.py  what its steps that see all ids cost
grading.py     the grader: agreement with labels, speed, worst inputs
sandbox.py     the sandbox: speed, hostile programs, leaks over a long run
training.py    a training step beside transformers' Trainer; what continued pretraining gains (training_speed.py)
model_folders.py  our model folders in the oldest and the newest promised release of transformers
faults.py      faults of disks and processes thrown at every command of a smoke run (tests/faults)
rl.py          a GRPO step beside TRL, the sampler, memory of PPO and GRPO (rl_speed.py)
rl_methods.py  accuracy of all RL methods (rl_variants.py) at equal numbers of outputs (`benchmarks.rl methods`)
grpo.py        our GRPO step for the harness that compares trainers
medicine.py    the medical world: biased raters, poor reward models, variants, memory, a changed guideline
code.py        how dense the code is, how much of it is comments and blank lines
"""
