"""The sampler: many samples for many prompts, fast, with the exact log-probability of every sampled token.

RL, label making and evaluation use it. A prompt is computed once and shared by its samples; a finished sequence
leaves the batch at once and a waiting one takes its place; memory is allocated once a call.

What a result depends on: the random numbers of a sample depend only on (seed, the question's key, the sample's
index), never on batch size, order, or what else is in the batch. The logits of a sequence do depend on the batch
in their last bits, because a matrix product may sum in another order for another number of rows (about 1e-6 in
fp32): a sample can differ between two batch layouts only where a random number falls that close to the border
between two tokens. The same call on the same machine with the same number of threads gives the same bits.

    sampler = Sampler(model, tokenizer)
    settings = SamplingSettings(temperature=1.0, max_new_tokens=256, seed=1)
    groups = sampler.sample(SampleRequest(prompts, 8, settings, keys=ids))
"""

from collections import deque

import numpy as np
import torch
from torch import Tensor

from pipeline.errors import UserError
from pipeline.inference.decoder import CACHE_BLOCK, WORTH_SHARING, Cache, Decoder, Prompts
from pipeline.inference.engine import Sample, SampleRequest, SamplingSettings
from pipeline.inference.sample_token import choose, uniforms
from pipeline.model.threads import ordered_map

_PREFILL_TOKENS = (
    16_384  # prompts are computed in chunks of at most so many tokens, padding included
)


class Sampler:
    """Samples from a Llama and its tokenizer; `max_batch` sequences are decoded side by side.

    `compiled` compiles the decoder's step (pipeline.inference.decoder): seconds to minutes at its first use, faster
    then.
    """

    def __init__(
        self,
        model,
        tokenizer,
        max_batch: int = 256,
        dtype: torch.dtype | None = None,
        compiled: bool = False,
    ):
        self.decoder = Decoder(model, dtype, compiled)
        self.tokenizer, self.max_batch, self.dtype = tokenizer, max_batch, dtype
        ends = model.generation_config.eos_token_id if model.generation_config is not None else None
        ends = ends if isinstance(ends, list) else [ends]
        self.end_ids = sorted({i for i in [*ends, tokenizer.eos_token_id] if i is not None})
        self._may_end: dict[tuple[str, ...], Tensor] = {}
        self._caches: dict[str, Cache] = {}

    def load(self, model) -> None:
        """Take over the model's current weights (cast once per rollout, not per token)."""
        self.decoder.load(model, self.dtype)

    def sample(self, request: SampleRequest) -> list[list[Sample]]:
        """See `Engine.sample`."""
        prompts = request.prompts
        if any(not len(prompt) for prompt in prompts):
            raise UserError("sampling: a prompt is empty; it needs at least one token")
        keys = request.key_names
        # Products of a small model are not worth splitting: each core takes a part of the questions instead.
        parts = (
            min(torch.get_num_threads(), len(prompts))
            if self.decoder.small and not self.decoder.compiled
            else 1
        )
        order = sorted(range(len(prompts)), key=lambda q: len(prompts[q]))
        results: list[list[Sample]] = [[] for _ in prompts]

        @torch.inference_mode()
        def finish(part: int) -> None:
            mine = order[part::parts]
            chosen = (
                [list(prompts[q]) for q in mine],
                request.samples_per_prompt,
                request.settings,
                [keys[q] for q in mine],
                (request.progress, request.store),
            )
            for question, samples in zip(
                mine, _Run(self, *chosen, part, parts).finish_all(), strict=True
            ):
                results[question] = samples

        deque(
            ordered_map(finish, range(parts)) if parts > 1 else map(finish, range(parts)), maxlen=0
        )
        return results

    def reused_cache(self, use: str, slots: int, positions: int) -> Cache:
        """A cache with at least so many slots; it is kept for the next call, whose size is usually the same."""
        cache = self._caches.get(use)
        if cache is None or cache.keys.shape[1] < slots or cache.positions != positions:
            self._caches[use] = cache = self.decoder.new_cache(slots, positions)
        return cache

    def may_end(self, stops: tuple[str, ...]) -> Tensor:
        """For each token id: could it complete one of the stop strings? (Only then is the text looked at.)"""
        if stops not in self._may_end:
            last = {stop[-1] for stop in stops}
            size = self.decoder.embedding.shape[0]
            texts = self.tokenizer.batch_decode(
                [[i] for i in range(min(size, len(self.tokenizer)))], skip_special_tokens=True
            )
            flags = [bool(last & set(text)) or "\ufffd" in text for text in texts] + [False] * (
                size - len(texts)
            )
            self._may_end[stops] = torch.tensor(flags[:size], device=self.decoder.device)
        return self._may_end[stops]


class _Run:
    """One call of `Sampler.sample`, or the part of it that one core computes.

    Rows 0..active-1 of every array are the sequences in the batch; slots 0..len(questions)-1 of the prompt cache
    hold their prompts. Both stay dense: what ends is overwritten by the last one.
    """

    def __init__(
        self,
        sampler: Sampler,
        prompts,
        per_prompt: int,
        settings: SamplingSettings,
        keys,
        watching,
        part=0,
        parts=1,
    ):
        self.sampler, self.decoder, self.settings = sampler, sampler.decoder, settings
        self.prompts, self.keys, (self.progress, self.kept) = prompts, keys, watching
        self.results: list[list[Sample | None]] = [[None] * per_prompt for _ in prompts]
        self.waiting: deque[tuple[int, int]] = deque()
        # Prompts of similar length run together: less padding, and the cache is read no further than needed.
        for question in sorted(range(len(prompts)), key=lambda q: len(prompts[q])):
            for index in range(per_prompt):
                found = (
                    self.kept.get(keys[question], index, prompts[question]) if self.kept else None
                )
                if found is not None:
                    self._finished(question, index, found)
                elif self._room(question) > 0:
                    self.waiting.append((question, index))
                else:
                    self.results[question][index] = Sample([], [], "length")
        self.slots = max(1, min(-(-sampler.max_batch // parts), len(self.waiting)))
        self.active, self.owners = 0, []
        self.questions: list[int] = []
        self.first_logits: dict[int, Tensor] = {}
        device, new = self.decoder.device, settings.max_new_tokens
        self.cache = sampler.reused_cache(f"own {part}", self.slots, min(new, CACHE_BLOCK))
        longest = max((len(prompts[q]) for q, _ in self.waiting), default=1)
        longest = -(-longest // CACHE_BLOCK) * CACHE_BLOCK
        self.prompt_cache = sampler.reused_cache(
            f"prompts {part}", min(len(prompts), self.slots), longest
        )
        self.layout: Prompts | None = None
        self.ids = torch.zeros(self.slots, new, dtype=torch.long, device=device)
        self.logprobs = torch.zeros(self.slots, new, device=device)
        self.uniforms = torch.zeros(self.slots, new, device=device)
        self.tokens, self.counts, self.limits = (
            torch.zeros(self.slots, dtype=torch.long, device=device) for _ in range(3)
        )
        self.ends = torch.tensor(
            [*sampler.end_ids, *settings.stop_ids], dtype=torch.long, device=device
        )

    def _room(self, question: int) -> int:
        return min(self.settings.max_new_tokens, self.decoder.context - len(self.prompts[question]))

    def finish_all(self) -> list[list[Sample]]:
        while self.waiting or self.active:
            free = self.slots - self.active
            # A prefill costs about a step: wait until an eighth of the slots is free.
            if self.waiting and (
                not self.active or free >= max(1, min(self.slots // 8, len(self.waiting)))
            ):
                self._admit(free)
                continue
            self.layout = self.layout or self._lay_out()
            rows = slice(0, self.active)
            logits = self.decoder.step(
                self.tokens[rows], self.counts[rows] - 1, self.layout, self.cache
            )
            self._choose(logits, rows)
        return self.results

    def _admit(self, free: int) -> None:
        """Give free slots to waiting samples and choose their first token from their prompt's logits."""
        self._drop_prompts()
        taken = [self.waiting.popleft() for _ in range(min(free, len(self.waiting)))]
        self._prefill([q for q in dict.fromkeys(q for q, _ in taken) if q not in self.questions])
        rows = slice(self.active, self.active + len(taken))
        if self.settings.temperature > 0:
            seed, new = self.settings.seed, self.settings.max_new_tokens
            draws = [uniforms(seed, new, self.keys[question], index) for question, index in taken]
            self.uniforms[rows] = torch.from_numpy(np.stack(draws)).to(self.uniforms.device)
        self.limits[rows] = torch.tensor(
            [self._room(question) for question, _ in taken], device=self.limits.device
        )
        self.counts[rows] = 0
        self.owners += taken
        self.active, self.layout = rows.stop, None
        logits = torch.stack([self.first_logits[question] for question, _ in taken])
        started = {question for question, _ in taken} - {q for q, _ in list(self.waiting)[:1]}
        self.first_logits = {q: value for q, value in self.first_logits.items() if q not in started}
        self._choose(logits, rows)

    def _prefill(self, questions: list[int]) -> None:
        """Compute prompts in chunks under the token budget; `questions` come sorted by length."""
        device = self.decoder.device
        for group in self._by_beginning(questions):
            size = max(1, _PREFILL_TOKENS // len(self.prompts[group[-1]]))
            for chunk in (group[start : start + size] for start in range(0, len(group), size)):
                lengths = [len(self.prompts[q]) for q in chunk]
                padded = [
                    self.prompts[q] + [0] * (max(lengths) - n)
                    for q, n in zip(chunk, lengths, strict=True)
                ]
                logits, cache = self.decoder.prefill(
                    torch.tensor(padded, device=device), torch.tensor(lengths, device=device)
                )
                slots, width = (
                    slice(len(self.questions), len(self.questions) + len(chunk)),
                    max(lengths),
                )
                self.prompt_cache.keys[:, slots, :, :width] = cache.keys
                self.prompt_cache.values[:, slots, :, :width] = cache.values
                self.questions += chunk
                self.first_logits.update(zip(chunk, logits, strict=True))

    def _by_beginning(self, questions: list[int]) -> list[list[int]]:
        """Questions whose prompts begin alike (few-shot prompts do, one beginning a language) in groups, to be
        computed together; all others in one group."""
        groups: dict[tuple[int, ...], list[int]] = {}
        for question in questions:
            groups.setdefault(tuple(self.prompts[question][:WORTH_SHARING]), []).append(question)
        alike = [
            group
            for start, group in groups.items()
            if len(group) > 1 and len(start) == WORTH_SHARING
        ]
        grouped = {question for group in alike for question in group}
        rest = [question for question in questions if question not in grouped]
        return [*alike, rest] if rest else alike

    def _drop_prompts(self) -> None:
        """Forget the prompts that no sequence needs any more, and keep the others dense."""
        wanted = {question for question, _ in self.owners} | self.first_logits.keys()
        left = sum(question in wanted for question in self.questions)
        holes = [slot for slot in range(left) if self.questions[slot] not in wanted]
        movers = [
            slot for slot in range(left, len(self.questions)) if self.questions[slot] in wanted
        ]
        if holes:
            self.prompt_cache.move(movers, holes)
            for mover, hole in zip(movers, holes, strict=True):
                self.questions[hole] = self.questions[mover]
        del self.questions[left:]

    def _lay_out(self) -> Prompts:
        """Say which prompt each running sequence has, as the decoder needs it."""
        self._drop_prompts()
        slot_of = {question: slot for slot, question in enumerate(self.questions)}
        counts, place = [0] * len(self.questions), []
        for question, _ in self.owners:
            slot = slot_of[question]
            place.append((slot, counts[slot]))
            counts[slot] += 1
        group, device = max(counts), self.decoder.device
        lengths = torch.tensor([len(self.prompts[q]) for q in self.questions], device=device)
        flat = torch.tensor([slot * group + number for slot, number in place], device=device)
        return Prompts(self.prompt_cache, lengths, flat, group)

    def _choose(self, logits: Tensor, rows: slice) -> None:
        """Sample a token for each of `rows` from its logits, record it, and take out what is finished."""
        at = torch.arange(rows.start, rows.stop, device=logits.device)
        counts = self.counts[rows]
        tokens, logprobs = choose(
            logits, self.uniforms[at, counts], self.settings.temperature, self.settings.top_p
        )
        self.tokens[rows] = tokens
        self.ids[at, counts], self.logprobs[at, counts] = tokens, logprobs
        self.counts[rows] += 1
        ended = torch.isin(tokens, self.ends)
        cut = self.counts[rows] >= self.limits[rows]
        strings = self._stopped_by_string(tokens, rows.start) if self.settings.stop else {}
        done = set((ended | cut).nonzero()[:, 0].tolist()) | strings.keys()
        if not done:
            return
        ended = ended.tolist()
        for row in sorted(done):
            self._record(
                rows.start + row,
                "stop" if ended[row] or row in strings else "length",
                strings.get(row),
            )
        self._compact({rows.start + row for row in done})

    def _stopped_by_string(self, tokens: Tensor, start: int) -> dict[int, str]:
        """Row (counted from `start`) -> the stop string that its text now ends in or holds near its end.

        Special tokens have no text: the name of one is not what the model said.
        """
        stops, found = self.settings.stop, {}
        tail = max(len(stop.encode()) for stop in stops) + 4  # a token is at least one byte
        for row in self.sampler.may_end(stops)[tokens].nonzero()[:, 0].tolist():
            count = int(self.counts[start + row])
            text = self.sampler.tokenizer.decode(
                self.ids[start + row, max(0, count - tail) : count].tolist(),
                skip_special_tokens=True,
            )
            hit = next((stop for stop in stops if stop in text), None)
            if hit is not None:
                found[row] = hit
        return found

    def _record(self, row: int, finish: str, stop: str | None) -> None:
        question, index = self.owners[row]
        count = int(self.counts[row])
        ids, logprobs = self.ids[row, :count].tolist(), self.logprobs[row, :count].tolist()
        sample = Sample(ids, logprobs, finish, stop)
        if self.kept is not None:
            self.kept.keep(self.keys[question], index, self.prompts[question], sample)
        self._finished(question, index, sample)

    def _finished(self, question: int, index: int, sample: Sample) -> None:
        self.results[question][index] = sample
        if self.progress is not None:
            self.progress.add(1)

    def _compact(self, done: set[int]) -> None:
        """Move the last running sequences into the rows of finished ones, so that the batch has no holes."""
        left = self.active - len(done)
        holes = sorted(row for row in done if row < left)
        movers = [row for row in range(left, self.active) if row not in done]
        if holes:
            self.cache.move(movers, holes)
            for array in (
                self.ids,
                self.logprobs,
                self.uniforms,
                self.tokens,
                self.counts,
                self.limits,
            ):
                array[holes] = array[movers]
            for mover, hole in zip(movers, holes, strict=True):
                self.owners[hole] = self.owners[mover]
        del self.owners[left:]
        self.active, self.layout = left, None
