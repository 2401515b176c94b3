"""Write WARC/1.0 files with one gzip member a record, the form Common Crawl publishes.

Bytes depend on the arguments only: record ids are derived from the file name and the record's number, dates are
given, and the gzip headers carry no time (ISO 28500; RFC 1952).
"""

import base64
import hashlib
import os
import uuid
import zlib
from dataclasses import dataclass, field
from typing import BinaryIO

REASONS = {
    200: "OK",
    301: "Moved Permanently",
    302: "Found",
    403: "Forbidden",
    404: "Not Found",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
_LEVEL = 6
_GZIP = zlib.MAX_WBITS | 16  # zlib's way of asking for a gzip header and trailer

Headers = list[tuple[str, str]]


@dataclass(slots=True)
class Response:
    """One HTTP answer; `headers` are the HTTP headers besides Date, Server and Content-Length."""

    url: str
    date: str  # ISO 8601, UTC, "2024-05-18T03:20:00Z"
    body: bytes
    status: int = 200
    headers: Headers = field(default_factory=list)
    truncated: str | None = None  # value of WARC-Truncated, when the payload was cut by the crawler


class WarcWriter:
    """Append records to a binary stream; the first one is the warcinfo record."""

    def __init__(self, stream: BinaryIO, name: str, date: str, software: str = "mini world"):
        self.stream = stream
        self.name = name
        self.count = 0
        self.member = b""

        headers = [("WARC-Filename", name), ("Content-Type", "application/warc-fields")]
        fields = [
            ("software", software),
            ("format", "WARC File Format 1.0"),
            ("isPartOf", name),
        ]
        self._record("warcinfo", date, _lines(fields), headers)

    def response(
        self, page: Response, with_request: bool = False, with_metadata: bool = False
    ) -> None:
        """Write the response record, with its request record before it and its metadata record after it if asked."""
        if with_request:
            self._request(page)

        headers = [
            ("WARC-Target-URI", page.url),
            ("Content-Type", "application/http; msgtype=response"),
            ("WARC-Payload-Digest", _digest(page.body)),
        ]
        if page.truncated:
            headers.append(("WARC-Truncated", page.truncated))
        record_id = self._record("response", page.date, _http_response(page), headers)

        if with_metadata:
            self._metadata(page, record_id)

    def cut_last(self) -> None:
        """Remove the second half of the last gzip member, as a broken download would."""
        lost = len(self.member) // 2
        self.stream.seek(-lost, os.SEEK_CUR)
        self.stream.truncate()

    def _request(self, page: Response) -> None:
        _, _, address = page.url.partition("://")
        host, _, path = address.partition("/")
        request = [("Host", host), ("User-Agent", "mini"), ("Accept", "text/html")]
        block = _head(f"GET /{path} HTTP/1.1", request)

        headers = [
            ("WARC-Target-URI", page.url),
            ("Content-Type", "application/http; msgtype=request"),
        ]
        self._record("request", page.date, block, headers)

    def _metadata(self, page: Response, record_id: str) -> None:
        # A time of the fetch that depends on the page only.
        fetch_time = len(page.body) % 700 + 40
        block = _lines([("fetchTimeMs", str(fetch_time))])

        headers = [
            ("WARC-Target-URI", page.url),
            ("WARC-Concurrent-To", record_id),
            ("Content-Type", "application/warc-fields"),
        ]
        self._record("metadata", page.date, block, headers)

    def _record(self, kind: str, date: str, block: bytes, headers: Headers) -> str:
        """Write one record as a gzip member and return its id."""
        name = f"{self.name}#{self.count}"
        record_id = f"<urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, name)}>"
        self.count += 1

        all_headers = [
            ("WARC-Type", kind),
            ("WARC-Record-ID", record_id),
            ("WARC-Date", date),
            *headers,
            ("Content-Length", str(len(block))),
        ]
        data = _head("WARC/1.0", all_headers) + block + b"\r\n\r\n"

        # A member of its own, so that a reader may begin at any record.
        packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, wbits=_GZIP)
        self.member = packer.compress(data) + packer.flush()
        self.stream.write(self.member)
        return record_id


def chunked(body: bytes, size: int = 4096) -> bytes:
    """`body` in HTTP/1.1 chunked transfer coding."""
    chunks = []
    for start in range(0, len(body), size):
        part = body[start : start + size]
        chunks.append(b"%x\r\n%b\r\n" % (len(part), part))
    return b"".join(chunks) + b"0\r\n\r\n"


def _http_response(page: Response) -> bytes:
    headers = [("Server", "mini"), *page.headers]

    # A chunked body says its length itself (RFC 9112, section 6.2).
    names = [key for key, _ in page.headers]
    if "Transfer-Encoding" not in names:
        headers.append(("Content-Length", str(len(page.body))))

    reason = REASONS[page.status]
    return _head(f"HTTP/1.1 {page.status} {reason}", headers) + page.body


def _head(first_line: str, headers: Headers) -> bytes:
    """The head of an HTTP message or a WARC record, with the empty line that ends it."""
    return f"{first_line}\r\n".encode() + _lines(headers) + b"\r\n"


def _lines(fields: Headers) -> bytes:
    text = "".join(f"{key}: {value}\r\n" for key, value in fields)
    return text.encode("utf-8")


def _digest(data: bytes) -> str:
    """As Common Crawl writes it: SHA-1 in base 32."""
    digest = hashlib.sha1(data).digest()
    return "sha1:" + base64.b32encode(digest).decode("ascii")
