"""A local HTTP server that misbehaves to order: for each request the next trick of a list, then good behaviour."""

import hashlib
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TRICKS = (
    "503",
    "cut",
    "too_long",
    "too_short",
    "no_range",
    "other_range",
    "error_page",
    "no_length",
)


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server, body = self.server, self.server.files.get(self.path)
        trick = server.tricks.pop(0) if server.tricks else ""
        server.log.append((self.path, self.headers.get("Range"), trick))
        if body is None:
            return self.send_error(404)
        if trick == "503":
            return self._answer(503, b"<Error>SlowDown</Error>", {"Retry-After": "7"})
        if trick == "error_page":
            return self._answer(200, b"<Error>SlowDown</Error>", {})
        headers = {"ETag": f'"{hashlib.md5(body).hexdigest()}"'} if server.etag else {}
        start, status = 0, 200
        asked = (self.headers.get("Range") or "").removeprefix("bytes=").rstrip("-")
        if asked and trick != "no_range":
            start, status = int(asked), 206
            if start >= len(body):
                return self._answer(416, b"", {"Content-Range": f"bytes */{len(body)}"})
            start -= min(start, 3) if trick == "other_range" else 0
            headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
        part = body[start:]
        lengths = {"too_long": len(part) + 9, "too_short": len(part) // 2 + 1}
        headers["Content-Length"] = str(lengths.get(trick, len(part)))
        if trick == "too_short":
            part = part[: len(part) // 2 + 1]
        if trick == "no_length":
            del headers["Content-Length"]
        self._answer(
            status, part[: len(part) // 2] if trick in ("cut", "no_length") else part, headers
        )

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextmanager
def bad_server(files: dict[str, bytes], tricks: list[str] | None = None, etag: bool = False):
    """A context with the running server: `.url`, `.log` of (path, range, trick), and `.tricks` still to play."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.files, server.tricks, server.log, server.etag = files, list(tricks or []), [], etag
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
