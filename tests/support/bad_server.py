"""A local HTTP server that misbehaves on request: for each request the next trick of a list, then good behaviour."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TRICKS = (
    "503",  # "slow down", with a Retry-After
    "cut",  # the connection ends in the middle of the body
    "too_long",  # more bytes are declared than come
    "too_short",  # fewer bytes are declared, and come, than there are
    "no_range",  # the whole file in the place of the rest that was asked for
    "other_range",  # a range that begins earlier
    "error_page",  # an error with the status 200
    "no_length",  # the body is cut, and its length is not declared
)
SLOW_DOWN = b"<Error>SlowDown</Error>"


@dataclass(frozen=True)
class Request:
    """What a client asked for, and what was done to it."""

    path: str
    range: str | None  # value of the header
    trick: str


class BadServer(ThreadingHTTPServer):
    """Serves the files of a dictionary, path -> content."""

    def __init__(self, files: dict[str, bytes], tricks: list[str], etag: bool):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files = files
        self.tricks = tricks  # still to play
        self.etag = etag
        self.log: list[Request] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: BadServer

    def do_GET(self) -> None:
        body = self.server.files.get(self.path)
        asked = self.headers.get("Range")
        trick = self.server.tricks.pop(0) if self.server.tricks else ""
        self.server.log.append(Request(self.path, asked, trick))

        if body is None:
            self.send_error(404)
        elif trick == "503":
            self._answer(503, SLOW_DOWN, {"Retry-After": "7"})
        elif trick == "error_page":
            self._answer(200, SLOW_DOWN, {})
        else:
            self._send_file(body, asked, trick)

    def _send_file(self, body: bytes, asked: str | None, trick: str) -> None:
        headers: dict[str, str] = {}
        if self.server.etag:
            headers["ETag"] = f'"{hashlib.md5(body).hexdigest()}"'

        start, status = 0, 200
        if asked and trick != "no_range":
            start, status = int(asked.removeprefix("bytes=").rstrip("-")), 206
            if start >= len(body):
                self._answer(416, b"", {"Content-Range": f"bytes */{len(body)}"})
                return
            if trick == "other_range":
                start -= min(start, 3)
            headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"

        part = body[start:]
        headers["Content-Length"] = str(len(part))
        match trick:
            case "cut":
                part = part[: len(part) // 2]
            case "no_length":
                part = part[: len(part) // 2]
                del headers["Content-Length"]
            case "too_long":
                headers["Content-Length"] = str(len(part) + 9)
            case "too_short":
                part = part[: len(part) // 2 + 1]
                headers["Content-Length"] = str(len(part))
        self._answer(status, part, headers)

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing on stderr."""


@contextmanager
def bad_server(
    files: dict[str, bytes], tricks: list[str] | None = None, etag: bool = False
) -> Iterator[BadServer]:
    """A context with the running server.

    Args:
        files: path -> content.
        tricks: of TRICKS, one for each request until there are none left.
        etag: whether files come with their MD5.
    """
    server = BadServer(files, list(tricks or []), etag)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
