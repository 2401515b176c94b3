"""An OpenAI-compatible server as an engine, for evaluation: vLLM, SGLang, llama.cpp, Ollama or somebody's API.

A server gives text. What it is asked, and what ids are, depends on whether the model's tokenizer is here:

    tokenizer       endpoint            prompts                          ids
    given           completions         made here, sent as token ids     tokens
    none, chat      chat/completions    messages; the server's template  bytes of the text
    none, few-shot  completions         text                             bytes of the text

Each sample has a seed made of the run's seed, its prompt's key and its number, as far as the server heeds seeds.
Log-probabilities are those that the server reports (most: at temperature 1), NaN where it reports none. Tokens are
those that it lists or counts.

    engine = ServerEngine(client, ByteText(), chat=True, parallel=32)
    groups = engine.sample(SampleRequest(prompts, 8, settings, keys=ids))

Not done: RL. A server elsewhere takes no weights.
"""

import hashlib
import itertools
import queue
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from eval.sampling.byte_text import ByteText
from eval.sampling.server_client import Refused, ServerClient
from pipeline.errors import UserError
from pipeline.inference.engine import Sample, SampleRequest, SamplingSettings
from pipeline.model.chat import OUTPUT_FENCE

MOST_CHOICES = 16
"""Samples that one question asks for: what is lost where an answer does not come."""

MOST_AT_A_TIME = 64
"""Samples in the making at the same time, where the settings do not say fewer (`eval.batch`)."""

SEED_BITS = 31
"""Bits of a seed; some servers keep it in a signed 32-bit number."""

TOO_LONG = (
    "context length",
    "context size",
    "context window",
    "context_length",
    "too long",
    "too many tokens",
)
"""What servers say of a prompt that leaves no room, each in its own words."""


def open_server(
    url: str, model: str, tokenizer: str | None, style: str, parallel: int
) -> "ServerEngine":
    """An engine that asks the server for `model`, after a first question whether it is there."""
    parallel = min(parallel, MOST_AT_A_TIME)
    client = ServerClient(url, model, connections=parallel)
    client.check()
    if tokenizer is None:
        return ServerEngine(client, ByteText(), style == "chat", parallel)

    from pipeline.model.load import load_tokenizer

    return ServerEngine(client, load_tokenizer(tokenizer), style == "chat", parallel)


@dataclass(frozen=True, slots=True)
class _Question:
    """Some samples of one prompt, asked for together."""

    place: int  # of the prompt in the request
    indices: list[int]  # of the samples


class ServerEngine:
    """Samples by asking a server; `parallel` is the number of samples that it is asked for at the same time."""

    def __init__(self, client: ServerClient, tokenizer: Any, chat: bool, parallel: int):
        self.client = client
        self.tokenizer = tokenizer
        self.parallel = parallel
        self._has_tokens = not isinstance(tokenizer, ByteText)
        self._chat = chat and not self._has_tokens

    def load(self, model: Any) -> None:
        """A UserError: a server elsewhere takes no weights."""
        raise UserError(f"--server {self.client.url}: cannot take other weights")

    def sleep(self) -> None:
        """Nothing to give back."""

    def sample(self, request: SampleRequest) -> list[list[Sample]]:
        """See `Engine.sample`."""
        groups: list[list[Sample | None]] = [
            [None] * request.samples_per_prompt for _ in request.prompts
        ]
        questions = self._questions(request, groups)
        without_room = 0

        for question, samples in self._answers(request, questions):
            for index, sample in zip(question.indices, samples, strict=True):
                groups[question.place][index] = sample
                without_room += not sample.ids and sample.finish == "length"
                self._count(request, question.place, index, sample, is_new=True)

        if without_room:
            print(
                f"note: {without_room} sample(s) are empty: no room is left in the context of {self.client.model}",
                file=sys.stderr,
            )
        return [[sample for sample in group if sample is not None] for group in groups]

    def _questions(
        self, request: SampleRequest, groups: list[list[Sample | None]]
    ) -> list[_Question]:
        """What must be asked; what the store has goes into `groups`."""
        store, questions = request.store, []
        for place, (prompt, key) in enumerate(zip(request.prompts, request.key_names, strict=True)):
            missing = []
            for index in range(request.samples_per_prompt):
                found = store.get(key, index, prompt) if store is not None else None
                if found is None:
                    missing.append(index)
                else:
                    groups[place][index] = found
                    self._count(request, place, index, found, is_new=False)

            for start in range(0, len(missing), MOST_CHOICES):
                questions.append(_Question(place, missing[start : start + MOST_CHOICES]))
        return questions

    def _count(
        self, request: SampleRequest, place: int, index: int, sample: Sample, is_new: bool
    ) -> None:
        """Store a new sample, and show that there is one more."""
        if is_new and request.store is not None:
            request.store.keep(request.key_names[place], index, request.prompts[place], sample)
        if request.progress is not None:
            request.progress.add(1)

    def _answers(
        self, request: SampleRequest, questions: list[_Question]
    ) -> Iterator[tuple[_Question, list[Sample]]]:
        """The answers to all questions, as they come. The first failure ends it, without waiting for the others."""
        waiting: queue.SimpleQueue[_Question] = queue.SimpleQueue()
        answered: queue.SimpleQueue[tuple[_Question, list[Sample] | BaseException]]
        answered = queue.SimpleQueue()
        for question in questions:
            waiting.put(question)

        def ask() -> None:
            while True:
                try:
                    question = waiting.get_nowait()
                except queue.Empty:
                    return
                try:
                    answered.put((question, self._ask(request, question)))
                except BaseException as error:
                    answered.put((question, error))
                    return

        # Threads that do not keep the program alive: an answer may take many minutes.
        choices = max((len(question.indices) for question in questions), default=1)
        for _ in range(min(len(questions), max(1, self.parallel // choices))):
            threading.Thread(target=ask, daemon=True).start()

        for _ in questions:
            question, samples = answered.get()
            if isinstance(samples, BaseException):
                raise samples
            yield question, samples

    # ---- One question ------------------------------------------------------------------------------------------

    def _ask(self, request: SampleRequest, question: _Question) -> list[Sample]:
        """The samples of a question. A server that gives fewer choices than asked for is asked for the others."""
        samples: list[Sample] = []
        while len(samples) < len(question.indices):
            left = question.indices[len(samples) :]
            if self.client.does_without("n"):
                left = left[:1]
            samples += self._ask_for(request, question.place, left)
        return samples

    def _ask_for(self, request: SampleRequest, place: int, indices: list[int]) -> list[Sample]:
        """At most as many samples as `indices` name, at least one."""
        settings, prompt = request.settings, request.prompts[place]
        room = settings.max_new_tokens
        if self._has_tokens and self.client.context is not None:
            room = min(room, self.client.context - len(prompt))
        if room <= 0:
            return [_nothing() for _ in indices]

        body = self._body(prompt, settings, room)
        # Greedy answers are all alike; a seed would only invite a refusal.
        if settings.temperature > 0:
            body["seed"] = _seed(settings.seed, request.key_names[place], indices[0])
        if len(indices) > 1:
            body["n"] = len(indices)

        try:
            answer = self.client.post("chat/completions" if self._chat else "completions", body)
        except Refused as refused:
            if any(words in refused.words.lower() for words in TOO_LONG):
                return [_nothing() for _ in indices]
            raise self.client.as_mistake(refused) from None
        return self._samples(answer, settings)[: len(indices)]

    def _body(self, prompt: Sequence[int], settings: SamplingSettings, room: int) -> dict[str, Any]:
        """What a question says besides the model's name."""
        body: dict[str, Any] = {"max_tokens": room, "temperature": settings.temperature}
        if settings.top_p < 1:
            body["top_p"] = settings.top_p
        if settings.stop:
            body["stop"] = list(settings.stop)

        if self._chat:
            body["messages"] = [{"role": "user", "content": self.tokenizer.decode(prompt)}]
            body["logprobs"] = True
            return body

        body["logprobs"] = 1
        if not self._has_tokens:
            body["prompt"] = self.tokenizer.decode(prompt)
            return body

        body["prompt"] = [int(token) for token in prompt]
        # vLLM's and SGLang's own: the ids, and a text that holds the stop string that ended it.
        body["return_token_ids"] = True
        if settings.stop:
            body["include_stop_str_in_output"] = True
        return body

    def _samples(self, answer: dict[str, Any], settings: SamplingSettings) -> list[Sample]:
        """The choices of an answer as samples."""
        choices = answer.get("choices")
        if not isinstance(choices, list) or not choices:
            raise UserError(
                f"--server {self.client.url}: an answer without choices ({str(answer)[:200]})"
            )

        in_order = sorted(choices, key=lambda choice: choice.get("index", 0))
        usage = answer.get("usage") or {}
        tokens = _shares(
            usage.get("completion_tokens") or 0, [_text(choice) for choice in in_order]
        )
        return [
            self._sample(choice, settings, count)
            for choice, count in zip(in_order, tokens, strict=True)
        ]

    def _sample(self, choice: dict[str, Any], settings: SamplingSettings, tokens: int) -> Sample:
        """One choice as a sample; `tokens`: how many it has where it does not list them."""
        text = _text(choice)
        finish = "length" if choice.get("finish_reason") == "length" else "stop"
        stop = self._stop_string(choice, settings, finish)
        # A stop string belongs to the sample, and most servers leave it out.
        if stop is not None and not text.endswith(stop):
            text += stop

        logprobs = _logprobs(choice.get("logprobs"))
        known = logprobs or [float("nan")]
        sampled = choice.get("token_ids")
        if self._has_tokens and isinstance(sampled, list):
            return Sample(sampled, known, finish, stop)

        # The text's ids are not those that were sampled, nor as many.
        (ids,) = self.tokenizer([text], add_special_tokens=False)["input_ids"]
        return Sample(ids, known, finish, stop, tokens=len(logprobs) or tokens)

    def _stop_string(
        self, choice: dict[str, Any], settings: SamplingSettings, finish: str
    ) -> str | None:
        """The stop string that ended a choice, as vLLM (stop_reason) and SGLang (matched_stop) say it."""
        says = [name for name in ("stop_reason", "matched_stop") if name in choice]
        if finish == "stop" and OUTPUT_FENCE in settings.stop and not says:
            raise UserError(
                f"--mode tool: {self.client.url} does not say at which stop string an answer ended (stop_reason, as "
                "vLLM has it), so that nobody knows whether a program is to be run"
            )
        reasons = [choice[name] for name in says]
        return next((reason for reason in reasons if reason in settings.stop), None)


def _text(choice: dict[str, Any]) -> str:
    """What a choice says, of either endpoint."""
    text = choice.get("text")
    if text is None:
        text = (choice.get("message") or {}).get("content")
    return text if isinstance(text, str) else ""


def _logprobs(found: Any) -> list[float]:
    """The tokens' log-probabilities in the form of either endpoint; none where they were not given."""
    if not isinstance(found, dict):
        return []
    if isinstance(found.get("content"), list):
        return [float(token["logprob"]) for token in found["content"]]
    return [float(value) for value in found.get("token_logprobs") or [] if value is not None]


def _shares(tokens: int, texts: list[str]) -> list[int]:
    """The tokens of all choices together, divided by the length of their texts."""
    ends = list(itertools.accumulate(len(text) for text in texts))
    whole = max(1, ends[-1])
    rounded = [round(tokens * end / whole) for end in ends]
    return [end - start for start, end in zip([0, *rounded], rounded, strict=False)]


def _nothing() -> Sample:
    """A sample whose prompt left no room."""
    return Sample([], [], "length", tokens=0)


def _seed(seed: int, key: str, index: int) -> int:
    digest = hashlib.blake2b(f"{seed}\0{key}\0{index}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> (64 - SEED_BITS)
