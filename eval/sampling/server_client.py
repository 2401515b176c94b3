"""Questions to an OpenAI-compatible server over HTTP: retries, and every failure as one line.

    client = ServerClient("http://localhost:8000/v1", model="my-model")
    client.check()
    answer = client.post("completions", {"prompt": "1+1=", "max_tokens": 4})

A server that is busy (429), failing (5xx) or out of reach is asked again, at growing distances or when it says
(Retry-After); what it refuses is not. A field that it refuses by name and that can be done without is left out from
then on, which is said once.
"""

import json
import os
import re
import sys
import threading
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import HTTPError, LocationParseError, MaxRetryError
from urllib3.util.retry import Retry

from pipeline.errors import UserError

KEY_VARIABLE = "OPENAI_API_KEY"
"""The environment variable that holds the key, as OpenAI's own clients have it."""

BUSY = (408, 409, 425, 429, 500, 502, 503, 504, 529)
"""Statuses after which the same question may be answered."""

TRIES = 6
FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 60
ANSWER_SECONDS = 1800
"""How long an answer may take: a long generation says nothing before its end."""

FIRST_CONTACT = Retry(
    total=2, backoff_factor=FIRST_WAIT_SECONDS, status_forcelist=BUSY, raise_on_status=False
)
"""For the question that opens a run: whoever mistyped the address wants to know now."""

PATIENT = Retry(
    total=TRIES - 1,
    # Answering a question twice does no harm.
    allowed_methods=None,
    status_forcelist=BUSY,
    raise_on_status=False,
    backoff_factor=FIRST_WAIT_SECONDS,
    backoff_max=LONGEST_WAIT_SECONDS,
    backoff_jitter=FIRST_WAIT_SECONDS,
    retry_after_max=LONGEST_WAIT_SECONDS,
)

OPTIONAL_FIELDS = ("logprobs", "seed", "return_token_ids", "include_stop_str_in_output", "n")
"""What a question may go without. Left out, answers have no log-probabilities, other random numbers every time, or
come one by one."""

OTHER_NAMES = {"max_tokens": "max_completion_tokens"}
"""Fields that some servers want by another name."""


class Refused(Exception):
    """The server understood and will not answer: its status and its words."""

    def __init__(self, status: int, words: str):
        super().__init__(words)
        self.status = status
        self.words = words


@dataclass(frozen=True, slots=True)
class ServedModel:
    """What a server says of a model."""

    name: str
    context: int | None
    """Tokens of prompt and answer together; vLLM says so, OpenAI does not."""


class ServerClient:
    """A model behind an address such as http://localhost:8000/v1. Safe for use by several threads."""

    def __init__(self, url: str, model: str, connections: int = 1):
        self.url = base_url(url)
        self.model = model
        self.context: int | None = None

        headers = {"Content-Type": "application/json", "User-Agent": "eval.run"}
        key = os.environ.get(KEY_VARIABLE)
        if key:
            headers["Authorization"] = f"Bearer {key}"
        timeout = urllib3.Timeout(connect=10, read=ANSWER_SECONDS)
        self._pool = urllib3.PoolManager(maxsize=connections, headers=headers, timeout=timeout)

        self._lock = threading.Lock()
        self._left_out: set[str] = set()
        self._renamed: dict[str, str] = {}

    def check(self) -> None:
        """Ask what is served there; a UserError where nobody answers, or the model is not among it."""
        try:
            found = self._ask("GET", "models", None, FIRST_CONTACT)
        except Refused as refused:
            # Some servers do not list their models; what is asked of the model itself will tell.
            if refused.status in (404, 405, 501):
                return
            raise self.as_mistake(refused) from None

        entries = found.get("data")
        models = [_served(entry) for entry in entries] if isinstance(entries, list) else []
        by_name = {model.name: model for model in models}
        if models and self.model not in by_name:
            names = ", ".join(sorted(by_name)[:8]) + (", …" if len(by_name) > 8 else "")
            raise UserError(f"--model {self.model}: {self.url} has no such model; it has {names}")
        if self.model in by_name:
            self.context = by_name[self.model].context

    def does_without(self, field: str) -> bool:
        """Whether the server has refused this field of a question."""
        return field in self._left_out

    def post(self, path: str, question: dict[str, Any]) -> dict[str, Any]:
        """The answer to a question to the model.

        Raises Refused where the server will not answer this question, UserError where it answers none.
        """
        while True:
            body = {"model": self.model}
            for name, value in question.items():
                if name not in self._left_out:
                    body[self._renamed.get(name, name)] = value
            try:
                return self._ask("POST", path, body, PATIENT)
            except Refused as refused:
                if refused.status in (401, 403, 404):
                    raise self.as_mistake(refused) from None
                if not self._adapt(body, refused):
                    raise

    def _adapt(self, body: dict[str, Any], refused: Refused) -> bool:
        """Whether the question can be asked again, without or with another name for a field that was refused."""
        for field, other in OTHER_NAMES.items():
            if field in body and other in refused.words:
                self._renamed[field] = other
                return True

        for field in OPTIONAL_FIELDS:
            if field in body and _names(refused.words, field):
                with self._lock:
                    is_news = field not in self._left_out
                    self._left_out.add(field)
                if is_news:
                    print(
                        f"note: {self.url} does not know the field {field} and is asked without it ({refused.words})",
                        file=sys.stderr,
                    )
                return True
        return False

    def _ask(
        self, method: str, path: str, body: dict[str, Any] | None, retries: Retry
    ) -> dict[str, Any]:
        """One question and its answer as JSON. Raises Refused for an error status, UserError where none came."""
        data = None if body is None else json.dumps(body).encode()
        try:
            reply = self._pool.request(method, f"{self.url}/{path}", body=data, retries=retries)
        except MaxRetryError as error:
            raise UserError(f"--server {self.url}: cannot be reached ({_reason(error)})") from None
        except HTTPError as error:
            raise UserError(f"--server {self.url}: {_reason(error)}") from None

        try:
            answer = json.loads(reply.data)
        except ValueError:
            answer = None
        if reply.status >= 400:
            raise self._refusal(reply.status, answer, reply.data)
        if not isinstance(answer, dict):
            raise UserError(
                f"--server {self.url}: its answer to {path} is no JSON; the address of an OpenAI-compatible API is "
                "wanted, as a rule with /v1 at its end"
            )
        return answer

    def _refusal(self, status: int, answer: Any, data: bytes) -> Exception:
        """An error status with the server's words."""
        words = _words(answer) or " ".join(data.decode(errors="replace").split())[:200]
        if status in BUSY:
            return UserError(
                f"--server {self.url}: still answers {status} after several tries ({words}); what is finished is kept, "
                "the same command goes on"
            )
        return Refused(status, words)

    def as_mistake(self, refused: Refused) -> UserError:
        """What a refusal means for whoever started the run."""
        if refused.status in (401, 403):
            has_key = bool(os.environ.get(KEY_VARIABLE))
            wish = "does not accept the key in" if has_key else "wants a key in"
            return UserError(
                f"--server {self.url}: {wish} the environment variable {KEY_VARIABLE} "
                f"({refused.status}: {refused.words})"
            )
        return UserError(
            f"--server {self.url}, --model {self.model}: {refused.status}, {refused.words or 'not found'}"
        )


def base_url(url: str) -> str:
    """The address of the API: what was given, with /v1 where it names a host alone."""
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except (ValueError, LocationParseError):
        is_address = False
    if not is_address:
        raise UserError(f"--server {url}: not an address; for example http://localhost:8000/v1")
    return url.rstrip("/") + ("/v1" if urlsplit(url).path in ("", "/") else "")


def _served(entry: Any) -> ServedModel:
    if not isinstance(entry, dict):
        return ServedModel(str(entry), None)
    context = entry.get("max_model_len")
    return ServedModel(str(entry.get("id")), context if isinstance(context, int) else None)


def _words(answer: Any) -> str:
    """What an error says, in any of the forms in use: {"error": {"message": …}}, {"error": …}, {"detail": …}."""
    if not isinstance(answer, dict):
        return ""
    error = answer.get("error", answer)
    if isinstance(error, dict):
        error = error.get("message") or error.get("detail") or error
    return " ".join(str(error).split())[:300]


def _names(words: str, field: str) -> bool:
    """Whether an error's words are about a field; a name as short as `n` must stand in quotes."""
    pattern = rf"['\"`]{field}['\"`]" if len(field) == 1 else rf"\b{field}\b"
    return re.search(pattern, words) is not None


def _reason(error: BaseException) -> str:
    """Why a connection failed, in the system's words where it has any."""
    first = getattr(error, "reason", None)
    cause: BaseException | None = first if isinstance(first, BaseException) else error
    words = str(cause)
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        cause = cause.__cause__ or cause.__context__
    # The library puts an object's name before its words.
    return words.rpartition("): ")[2]
