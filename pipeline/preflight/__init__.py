"""What can be checked in the first minute, before any job: the user's own files and checkpoint.

    checkpoint   what config.json, the tokenizer and the headers of the weights say; no torch
    inputs       names, dates and first lines of the user's files
    memory       what a training takes, against what there is
    check        all of it, one line each
    run_lock     a lock of Snakemake's that a killed run left behind

Everything here reads beginnings and headers only: a second for files of usual size.
"""
