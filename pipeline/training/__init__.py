"""Optimiser steps, the loop around them, checkpoints, and what all trainers share.

options.py     the command-line options of every trainer
job.py         a training from its command line to its model folder; what every trainer shares
loop.py        steps, evaluations, checkpoints and metrics of pretraining, fine-tuning and reward models
prepare.py     a loaded model made ready: attention, recomputation, precision, processes
step.py        one optimiser step over micro-batches and processes; RL takes the same
checkpoint.py  the state of a running training, saved whole or sharded, and restored bit for bit
folder_lock.py one training at a time in a folder of such state
stop.py        the signal that a job is about to be ended, answered by a checkpoint
intact.py      whether a checkpoint is what was saved
"""
