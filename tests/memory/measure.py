"""One training step, or sampling, in a process of its own; prints what it took at most. Started by test_peaks.py.

    python -m tests.memory.measure train '{"hidden": 256, …}' 2048

Memory is the process's own, as the kernel counts it, beyond what it had with all libraries loaded and warm. With
MALLOC_MMAP_THRESHOLD_ the C library gives every large block back at once: the high-water mark is that of live tensors.
"""

import json
import re
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from pipeline.config.training import Optimisation
from pipeline.forward.batches import Row
from pipeline.forward.layout import layout_for
from pipeline.inference.engine import SampleRequest, SamplingSettings
from pipeline.inference.sampler import Sampler
from pipeline.memory.shape import Shape
from pipeline.model.precision import autocast
from pipeline.training.prepare import prepare, recomputing
from pipeline.training.step import adamw, apply_gradients, train_step, weighted_nll
from tests.support.tiny_model import tiny_tokenizer

MICRO_BATCHES = 3


@dataclass(frozen=True, slots=True)
class Measured:
    """Bytes of this process."""

    before: int
    peak: int


def main() -> None:
    what, values, tokens = sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3])
    torch.set_num_threads(1)
    shape = Shape(**values)

    work = {"train": train, "recompute": recompute, "sample": sample}[what]
    small = Shape(64, 128, 2, 4, 4, 16, 512)
    work(small, 64)

    before = resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the high-water mark begins anew
    work(shape, tokens)
    print(json.dumps(asdict(Measured(before, resident("VmHWM")))))


def resident(name: str) -> int:
    """Bytes of this process by the kernel's name."""
    found = re.search(rf"^{name}:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.M)
    assert found
    return int(found[1]) * 1024


def train(shape: Shape, tokens: int) -> None:
    """A step as a processor computes it."""
    model = prepare(llama(shape), Optimisation(precision="fp32")).train()
    optimiser = adamw(model)
    # The first step makes Adam's moments.
    for size in (128, tokens):
        rows = rows_of(shape, size, MICRO_BATCHES)
        train_step(
            model, optimiser, rows, weighted_nll, max_tokens=size, precision="fp32", packed=True
        )


def recompute(shape: Shape, tokens: int) -> None:
    """A step as a GPU computes it: bf16, each layer computed again, gradients added in place."""
    settings = Optimisation(precision="bf16", activation_checkpointing="always")
    model = prepare(llama(shape), settings).train()
    optimiser = adamw(model)
    layout = layout_for(model, packed=True)

    # The first step makes Adam's moments.
    for size in (128, tokens):
        optimiser.zero_grad(set_to_none=True)
        for batch in layout.cut(rows_of(shape, size, 2), size):
            with recomputing(model):
                with autocast("bf16", model):
                    scores = layout.score(model, batch, 1.0)
                weighted_nll(scores, batch.columns).sum().backward()
        apply_gradients(model, optimiser, 1.0)


def sample(shape: Shape, tokens: int) -> None:
    """64 samples of `tokens` tokens for four prompts as long."""
    model = llama(shape).eval()
    sampler = Sampler(model, tiny_tokenizer(), 64)
    draw = np.random.default_rng(0)
    prompts = [draw.integers(0, 250, tokens).tolist() for _ in range(4)]
    settings = SamplingSettings(max_new_tokens=tokens)
    sampler.end_ids = []  # every sample has all its tokens
    sampler.sample(SampleRequest(prompts, 16, settings))


def llama(shape: Shape) -> LlamaForCausalLM:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=shape.vocabulary,
        hidden_size=shape.hidden,
        intermediate_size=shape.intermediate,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.key_value_heads,
        max_position_embeddings=4096,
        tie_word_embeddings=shape.tied,
        bos_token_id=0,
        eos_token_id=1,
    )
    return LlamaForCausalLM(config)


def rows_of(shape: Shape, tokens: int, batches: int) -> list[Row]:
    """Rows of one length that make so many micro-batches of `tokens` tokens."""
    draw = np.random.default_rng(0)
    length = 128
    rows = []
    for _ in range(batches * tokens // length):
        ids = draw.integers(0, shape.vocabulary, length + 1).astype(np.int32)
        weight = np.full(length + 1, 1 / tokens, np.float32)
        rows.append(Row(ids, np.arange(length + 1) > 0, {"weight": weight}))
    return rows


if __name__ == "__main__":
    main()
