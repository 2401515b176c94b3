"""What one seed of a study does. Each module has `PROGRAMS`, whose code decides the outcome, and `run(task)`.

task.py           a seed of a claim: its settings, its folder, and runs of the workflow with other settings
samples.py        evaluated samples as values for each problem

mining_rounds.py  recall and precision of the corpus by round
leak_removal.py   planted benchmark problems: which copies are removed
leak_doses.py     what leaked problems gain
corpora.py        base models from other corpora, fine-tuned alike
runs.py           arms that are settings of the workflow: fine-tuning and RL
ppo_memory.py     memory of PPO and GRPO
"""
