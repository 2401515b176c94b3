"""Small programs to read, run and change; each runs in well under a minute on a finished mini run.

grade_file.py         compare answers with the gold answers
extract_page.py       an HTML page with formulas to text
own_reward.py         a reward of your own, and how to train with it
own_grpo.py           a normalisation, an aggregation and a KL term of your own
grpo_from_scratch.py  GRPO in sixty lines, built from this project's public functions
another_sampler.py    the RL trainer with another sampling engine
"""
