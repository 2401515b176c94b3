"""The configuration: typed sections whose defaults are the paper's numbers, each with unit and
source.

load.py      a preset with its overlays becomes a checked `Config`; a stage reads its own section
base.py      the base of every section, and the mark of settings that change no result
world.py     where pages, problems and checkpoint come from; the built-in world; prompts
corpus.py    stage 1: extraction, duplicates, classifier, selection, decontamination
pretrain.py  stage 2: the mixture and its training
sft.py       stage 3: fine-tuning
rl.py        stage 4: reward models and reinforcement learning
eval.py      stage 5: evaluation
training.py  what every training has: optimiser, precision, micro-batches, checkpoints
schedule.py  learning rates as pure functions of the step
"""
