"""What all stages share: settings, artifacts, models, training, sampling and report pages.

config/       the typed configuration, its defaults the paper's numbers
artifacts/    files that stages pass on: atomic writes, digests, resumable state
model/        loading and saving, the chat template, processes and threads
forward/      rows of tokens as micro-batches, and their log-probabilities
training/     the optimiser step, the loop around it, checkpoints, what trainers share
inference/    sampling on small machines, and the protocol of other engines
report/       pages, charts and formulas in HTML
workflow.py   what the Snakefile and the rules need
progress.py   progress that a person can read, on a terminal and in a log
errors.py     errors that a person can act on, and exit statuses
"""
