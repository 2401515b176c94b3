"""How much memory each stage takes on a card or processor, by arithmetic, and what to change where it is too much.

    python -m pipeline.memory --config preset=gpu

shape.py      sizes of a model: of a folder, of the coder that is made here, or of a known name
card.py       what there is to compute in: a GPU or a processor, its memory, how many processes share a model
layers.py     what one forward and backward pass takes, by tokens
stages.py     every stage's moments, part by part: weights, gradients, moments, reference, cache, activations, logits
judgement.py  which stages do not fit, and which setting helps

No torch is loaded: the checks before a run use it too (pipeline/preflight/memory.py).
"""
