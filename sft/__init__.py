"""Stage 3, supervised fine-tuning: worked solutions of any known data set become the instruct
model.

data.py        the program that gathers, checks and encodes solutions (its work: examples.py)
converters.py  one converter a schema, recognised by the record's fields
checks.py      whether a solution is fit to learn from; runs its programs in the sandbox
train.py       the program that fine-tunes the base model on the examples (its work: fine_tuning.py)
batches.py     which examples make which step
"""
