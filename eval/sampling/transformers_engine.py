"""Models to evaluate, of any architecture: `open_engine(source, batch)` gives something that samples from it.

A Llama (DeepSeek's models are) and its close relatives run in the project's own sampler, everything else that
transformers knows as a causal language model through its own forward pass, a few times slower. On a GPU weights keep
the precision of the checkpoint, on a CPU they are fp32.
"""

import torch

from pipeline.errors import UserError
from pipeline.inference.engine import Engine
from pipeline.inference.forward_sampler import sampler_for
from pipeline.model.load import load_model, load_tokenizer


def open_engine(source: str, batch: int, chat: bool) -> Engine:
    """An engine for the model folder or Hub id; `chat`: its tokenizer must know a chat format, or get ours."""
    tokenizer = load_tokenizer(source, needs_bos=False)
    if chat and tokenizer.bos_token_id is None and "bos_token" in tokenizer.chat_template:
        raise UserError(
            f"--model {source}: its tokenizer has no chat template, and no beginning-of-sentence token for ours; "
            "--style few-shot evaluates it"
        )
    model = load_model(source, keep_precision=torch.cuda.is_available())
    return sampler_for(model, tokenizer, max_batch=batch)
