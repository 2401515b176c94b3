"""A small OpenAI-compatible server: it really answers, from a model, and misbehaves where it is told to.

As OpenAI's it leaves the stop string out of the text, takes prompts as text or as token ids, and puts its own chat
template around messages. `extras` adds what vLLM adds: token ids, the stop string that ended an answer, the context.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from pipeline.inference.engine import Sample, SampleRequest, SamplingSettings
from pipeline.inference.sampler import Sampler

NAME = "tiny"


class CompletionServer(ThreadingHTTPServer):
    """Answers from a model; what may be set on it decides how it behaves.

    `statuses` are played before it behaves well, one a question; `refused` are fields that it does not know; `key` is
    what it wants to be shown; `most_choices` how many it gives at most, whatever n says.
    """

    daemon_threads = True

    def __init__(self, model: Any, tokenizer: Any):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.sampler = Sampler(model, tokenizer, max_batch=16)
        self.tokenizer = tokenizer
        self.one_at_a_time = threading.Lock()
        self.questions: list[dict[str, Any]] = []
        self.behave()

    def behave(self, **otherwise: Any) -> None:
        """Forget all bad behaviour, and what was asked; then behave `otherwise`."""
        self.statuses: list[int] = []
        self.refused: tuple[str, ...] = ()
        self.key = ""
        self.most_choices = 99
        self.extras = True
        self.lists_models = True
        self.as_page = False
        self.questions.clear()
        for name, value in otherwise.items():
            assert hasattr(self, name), name
            setattr(self, name, value)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class _Refusal(Exception):
    def __init__(self, status: int, message: str):
        super().__init__(message)
        self.status = status


class _Handler(BaseHTTPRequestHandler):
    server: CompletionServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._guarded(self._models)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._guarded(lambda: self._answer(body))

    def _guarded(self, work: Any) -> None:
        if self.server.as_page:
            self._send(200, b"<html>Welcome</html>")
            return
        try:
            if self.server.key and self.headers.get("Authorization") != f"Bearer {self.server.key}":
                raise _Refusal(401, "Incorrect API key provided")
            if self.command == "POST" and self.server.statuses:
                raise _Refusal(self.server.statuses.pop(0), "come back later")
            answer = work()
        except _Refusal as refusal:
            error = {"error": {"message": str(refusal), "type": "invalid_request_error"}}
            self._send(refusal.status, json.dumps(error).encode())
            return
        self._send(200, json.dumps(answer).encode())

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if status == 429:
            self.send_header("Retry-After", "0")
        self.end_headers()
        self.wfile.write(body)

    def _models(self) -> dict[str, Any]:
        if not self.server.lists_models:
            raise _Refusal(404, "Not Found")
        model: dict[str, Any] = {"id": NAME, "object": "model"}
        if self.server.extras:
            model["max_model_len"] = self.server.sampler.decoder.context
        return {"object": "list", "data": [model]}

    def _answer(self, body: dict[str, Any]) -> dict[str, Any]:
        self.server.questions.append(body)
        if body["model"] != NAME:
            raise _Refusal(404, f"The model `{body['model']}` does not exist.")
        for field in self.server.refused:
            if field in body:
                raise _Refusal(400, f"Unrecognized request argument supplied: '{field}'")

        is_chat = self.path.endswith("/chat/completions")
        prompt = self._prompt(body, is_chat)
        context = self.server.sampler.decoder.context
        if len(prompt) + body["max_tokens"] > context:
            raise _Refusal(400, f"This model's maximum context length is {context} tokens.")

        samples = self._samples(body, prompt)
        choices = [self._choice(body, i, sample, is_chat) for i, sample in enumerate(samples)]
        tokens = sum(len(sample.ids) for sample in samples)
        return {"choices": choices, "usage": {"completion_tokens": tokens}}

    def _prompt(self, body: dict[str, Any], is_chat: bool) -> list[int]:
        tokenizer = self.server.tokenizer
        if not is_chat and not isinstance(body["prompt"], str):
            return body["prompt"]
        text = body.get("prompt")
        if is_chat:
            text = tokenizer.apply_chat_template(
                body["messages"], tokenize=False, add_generation_prompt=True
            ).removeprefix(tokenizer.bos_token)
        return [tokenizer.bos_token_id, *tokenizer(text, add_special_tokens=False)["input_ids"]]

    def _samples(self, body: dict[str, Any], prompt: list[int]) -> list[Sample]:
        settings = SamplingSettings(
            temperature=body["temperature"],
            max_new_tokens=body["max_tokens"],
            seed=body.get("seed", 0),
            stop=tuple(body.get("stop", ())),
        )
        count = min(body.get("n", 1), self.server.most_choices)
        with self.server.one_at_a_time:
            return self.server.sampler.sample(SampleRequest([prompt], count, settings))[0]

    def _choice(
        self, body: dict[str, Any], index: int, sample: Sample, is_chat: bool
    ) -> dict[str, Any]:
        text = self.server.tokenizer.decode(sample.ids, skip_special_tokens=True)
        if sample.stop is not None and not body.get("include_stop_str_in_output"):
            text = text.partition(sample.stop)[0]

        choice: dict[str, Any] = {"index": index, "finish_reason": sample.finish}
        if self.server.extras:
            choice["stop_reason"] = sample.stop
            if body.get("return_token_ids"):
                choice["token_ids"] = sample.ids
        if is_chat:
            choice["message"] = {"role": "assistant", "content": text}
            choice["logprobs"] = None
            if body.get("logprobs"):
                choice["logprobs"] = {"content": [{"logprob": value} for value in sample.logprobs]}
        else:
            choice["text"] = text
            choice["logprobs"] = None
            if body.get("logprobs"):
                choice["logprobs"] = {"token_logprobs": sample.logprobs}
        return choice

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def served(model: Any, tokenizer: Any) -> Iterator[CompletionServer]:
    """A running server."""
    server = CompletionServer(model, tokenizer)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
