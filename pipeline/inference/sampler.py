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
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedModel

from pipeline.errors import UserError
from pipeline.inference.decoder import (
    CACHE_BLOCK,
    ROWS_BLOCK,
    WORTH_SHARING,
    Cache,
    Decoder,
    Prompts,
)
from pipeline.inference.engine import Sample, SampleRequest
from pipeline.inference.sample_token import choose, uniforms
from pipeline.model.free_memory import free_memory
from pipeline.model.threads import ordered_map

PREFILL_TOKENS = 16_384
"""Prompts are computed in chunks of at most so many tokens, padding included."""

CACHE_SHARE = 0.8
"""Share of an accelerator's free memory that caches may take; the rest is for what a step computes."""


class Sampler:
    """Samples from a Llama and its tokenizer; `max_batch` sequences are decoded side by side.

    `compiled` compiles the decoder's step (pipeline.inference.decoder): seconds to minutes at its first use, faster
    then.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: Any,
        max_batch: int = 256,
        dtype: torch.dtype | None = None,
        compiled: bool = False,
    ):
        self.model = model
        self.decoder = Decoder(model, dtype, compiled)
        self.tokenizer, self.max_batch, self.dtype = tokenizer, max_batch, dtype

        ends = model.generation_config.eos_token_id if model.generation_config is not None else None
        end_ids = [*(ends if isinstance(ends, list) else [ends]), tokenizer.eos_token_id]
        self.end_ids = sorted({i for i in end_ids if i is not None})

        self._may_end: dict[tuple[str, ...], Tensor] = {}
        self._caches: dict[str, Cache] = {}

    def load(self, model: PreTrainedModel) -> None:
        """Take over the model's current weights (cast once per rollout, not per token)."""
        self.model = model
        self.decoder.load(model, self.dtype)

    def sleep(self) -> None:
        """Give back the caches and weights of a GPU. A processor keeps them: its memory is not what an update lacks."""
        if self.decoder.device.type != "cpu":
            self._caches.clear()
            self.decoder.release()

    def sample(self, request: SampleRequest) -> list[list[Sample]]:
        """See `Engine.sample`."""
        prompts, keys = request.prompts, request.key_names
        if any(not len(prompt) for prompt in prompts):
            raise UserError("sampling: a prompt is empty; it needs at least one token")
        if self.decoder.is_released:
            self.load(self.model)

        # Products of a small model are not worth splitting: each core takes a part of the questions instead.
        parts = 1
        if self.decoder.small and not self.decoder.compiled:
            parts = min(torch.get_num_threads(), len(prompts))

        by_length = sorted(range(len(prompts)), key=lambda question: len(prompts[question]))
        results: list[list[Sample]] = [[] for _ in prompts]

        @torch.inference_mode()
        def sample_part(part: int) -> None:
            mine = by_length[part::parts]
            asked = replace(
                request,
                prompts=[list(prompts[q]) for q in mine],
                keys=[keys[q] for q in mine],
                first_indices=[request.index_of(q, 0) for q in mine],
            )
            groups = _Run(self, asked, part, parts).finish_all()
            for question, samples in zip(mine, groups, strict=True):
                results[question] = samples

        if parts == 1:
            sample_part(0)
        else:
            deque(ordered_map(sample_part, range(parts)), maxlen=0)
        return results

    def slots_that_fit(self, prompt: int, new: int) -> int:
        """Sequences of `prompt` and `new` tokens at most whose keys and values fit into free memory, or `max_batch`.

        A prompt is counted for every sequence; the chunk in which prompts are computed is counted too. Caches come in
        blocks of ROWS_BLOCK sequences: there is always one.
        """
        free = free_memory(self.decoder.device)
        if free is None:
            return self.max_batch

        of_token = self.decoder.bytes_per_token
        budget = CACHE_SHARE * free - of_token * max(PREFILL_TOKENS, prompt)
        blocks = int(budget // (of_token * (prompt + new) * ROWS_BLOCK))
        return min(self.max_batch, max(1, blocks) * ROWS_BLOCK)

    def reused_cache(self, use: str, slots: int, positions: int) -> Cache:
        """A cache with at least so many slots; it is kept for the next call, whose size is usually the same."""
        cache = self._caches.get(use)
        if cache is None or cache.slots < slots or cache.positions != positions:
            self._caches[use] = cache = self.decoder.new_cache(slots, positions)
        return cache

    def may_end(self, stops: tuple[str, ...]) -> Tensor:
        """For each token id, bool: could it complete one of the stop strings? (Only then is the text looked at.)"""
        if stops not in self._may_end:
            last_characters = {stop[-1] for stop in stops}
            size = self.decoder.embedding.shape[0]
            known = min(size, len(self.tokenizer))
            texts = self.tokenizer.batch_decode(
                [[i] for i in range(known)], skip_special_tokens=True
            )

            # A token that holds a part of a character decodes to U+FFFD: it may end anything.
            flags = [bool(last_characters & set(text)) or "\ufffd" in text for text in texts]
            flags += [False] * (size - len(flags))
            self._may_end[stops] = torch.tensor(flags, device=self.decoder.device)
        return self._may_end[stops]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One sample to be made: sample `index` of prompt `question`."""

    question: int
    index: int


class _Run:
    """One call of `Sampler.sample`, or the part of it that one core computes.

    Rows 0..active-1 of every array are the sequences in the batch; slots 0..len(questions)-1 of the prompt cache
    hold their prompts. Both stay dense: what ends is overwritten by the last one.
    """

    def __init__(self, sampler: Sampler, request: SampleRequest, part: int, parts: int):
        self.sampler, self.decoder = sampler, sampler.decoder
        self.request, self.settings = request, request.settings
        self.prompts = [list(prompt) for prompt in request.prompts]
        self.keys = request.key_names

        self.results: dict[_Wanted, Sample] = {}
        self.waiting: deque[_Wanted] = deque()
        self._queue()

        new = -(-self.settings.max_new_tokens // CACHE_BLOCK) * CACHE_BLOCK
        longest = max((len(self.prompts[one.question]) for one in self.waiting), default=1)
        longest = -(-longest // CACHE_BLOCK) * CACHE_BLOCK
        most = sampler.slots_that_fit(longest, new)
        self.slots = max(1, min(-(-most // parts), len(self.waiting)))
        self.active = 0
        self.owners: list[_Wanted] = []  # of the rows in the batch
        self.questions: list[int] = []  # of the slots of the prompt cache
        self.first_logits: dict[int, Tensor] = {}  # question -> logits behind its prompt
        self.layout: Prompts | None = None

        new = self.settings.max_new_tokens
        self.cache = sampler.reused_cache(f"own {part}", self.slots, min(new, CACHE_BLOCK))
        prompt_slots = min(len(self.prompts), self.slots)
        self.prompt_cache = sampler.reused_cache(f"prompts {part}", prompt_slots, longest)

        device = self.decoder.device
        self.ids = torch.zeros(self.slots, new, dtype=torch.long, device=device)
        self.log_probs = torch.zeros(self.slots, new, device=device)
        self.uniforms = torch.zeros(self.slots, new, device=device)
        self.tokens = torch.zeros(self.slots, dtype=torch.long, device=device)
        self.counts = torch.zeros(self.slots, dtype=torch.long, device=device)
        self.limits = torch.zeros(self.slots, dtype=torch.long, device=device)
        end_ids = [*sampler.end_ids, *self.settings.stop_ids]
        self.ends = torch.tensor(end_ids, dtype=torch.long, device=device)

    def _queue(self) -> None:
        """Put in line what must be sampled; the store has the rest, or a prompt leaves no room."""
        store = self.request.store
        # Prompts of similar length run together: less padding, and the cache is read no further than needed.
        for question in sorted(range(len(self.prompts)), key=lambda q: len(self.prompts[q])):
            for index in range(self.request.samples_per_prompt):
                wanted = _Wanted(question, index)
                found = None
                if store is not None:
                    found = store.get(self.keys[question], index, self.prompts[question])

                if found is not None:
                    self._finished(wanted, found)
                elif self._room(question) > 0:
                    self.waiting.append(wanted)
                else:
                    self.results[wanted] = Sample([], [], "length")

    def _room(self, question: int) -> int:
        """Tokens that a sample of the question may have."""
        return min(self.settings.max_new_tokens, self.decoder.context - len(self.prompts[question]))

    def finish_all(self) -> list[list[Sample]]:
        """Sample until nothing is left; one list of samples a prompt."""
        while self.waiting or self.active:
            free = self.slots - self.active
            # A prefill costs about a step: wait until an eighth of the slots is free.
            enough = max(1, min(self.slots // 8, len(self.waiting)))
            if self.waiting and (not self.active or free >= enough):
                self._admit(free)
                continue

            self.layout = self.layout or self._lay_out()
            rows = slice(0, self.active)
            logits = self.decoder.step(
                self.tokens[rows], self.counts[rows] - 1, self.layout, self.cache
            )
            self._choose(logits, rows)

        indices = range(self.request.samples_per_prompt)
        return [
            [self.results[_Wanted(question, index)] for index in indices]
            for question in range(len(self.prompts))
        ]

    # Sequences enter the batch.

    def _admit(self, free: int) -> None:
        """Give free slots to waiting samples and choose their first token from their prompt's logits."""
        self._drop_prompts()
        taken = [self.waiting.popleft() for _ in range(min(free, len(self.waiting)))]
        asked = dict.fromkeys(one.question for one in taken)
        self._prefill([question for question in asked if question not in self.questions])

        rows = slice(self.active, self.active + len(taken))
        if self.settings.temperature > 0:
            draws = [self._uniforms(one) for one in taken]
            self.uniforms[rows] = torch.from_numpy(np.stack(draws)).to(self.uniforms.device)
        limits = [self._room(one.question) for one in taken]
        self.limits[rows] = torch.tensor(limits, device=self.limits.device)
        self.counts[rows] = 0
        self.owners += taken
        self.active, self.layout = rows.stop, None

        logits = torch.stack([self.first_logits[one.question] for one in taken])
        # Samples wait question by question, so only the last question taken can have more of them waiting.
        started = set(asked)
        if self.waiting:
            started.discard(self.waiting[0].question)
        for question in started:
            self.first_logits.pop(question, None)
        self._choose(logits, rows)

    def _uniforms(self, wanted: _Wanted) -> np.ndarray:
        key = self.keys[wanted.question]
        index = self.request.index_of(wanted.question, wanted.index)
        return uniforms(self.settings.seed, self.settings.max_new_tokens, key, index)

    def _prefill(self, questions: list[int]) -> None:
        """Compute prompts in chunks under the token budget; `questions` come sorted by length."""
        for group in self._by_beginning(questions):
            size = max(1, PREFILL_TOKENS // len(self.prompts[group[-1]]))
            for start in range(0, len(group), size):
                self._prefill_chunk(group[start : start + size])

    def _prefill_chunk(self, questions: list[int]) -> None:
        device = self.decoder.device
        prompts = [self.prompts[question] for question in questions]
        lengths = [len(prompt) for prompt in prompts]
        width = max(lengths)
        padded = [prompt + [0] * (width - len(prompt)) for prompt in prompts]

        logits, cache = self.decoder.prefill(
            torch.tensor(padded, device=device), torch.tensor(lengths, device=device)
        )

        slots = slice(len(self.questions), len(self.questions) + len(questions))
        self.prompt_cache.put(slots, cache)
        self.questions += questions
        self.first_logits.update(zip(questions, logits, strict=True))

    def _by_beginning(self, questions: list[int]) -> list[list[int]]:
        """Questions whose prompts begin alike (few-shot prompts do, one beginning a language) in groups, to be
        computed together; all others in one group."""
        groups: dict[tuple[int, ...], list[int]] = {}
        for question in questions:
            beginning = tuple(self.prompts[question][:WORTH_SHARING])
            groups.setdefault(beginning, []).append(question)

        alike = []
        for beginning, group in groups.items():
            if len(group) > 1 and len(beginning) == WORTH_SHARING:
                alike.append(group)

        grouped = {question for group in alike for question in group}
        rest = [question for question in questions if question not in grouped]
        return [*alike, rest] if rest else alike

    def _drop_prompts(self) -> None:
        """Forget the prompts that no sequence needs any more, and keep the others dense."""
        wanted = {one.question for one in self.owners} | self.first_logits.keys()
        left = sum(question in wanted for question in self.questions)
        holes = [slot for slot in range(left) if self.questions[slot] not in wanted]
        behind = range(left, len(self.questions))
        movers = [slot for slot in behind if self.questions[slot] in wanted]

        if holes:
            self.prompt_cache.move(movers, holes)
            for mover, hole in zip(movers, holes, strict=True):
                self.questions[hole] = self.questions[mover]
        del self.questions[left:]

    def _lay_out(self) -> Prompts:
        """Say which prompt each running sequence has, as the decoder needs it."""
        self._drop_prompts()
        slot_of = {question: slot for slot, question in enumerate(self.questions)}

        slots = [slot_of[one.question] for one in self.owners]
        counts = [0] * len(self.questions)
        numbers = []  # of each sequence among those of its prompt
        for slot in slots:
            numbers.append(counts[slot])
            counts[slot] += 1

        group, device = max(counts), self.decoder.device
        place = [slot * group + number for slot, number in zip(slots, numbers, strict=True)]
        lengths = [len(self.prompts[question]) for question in self.questions]
        return Prompts(
            self.prompt_cache,
            torch.tensor(lengths, device=device),
            torch.tensor(place, device=device),
            group,
        )

    # Tokens are chosen, and sequences leave the batch.

    def _choose(self, logits: Tensor, rows: slice) -> None:
        """Sample a token for each of `rows` from its logits, record it, and take out what is finished."""
        settings = self.settings
        at = torch.arange(rows.start, rows.stop, device=logits.device)
        counts = self.counts[rows]

        tokens, log_probs = choose(
            logits, self.uniforms[at, counts], settings.temperature, settings.top_p
        )
        self.tokens[rows] = tokens
        self.ids[at, counts] = tokens
        self.log_probs[at, counts] = log_probs
        self.counts[rows] += 1

        ended = torch.isin(tokens, self.ends)
        cut = self.counts[rows] >= self.limits[rows]
        strings = self._stopped_by_string(tokens, rows.start) if settings.stop else {}
        done = set((ended | cut).nonzero()[:, 0].tolist()) | strings.keys()
        if not done:
            return

        has_ended = ended.tolist()
        for row in sorted(done):
            finish = "stop" if has_ended[row] or row in strings else "length"
            self._record(rows.start + row, finish, strings.get(row))
        self._compact({rows.start + row for row in done})

    def _stopped_by_string(self, tokens: Tensor, start: int) -> dict[int, str]:
        """Row (counted from `start`) -> the stop string that its text now ends in or holds near its end.

        Special tokens have no text: the name of one is not what the model said.
        """
        stops = self.settings.stop
        # A token is at least one byte, so the longest stop string and one character stand in so many tokens.
        tail = max(len(stop.encode()) for stop in stops) + 4

        found = {}
        for row in self.sampler.may_end(stops)[tokens].nonzero()[:, 0].tolist():
            count = int(self.counts[start + row])
            ids = self.ids[start + row, max(0, count - tail) : count].tolist()
            text = self.sampler.tokenizer.decode(ids, skip_special_tokens=True)
            hit = next((stop for stop in stops if stop in text), None)
            if hit is not None:
                found[row] = hit
        return found

    def _record(self, row: int, finish: str, stop: str | None) -> None:
        wanted, count = self.owners[row], int(self.counts[row])
        ids, log_probs = self.ids[row, :count].tolist(), self.log_probs[row, :count].tolist()
        sample = Sample(ids, log_probs, finish, stop)

        store, question = self.request.store, wanted.question
        if store is not None:
            store.keep(self.keys[question], wanted.index, self.prompts[question], sample)
        self._finished(wanted, sample)

    def _finished(self, wanted: _Wanted, sample: Sample) -> None:
        self.results[wanted] = sample
        if self.request.progress is not None:
            self.request.progress.add(1)

    def _compact(self, done: set[int]) -> None:
        """Move the last running sequences into the rows of finished ones, so that the batch has no holes."""
        left = self.active - len(done)
        holes = sorted(row for row in done if row < left)
        movers = [row for row in range(left, self.active) if row not in done]

        if holes:
            self.cache.move(movers, holes)
            arrays = (
                self.ids,
                self.log_probs,
                self.uniforms,
                self.tokens,
                self.counts,
                self.limits,
            )
            for array in arrays:
                array[holes] = array[movers]
            for mover, hole in zip(movers, holes, strict=True):
                self.owners[hole] = self.owners[mover]

        del self.owners[left:]
        self.active, self.layout = left, None
