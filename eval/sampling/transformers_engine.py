"""Models to evaluate, of any architecture: `open_engine(source, batch)` gives something that samples from it.

A Llama (DeepSeek's models are) and its close relatives run in the project's own sampler, everything else that
transformers knows as a causal language model through its own forward pass, a few times slower. On a GPU weights keep
the precision of the checkpoint; `precision` is what they compute in.
"""

import torch

from pipeline.inference.engine import Engine
from pipeline.inference.forward_sampler import sampler_for
from pipeline.model.load import check_tokenizer_fits, load_model, load_tokenizer


def open_engine(source: str, batch: int, precision: str = "auto") -> Engine:
    """An engine for the model folder or Hub id."""
    tokenizer = load_tokenizer(source)
    model = load_model(source, keep_precision=torch.cuda.is_available())
    check_tokenizer_fits(source, model, tokenizer)
    return sampler_for(model, tokenizer, batch, precision)
