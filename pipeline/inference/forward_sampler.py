"""Samples from any causal language model by its own forward pass, one token a step.

Slower than pipeline.inference.sampler, a few times for short prompts: each sample reads its own prompt, and every
step runs transformers' modules. The random numbers, the choice of tokens and the exact log-probabilities are the same.

    sampler = ForwardSampler(model, tokenizer, max_batch=32)
    groups = sampler.sample(SampleRequest(prompts, 8, settings, keys=ids))
"""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel

from pipeline.errors import UserError
from pipeline.inference.decoder import supports
from pipeline.inference.engine import Engine, Sample, SampleRequest, SamplingSettings
from pipeline.inference.sample_token import choose, uniforms
from pipeline.inference.sampler import Sampler
from pipeline.model import distributed
from pipeline.model.precision import autocast, computes_in_bf16

_UNBOUNDED = 1 << 30  # context of a model that states none

# A token is at least one byte; a few more for a character that is not complete yet.
_SPARE_TOKENS = 4


class ForwardSampler:
    """Samples by the model's own forward pass, `max_batch` sequences side by side, padded on the left.

    `precision` is what it computes in ("fp32", "bf16" or "auto"); weights keep their type. Raises UserError for a
    model whose weights are shared out over processes: each would wait for the others' weights at every token.
    """

    def __init__(self, model: Any, tokenizer: Any, max_batch: int, precision: str = "fp32") -> None:
        self.load(model)
        self.precision = precision
        self.tokenizer = tokenizer
        self.max_batch = max_batch
        self.context = getattr(model.config, "max_position_embeddings", None) or _UNBOUNDED

        # A generation config names one end token or several (Llama 3).
        ends = model.generation_config.eos_token_id if model.generation_config is not None else None
        ends = ends if isinstance(ends, list) else [ends]
        self.ends = {end for end in [*ends, tokenizer.eos_token_id] if end is not None}

    def load(self, model: torch.nn.Module) -> None:
        """Take over another model's weights."""
        if distributed.is_sharded(model):
            raise UserError(
                "sampling: a model of this architecture cannot be shared out over processes while it samples; "
                "set distribution: replicate"
            )
        self.model: Any = model

    def sleep(self) -> None:
        """Nothing to give back: a batch's cache goes with the batch."""

    @torch.inference_mode()
    def sample(self, request: SampleRequest) -> list[list[Sample]]:
        """As `pipeline.inference.sampler.Sampler.sample`, whose random numbers these are."""
        prompts, keys, settings = request.prompts, request.key_names, request.settings
        progress, store = request.progress, request.store

        # Samples by prompt and number. Short prompts first: those of a batch should be of one length.
        found: dict[tuple[int, int], Sample] = {}
        waiting: list[tuple[int, int]] = []
        for question in sorted(range(len(prompts)), key=lambda question: len(prompts[question])):
            for index in range(request.samples_per_prompt):
                stored = None
                if store is not None:
                    stored = store.get(keys[question], index, prompts[question])
                if stored is not None:
                    found[question, index] = stored
                else:
                    waiting.append((question, index))
        if store is not None and progress is not None:
            progress.add(len(found))

        for start in range(0, len(waiting), self.max_batch):
            batch = waiting[start : start + self.max_batch]
            draws = np.stack(
                [
                    uniforms(
                        settings.seed,
                        settings.max_new_tokens,
                        keys[question],
                        request.index_of(question, index),
                    )
                    for question, index in batch
                ]
            )

            def finished(row: int, sample: Sample, batch: list[tuple[int, int]] = batch) -> None:
                question, index = batch[row]
                if store is not None:
                    store.keep(keys[question], index, prompts[question], sample)

            batch_prompts = [list(prompts[question]) for question, _ in batch]
            samples = self._batch(batch_prompts, torch.from_numpy(draws), settings, finished)
            found |= dict(zip(batch, samples, strict=True))
            if progress is not None:
                progress.add(len(batch))

        return [
            [found[question, index] for index in range(request.samples_per_prompt)]
            for question in range(len(prompts))
        ]

    def _batch(
        self,
        prompts: list[list[int]],
        draws: Tensor,
        settings: SamplingSettings,
        finished: Callable[[int, Sample], None],
    ) -> list[Sample]:
        """One sample of each prompt; `draws` [prompts, max_new_tokens]: the uniform numbers of each.

        `finished` is told each sample as it ends. Ended rows leave the batch when they are half of it.
        """
        samples = [Sample([], [], "length") for _ in prompts]
        rooms = [min(settings.max_new_tokens, self.context - len(prompt)) for prompt in prompts]
        rows = [
            row for row, room in enumerate(rooms) if room > 0
        ]  # the batch, by place in `prompts`
        if not rows:
            return samples

        device = next(self.model.parameters()).device
        width = max(len(prompts[row]) for row in rows)
        padding = [width - len(prompts[row]) for row in rows]
        padded = [[0] * pad + prompts[row] for pad, row in zip(padding, rows, strict=True)]
        input_ids = torch.tensor(padded, device=device)
        attention_mask = torch.tensor(
            [[0] * pad + [1] * (width - pad) for pad in padding], device=device
        )
        draws = draws.to(device)
        cache = DynamicCache(config=self.model.config)
        live = set(rows)

        while live:
            # Positions count real tokens only; after the first step input_ids are one column.
            positions = (attention_mask.cumsum(-1) - 1).clamp(min=0)[:, -input_ids.shape[1] :]
            with autocast(self.precision, self.model):
                logits = self.model(
                    input_ids=input_ids,
                    attention_mask=attention_mask,
                    position_ids=positions,
                    past_key_values=cache,
                    use_cache=True,
                    logits_to_keep=1,
                ).logits[:, -1]

            # Rows that have ended are still computed, with their last number.
            last = draws.shape[1] - 1
            numbers = torch.stack([draws[row, min(len(samples[row].ids), last)] for row in rows])
            tokens, logprobs = choose(logits.float(), numbers, settings.temperature, settings.top_p)
            for row, token, logprob in zip(rows, tokens.tolist(), logprobs.tolist(), strict=True):
                if row in live and self._take(samples[row], token, logprob, rooms[row], settings):
                    live.discard(row)
                    finished(row, samples[row])

            input_ids = tokens[:, None]
            attention_mask = torch.cat([attention_mask, attention_mask.new_ones(len(rows), 1)], -1)

            if live and 2 * len(live) <= len(rows):
                places = [place for place, row in enumerate(rows) if row in live]
                kept = torch.tensor(places, device=device)
                cache.batch_select_indices(kept)
                input_ids, attention_mask = input_ids[kept], attention_mask[kept]
                rows = [row for row in rows if row in live]

        return samples

    def _take(
        self, sample: Sample, token: int, logprob: float, room: int, settings: SamplingSettings
    ) -> bool:
        """Add a token; whether the sample is finished."""
        sample.ids.append(token)
        sample.logprobs.append(logprob)

        if token in self.ends or token in settings.stop_ids:
            sample.finish = "stop"
            return True

        if settings.stop:
            longest = max(len(stop.encode()) for stop in settings.stop)
            tail = sample.ids[-(longest + _SPARE_TOKENS) :]
            text = self.tokenizer.decode(tail, skip_special_tokens=True)
            sample.stop = next((stop for stop in settings.stop if stop in text), None)
            if sample.stop is not None:
                sample.finish = "stop"
                return True

        return len(sample.ids) >= room


def sampler_for(
    model: PreTrainedModel,
    tokenizer: Any,
    max_batch: int,
    precision: str = "fp32",
    compiled: bool = False,
) -> Engine:
    """The faster sampler that knows the model's architecture; says so on stderr where it is the slower one.

    `compiled` concerns the project's own decoder only.
    """
    if supports(model.config):
        dtype = torch.bfloat16 if computes_in_bf16(precision, model) else None
        return Sampler(model, tokenizer, max_batch, dtype, compiled)

    kind = model.config.model_type
    print(f"sampling: {kind} runs through transformers' own forward pass, slower", file=sys.stderr)
    return ForwardSampler(model, tokenizer, max_batch, precision)
