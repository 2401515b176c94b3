"""Stage 2, continued pretraining: a coder checkpoint and the mined corpus become the base model.

coder.py         the program that checks an existing checkpoint and brings it into the run (existing_checkpoint.py)
tokens.py        the program that tokenises the mixture's sources into memory-mapped shards
train.py         the program that trains on the mixture (its work: continued_training.py)
mixture.py       which context of which source comes in which step
gguf.py          the program that turns a GGUF file into a model folder
token_source.py  the token shards of a source, read as one stream of contexts
held_out.py      bits per byte on held-out texts
"""
