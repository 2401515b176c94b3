"""Models to evaluate, of any architecture: `open_engine(source, settings)` gives something that samples from it.

With the engine `own` a Llama (DeepSeek's models are) and its close relatives run in the project's own sampler,
everything else that transformers knows as a causal language model through its own forward pass, a few times slower. On
a GPU weights keep the precision of the checkpoint; `precision` is what they compute in. With the engine `vllm` vLLM
samples (docs/models.md).
"""

import torch

from pipeline.config.eval import Evaluation
from pipeline.inference.engine import Engine
from pipeline.inference.forward_sampler import sampler_for
from pipeline.inference.vllm_engine import VLLMEngine
from pipeline.model.load import check_tokenizer_fits, load_model, load_tokenizer


def open_engine(source: str, settings: Evaluation) -> Engine:
    """The engine that the settings choose, for the model folder or Hub id."""
    tokenizer = load_tokenizer(source)
    if settings.engine == "vllm":
        return VLLMEngine.of_source(
            source, tokenizer, settings.vllm, settings.batch, settings.precision
        )

    model = load_model(source, keep_precision=torch.cuda.is_available())
    check_tokenizer_fits(source, model, tokenizer)
    return sampler_for(model, tokenizer, settings.batch, settings.precision)
