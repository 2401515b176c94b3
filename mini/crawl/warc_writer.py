"""Write WARC/1.0 files with one gzip member a record, the form Common Crawl publishes.

Bytes depend on the arguments only: record ids are derived from the file name and the record's number, dates are
given, and the gzip headers carry no time (ISO 28500; RFC 1952).
"""

import base64
import hashlib
import uuid
import zlib
from dataclasses import dataclass, field
from typing import BinaryIO

_REASONS = {200: "OK", 301: "Moved Permanently", 302: "Found", 403: "Forbidden", 404: "Not Found"}
_REASONS |= {500: "Internal Server Error", 503: "Service Unavailable"}
_LEVEL = 6


@dataclass(slots=True)
class Response:
    """One HTTP answer; `headers` are the HTTP headers besides Date, Server and Content-Length."""

    url: str
    date: str  # ISO 8601, UTC, "2024-05-18T03:20:00Z"
    body: bytes
    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=list)
    truncated: str | None = None  # value of WARC-Truncated, when the payload was cut by the crawler


class WarcWriter:
    """Append records to a binary stream; the first one is the warcinfo record."""

    def __init__(self, stream: BinaryIO, name: str, date: str, software: str = "mini world"):
        self.stream, self.name, self.count = stream, name, 0
        self.member = b""
        info = f"software: {software}\r\nformat: WARC File Format 1.0\r\nisPartOf: {name}\r\n"
        headers = [("WARC-Filename", name), ("Content-Type", "application/warc-fields")]
        self._record("warcinfo", date, info.encode(), headers)

    def response(
        self, page: Response, with_request: bool = False, with_metadata: bool = False
    ) -> None:
        """Write the response record, with its request record before it and its metadata record after it if asked."""
        if with_request:
            self._request(page)
        head = [f"HTTP/1.1 {page.status} {_REASONS[page.status]}", "Server: mini"]
        head += [f"{key}: {value}" for key, value in page.headers]
        if not any(key == "Transfer-Encoding" for key, _ in page.headers):
            head.append(f"Content-Length: {len(page.body)}")
        block = "\r\n".join(head).encode("ascii") + b"\r\n\r\n" + page.body
        headers = [
            ("WARC-Target-URI", page.url),
            ("Content-Type", "application/http; msgtype=response"),
            ("WARC-Payload-Digest", _digest(page.body)),
        ]
        if page.truncated:
            headers.append(("WARC-Truncated", page.truncated))
        target = self._record("response", page.date, block, headers)
        if with_metadata:
            fields = f"fetchTimeMs: {len(page.body) % 700 + 40}\r\n".encode()
            links = [("WARC-Target-URI", page.url), ("WARC-Concurrent-To", target)]
            self._record(
                "metadata", page.date, fields, [*links, ("Content-Type", "application/warc-fields")]
            )

    def cut_last(self) -> None:
        """Remove the second half of the last gzip member, as a broken download would."""
        self.stream.seek(-(len(self.member) // 2), 1)
        self.stream.truncate()

    def _request(self, page: Response) -> None:
        host, _, path = page.url.partition("://")[2].partition("/")
        block = f"GET /{path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: mini\r\nAccept: text/html\r\n\r\n".encode()
        headers = [
            ("WARC-Target-URI", page.url),
            ("Content-Type", "application/http; msgtype=request"),
        ]
        self._record("request", page.date, block, headers)

    def _record(self, kind: str, date: str, block: bytes, headers: list[tuple[str, str]]) -> str:
        identity = f"<urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'{self.name}#{self.count}')}>"
        self.count += 1
        lines = [
            "WARC/1.0",
            f"WARC-Type: {kind}",
            f"WARC-Record-ID: {identity}",
            f"WARC-Date: {date}",
        ]
        lines += [f"{key}: {value}" for key, value in headers]
        lines.append(f"Content-Length: {len(block)}")
        data = "\r\n".join(lines).encode("utf-8") + b"\r\n\r\n" + block + b"\r\n\r\n"
        packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, wbits=31)
        self.member = packer.compress(data) + packer.flush()
        self.stream.write(self.member)
        return identity


def chunked(body: bytes, size: int = 4096) -> bytes:
    """`body` in HTTP/1.1 chunked transfer coding."""
    parts = [body[i : i + size] for i in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def _digest(data: bytes) -> str:
    return "sha1:" + base64.b32encode(hashlib.sha1(data).digest()).decode()
