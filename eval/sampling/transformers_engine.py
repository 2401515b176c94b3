"""Models to evaluate, of any architecture: `open_engine(source, batch)` gives something that samples from it.

A Llama (DeepSeek's models are) runs in the project's own sampler. Everything else that transformers knows as a causal
language model runs through its forward pass, one token a step, a few times slower; the random numbers and the choice
of tokens are the same. On a GPU weights keep the precision of the checkpoint, on a CPU they are fp32.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from transformers import DynamicCache

from pipeline.errors import UserError
from pipeline.inference.engine import Engine, Sample, SampleRequest, SamplingSettings
from pipeline.inference.sample_token import choose, uniforms
from pipeline.inference.sampler import Sampler
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
    if model.config.model_type == "llama":
        return Sampler(model, tokenizer, max_batch=batch)
    return ForwardSampler(model, tokenizer, batch)


class ForwardSampler:
    """Samples by the model's own forward pass, `max_batch` sequences side by side, padded on the left."""

    def __init__(self, model: torch.nn.Module, tokenizer, max_batch: int):
        self.model, self.tokenizer, self.max_batch = model, tokenizer, max_batch
        self.context = getattr(model.config, "max_position_embeddings", None) or 1 << 30
        ends = model.generation_config.eos_token_id if model.generation_config is not None else None
        self.ends = {
            i
            for i in [*(ends if isinstance(ends, list) else [ends]), tokenizer.eos_token_id]
            if i is not None
        }

    def load(self, model: torch.nn.Module) -> None:
        """Take over another model's weights."""
        self.model = model

    @torch.inference_mode()
    def sample(self, request: SampleRequest) -> list[list[Sample]]:
        """As `pipeline.inference.sampler.Sampler.sample`, whose random numbers these are."""
        prompts, keys, settings = request.prompts, request.key_names, request.settings
        progress, kept = request.progress, request.store
        found: dict[tuple[int, int], Sample] = {}
        order = sorted(range(len(prompts)), key=lambda question: len(prompts[question]))
        waiting = [
            (question, index) for question in order for index in range(request.samples_per_prompt)
        ]
        if kept is not None:
            known = {(q, i): kept.get(keys[q], i, prompts[q]) for q, i in waiting}
            found = {place: sample for place, sample in known.items() if sample is not None}
            waiting = [place for place in waiting if place not in found]
            if progress is not None:
                progress.add(len(found))
        for start in range(0, len(waiting), self.max_batch):
            chosen = waiting[start : start + self.max_batch]
            draws = np.stack(
                [uniforms(settings.seed, settings.max_new_tokens, keys[q], i) for q, i in chosen]
            )

            def finished(row: int, sample: Sample, chosen: list[tuple[int, int]] = chosen) -> None:
                question, index = chosen[row]
                if kept is not None:
                    kept.keep(keys[question], index, prompts[question], sample)

            asked = [list(prompts[q]) for q, _ in chosen]
            samples = self._batch(asked, torch.from_numpy(draws), settings, finished)
            found |= dict(zip(chosen, samples, strict=True))
            if progress is not None:
                progress.add(len(chosen))
        return [
            [found[q, i] for i in range(request.samples_per_prompt)] for q in range(len(prompts))
        ]

    def _batch(
        self,
        prompts: list[list[int]],
        draws: Tensor,
        settings: SamplingSettings,
        finished: Callable[[int, Sample], None],
    ) -> list[Sample]:
        """One sample of each prompt; `finished` is told each as it ends. Ended rows leave the batch when they are half
        of it."""
        samples = [Sample([], [], "length") for _ in prompts]
        rooms = [min(settings.max_new_tokens, self.context - len(prompt)) for prompt in prompts]
        rows = [row for row, room in enumerate(rooms) if room > 0]
        if not rows:
            return samples
        device, width = next(self.model.parameters()).device, max(len(prompts[row]) for row in rows)
        fill = [width - len(prompts[row]) for row in rows]
        ids = torch.tensor(
            [[0] * pad + prompts[row] for pad, row in zip(fill, rows, strict=True)], device=device
        )
        mask = torch.tensor([[0] * pad + [1] * (width - pad) for pad in fill], device=device)
        draws, cache, live = draws.to(device), DynamicCache(config=self.model.config), set(rows)
        while live:
            positions = (mask.cumsum(-1) - 1).clamp(min=0)[:, -ids.shape[1] :]
            logits = self.model(
                input_ids=ids,
                attention_mask=mask,
                position_ids=positions,
                past_key_values=cache,
                use_cache=True,
            ).logits[:, -1]
            numbers = torch.stack(
                [draws[row, min(len(samples[row].ids), draws.shape[1] - 1)] for row in rows]
            )
            tokens, logprobs = choose(logits.float(), numbers, settings.temperature, settings.top_p)
            for row, token, logprob in zip(rows, tokens.tolist(), logprobs.tolist(), strict=True):
                if row in live and self._take(samples[row], token, logprob, rooms[row], settings):
                    live.discard(row)
                    finished(row, samples[row])
            ids, mask = tokens[:, None], torch.cat([mask, mask.new_ones(len(rows), 1)], -1)
            if 2 * len(live) <= len(rows) and live:
                kept = torch.tensor(
                    [place for place, row in enumerate(rows) if row in live], device=device
                )
                cache.batch_select_indices(kept)
                ids, mask, rows = ids[kept], mask[kept], [row for row in rows if row in live]
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
            tail = (
                max(len(stop.encode()) for stop in settings.stop) + 4
            )  # a token is at least one byte
            text = self.tokenizer.decode(sample.ids[-tail:], skip_special_tokens=True)
            sample.stop = next((stop for stop in settings.stop if stop in text), None)
            if sample.stop is not None:
                sample.finish = "stop"
                return True
        return len(sample.ids) >= room
