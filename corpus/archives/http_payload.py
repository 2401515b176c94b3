"""From the bytes of an HTTP response to its header fields and its decoded body.

Servers lie about both kinds of encoding. A body that does not decode as declared is used unchanged
when it looks like text, and refused otherwise; odd headers never raise.
"""

import io
import re
import zlib
from dataclasses import dataclass, field

from fastwarc.stream_io import BrotliReader, ZstdReader

_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_STATUS = re.compile(rb"HTTP/\d(?:\.\d)?[ \t]+(\d{3})(?!\d)")
_CHUNK_SIZE = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,8})[^\r\n]*\r?\n")
# A token of RFC 9110 on each side of the slash.
_MEDIA_TYPE = re.compile(r"""[\s"'<]*([\w!#$&^.+-]+)\s*/\s*([\w!#$&^.+*-]+)""", re.ASCII)
_HEADER_LIMIT = 64 << 10  # bytes
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")

# ESC stays allowed: ISO-2022-JP switches its alphabets with it.
_CONTROL = bytes(code for code in range(32) if code not in b"\t\n\r\f\x1b")

# Window sizes of zlib, which also say what wraps the compressed bytes (zlib manual, inflateInit2).
_GZIP_WINDOW = 31
_ZLIB_WINDOW = 15
_RAW_WINDOW = -15


class PayloadError(ValueError):
    """The body cannot be recovered; `reason` is the reason for the reject."""

    def __init__(self, reason: str, detail: str):
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


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
    """Split a response block into status, header fields and body.

    Bare LF, folded fields, lines without colon and missing status lines are tolerated.

    A block that begins with markup has no HTTP header at all: it is its own body.
    """
    if block[:64].lstrip()[:1] == b"<":
        return Http(None, {}, block)

    head, body = block, b""
    end = _BLANK_LINE.search(block, 0, _HEADER_LIMIT)
    if end:
        head = block[: end.start()]
        body = block[end.end() :]

    found = _STATUS.match(head)
    status = int(found[1]) if found else None
    http = Http(status, {}, body)

    name = ""  # of the field that a folded line continues; "" after a line that is no field
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


def media_types(value: str) -> list[str]:
    """The media types of a Content-Type header, in lower case and without parameters.

    Servers write `text/html charset=utf-8`, `text/html,charset=utf-8`, `"text/html"`, and lists. A
    value without any type in it is returned as it is.
    """
    types = []
    for part in value.split(","):
        if match := _MEDIA_TYPE.match(part):
            types.append(f"{match[1]}/{match[2]}".lower())
    return types or [value.partition(";")[0].strip().lower()]


def decoded_body(http: Http, limit: int) -> bytes:
    """The body with transfer and content encodings undone, in the order RFC 9110 prescribes.

    Raises PayloadError("encoding") when it cannot be decoded and is not text,
    PayloadError("too_large") when it would grow beyond `limit` bytes.
    """
    # Encodings were applied in the order of their names, transfer encodings last: go backwards.
    names = _encodings(http.get("content-encoding")) + _encodings(http.get("transfer-encoding"))
    body = http.body
    for name in reversed(names):
        try:
            body = _DECODERS[name](body, limit)
        except PayloadError:
            raise
        except (zlib.error, OSError, ValueError, EOFError) as error:
            if not looks_like_text(body):
                raise PayloadError("encoding", f"not {name}: {error}") from None
    return body


def looks_like_text(body: bytes) -> bool:
    """Whether the first 4 kB hold at most 2 % control characters; UTF-16 is told by its mark."""
    head = body[:4096]
    if head[:2] in _UTF16_MARKS:
        return True
    return len(head.translate(None, _CONTROL)) >= 0.98 * len(head)


def dechunk(body: bytes, limit: int) -> bytes:
    """Undo chunked transfer encoding (RFC 9112, section 7.1); a broken later chunk ends the body.

    Raises ValueError when the first chunk is not one, PayloadError when the body exceeds `limit`
    bytes.
    """
    parts: list[bytes] = []
    position = 0
    while header := _CHUNK_SIZE.match(body, position):
        size = int(header[1], 16)
        position = header.end()
        if not parts and size > len(body) - position + 2:
            raise ValueError("first chunk is longer than the body")
        parts.append(body[position : position + size])
        position += size

        if body.startswith(b"\r\n", position):
            position += 2
        elif body.startswith(b"\n", position):
            position += 1
        elif size and position < len(body):
            # The declared size was wrong: no chunk boundary follows. Keep the rest unchanged.
            parts.append(body[position:])
            break

        # An empty chunk is the last one.
        if size == 0:
            break

    if not parts:
        raise ValueError("no chunk size")
    return _bounded(b"".join(parts), limit)


def _encodings(value: str) -> list[str]:
    """The encodings that a header field names and that we can undo."""
    names = [part.strip().strip('"') for part in value.lower().split(",")]
    return [name for name in names if name in _DECODERS]


def _gunzip(body: bytes, limit: int) -> bytes:
    return _inflate(body, _GZIP_WINDOW, limit)


def _deflate(body: bytes, limit: int) -> bytes:
    """RFC 1950, as the standard says, or bare RFC 1951, as some servers send it."""
    try:
        return _inflate(body, _ZLIB_WINDOW, limit)
    except zlib.error:
        return _inflate(body, _RAW_WINDOW, limit)


def _inflate(body: bytes, window: int, limit: int) -> bytes:
    """Inflate; a body that ends early gives what there was of it."""
    return _bounded(zlib.decompressobj(window).decompress(body, limit + 1), limit)


def _brotli(body: bytes, limit: int) -> bytes:
    reader = BrotliReader(io.BytesIO(body))
    return _bounded(reader.read(limit + 1), limit)


def _zstd(body: bytes, limit: int) -> bytes:
    reader = ZstdReader(io.BytesIO(body))
    return _bounded(reader.read(limit + 1), limit)


def _bounded(body: bytes, limit: int) -> bytes:
    """Decoders stop one byte after the limit, so that a small bomb cannot fill the memory."""
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
