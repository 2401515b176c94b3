"""From the bytes of an HTTP response to its body: header fields, transfer encodings, content encodings.

Servers lie about both kinds of encoding. A body that does not decode as declared is used as it stands when it looks
like text and refused otherwise; nothing here raises for odd headers.
"""

import io
import re
import zlib
from dataclasses import dataclass, field

from fastwarc.stream_io import BrotliReader, ZstdReader

_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_STATUS = re.compile(rb"HTTP/\d(?:\.\d)?[ \t]+(\d{3})(?!\d)")
_CHUNK_SIZE = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,8})[^\r\n]*\r?\n")
_HEADER_LIMIT = 64 << 10


class PayloadError(ValueError):
    """The body cannot be recovered; `reason` names the reject."""

    def __init__(self, reason: str, detail: str):
        super().__init__(f"{reason}: {detail}")
        self.reason, self.detail = reason, detail


@dataclass(slots=True)
class Http:
    """A parsed response: `status` None when the line has no code; header names in lower case."""

    status: int | None
    headers: dict[str, list[str]] = field(default_factory=dict)
    body: bytes = b""

    def get(self, name: str) -> str:
        """All values of a field joined by commas, "" when it is absent."""
        return ", ".join(self.headers.get(name, ()))


def parse_http(block: bytes) -> Http:
    """Split a response block. Bare LF, folded fields, lines without colon and missing status lines are tolerated.

    A block that begins with markup has no HTTP header at all: it is its own body.
    """
    if block[:64].lstrip()[:1] == b"<":
        return Http(None, {}, block)
    end = _BLANK_LINE.search(block, 0, _HEADER_LIMIT)
    head, body = (block[: end.start()], block[end.end() :]) if end else (block, b"")
    status = _STATUS.match(head)
    http = Http(int(status[1]) if status else None, {}, body)
    name = ""
    for line in head.decode("latin-1").splitlines():
        if line[:1] in " \t" and name:
            http.headers[name][-1] += " " + line.strip()
            continue
        name, colon, value = line.partition(":")
        name = name.strip().lower()
        if not colon or " " in name:
            name = ""
        else:
            http.headers.setdefault(name, []).append(value.strip())
    return http


def decoded_body(http: Http, limit: int) -> bytes:
    """The body with transfer and content encodings undone, in the order RFC 9110 prescribes.

    Raises PayloadError("encoding") when it cannot be decoded and is not text, PayloadError("too_large") when it
    would grow beyond `limit` bytes.
    """
    body = http.body
    codings = _codings(http.get("content-encoding")) + _codings(http.get("transfer-encoding"))
    for coding in reversed(codings):
        try:
            body = _DECODERS[coding](body, limit)
        except (zlib.error, OSError, ValueError, EOFError) as error:
            if isinstance(error, PayloadError):
                raise
            if not looks_like_text(body):
                raise PayloadError("encoding", f"not {coding}: {error}") from None
    return body


def looks_like_text(body: bytes) -> bool:
    """Whether the first kilobytes hold no more than 2 % control characters (UTF-16 counts as text by its mark)."""
    head = body[:4096]
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return True
    return len(head.translate(None, _CONTROL)) >= 0.98 * len(head)


_CONTROL = bytes(c for c in range(32) if c not in b"\t\n\r\f\x1b")  # ESC occurs in ISO-2022-JP


def _codings(value: str) -> list[str]:
    return [
        name for part in value.lower().split(",") if (name := part.strip().strip('"')) in _DECODERS
    ]


def dechunk(body: bytes, limit: int) -> bytes:
    """Undo chunked transfer coding. ValueError when the first chunk is not one; a broken later chunk ends it."""
    parts, position, size = [], 0, -1
    while size and (line := _CHUNK_SIZE.match(body, position)):
        size = int(line[1], 16)
        position = line.end()
        if size > len(body) - position + 2 and not parts:
            raise ValueError("first chunk is longer than the body")
        parts.append(body[position : position + size])
        position += size
        if body.startswith(b"\r\n", position):
            position += 2
        elif body.startswith(b"\n", position):
            position += 1
        elif size and position < len(body):
            # The declared size was wrong: what follows is not a chunk boundary. Keep the rest as it is.
            parts.append(body[position:])
            break
    if not parts:
        raise ValueError("no chunk size")
    return _bounded(b"".join(parts), limit)


def _gunzip(body: bytes, limit: int) -> bytes:
    return _inflate(body, 31, limit)


def _deflate(body: bytes, limit: int) -> bytes:
    """RFC 1950, as the standard says, or bare RFC 1951, as some servers send it."""
    try:
        return _inflate(body, 15, limit)
    except zlib.error:
        return _inflate(body, -15, limit)


def _inflate(body: bytes, window: int, limit: int) -> bytes:
    """Inflate; a body that ends early gives what there was of it."""
    return _bounded(zlib.decompressobj(window).decompress(body, limit + 1), limit)


def _brotli(body: bytes, limit: int) -> bytes:
    return _bounded(BrotliReader(io.BytesIO(body)).read(limit + 1), limit)


def _zstd(body: bytes, limit: int) -> bytes:
    return _bounded(ZstdReader(io.BytesIO(body)).read(limit + 1), limit)


def _bounded(body: bytes, limit: int) -> bytes:
    if len(body) > limit:
        raise PayloadError("too_large", f"more than {limit} bytes after decoding")
    return body


_DECODERS = {
    "chunked": dechunk,
    "gzip": _gunzip,
    "x-gzip": _gunzip,
    "deflate": _deflate,
    "br": _brotli,
    "zstd": _zstd,
}
