"""Choosing tokens from logits: the inverse of the cumulative distribution at a given random number."""

import hashlib

import numpy as np
import torch
from torch import Tensor


def uniforms(seed: int, count: int, key: object, index: int) -> np.ndarray:
    """`count` random numbers in [0, 1) of one sample, one for each of its tokens."""
    name = f"{seed}\0{key}\0{index}".encode()
    digest = hashlib.blake2b(name, digest_size=16).digest()

    generator = np.random.Generator(np.random.Philox(key=int.from_bytes(digest, "little")))
    return generator.random(count, dtype=np.float32)


def choose(
    logits: Tensor, uniforms: Tensor, temperature: float, top_p: float
) -> tuple[Tensor, Tensor]:
    """Pick a token in each row of `logits` [n, V]: the inverse of the cumulative distribution at `uniforms` [n].

    Returns tokens [n] and their log-probabilities [n] under the distribution that was sampled from; for temperature 0
    the most probable token and its log-probability at temperature 1. Overwrites `logits`: of a large vocabulary each
    copy would cost as much as the product that made them.
    """
    if temperature == 0:
        tokens = logits.argmax(-1)
        return tokens, logits.log_softmax(-1).gather(-1, tokens[:, None])[:, 0]

    scores = logits
    if temperature != 1:
        scores /= temperature
    scores -= scores.amax(-1, keepdim=True)
    if top_p < 1:
        scores = _nucleus(scores, top_p)

    cumulative = scores.exp().cumsum_(-1)
    total = cumulative[:, -1:]
    # Below the total even after rounding, so that a token of probability 0 at the end is never chosen.
    below_total = torch.nextafter(total, torch.zeros_like(total))
    target = torch.minimum(uniforms[:, None] * total, below_total)

    tokens = torch.searchsorted(cumulative, target, right=True)
    return tokens[:, 0], (scores.gather(-1, tokens) - total.log())[:, 0]


def _nucleus(scores: Tensor, top_p: float) -> Tensor:
    """Set to -inf all but the smallest set of most probable tokens whose probabilities reach top_p."""
    ordered, order = scores.sort(dim=-1, descending=True, stable=True)
    probabilities = ordered.softmax(-1)

    # What is before a token decides, so the one that crosses top_p stays in; the first one always does.
    outside = probabilities.cumsum(-1) - probabilities >= top_p
    outside[:, 0] = False
    return scores.masked_fill(outside.scatter(-1, order, outside), float("-inf"))
