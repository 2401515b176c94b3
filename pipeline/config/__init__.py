"""The configuration: typed sections whose defaults are the paper's numbers, each with unit and
source.

load.py      a preset with its overlays becomes a checked `Config`: the whole run
read.py      a stage reads its own section; what a mistake in a section looks like
base.py      the base of every section, and the mark of settings that change no result
world.py     where pages, problems and checkpoint come from; the built-in world
coder.py     the coder checkpoint, where it is trained from scratch
prompts.py   what is added to a question, in each mode and language
corpus.py    stage 1: extraction, duplicates, classifier, selection, decontamination
pretrain.py  stage 2: the mixture and its training
sft.py       stage 3: fine-tuning
rl.py        stage 4: reward models and reinforcement learning
eval.py      stage 5: evaluation
training.py  what every training has: optimiser, precision, micro-batches, checkpoints
schedule.py  learning rates as pure functions of the step
"""
