"""What every stage shares: configuration, files, models, the forward pass, training, sampling, pages.

config/         the schema, whose defaults are the paper's numbers, and presets read into it
artifacts/      files that are whole or absent, manifests, digests of code and inputs
model/          models on disk, in conversation, on several processes
forward/        log-probabilities of rows of tokens, with gradients
training/       the optimiser step, the loop around it, checkpoints
inference/      sampling
memory/         what each stage takes on a card, predicted (python -m pipeline.memory)
report/         pages that are one file and open offline
workflow.py     what the Snakefile and the rules need: the typed configuration, jobs' environment, code digests
verify.py       a run's files against its manifests, every byte
notice.py       what every report and card must say first
errors.py       a user's mistake: one line and exit code 2
progress.py     the bar on the terminal
"""
