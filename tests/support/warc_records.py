"""WARC files made in tests: one small page a record."""

import gzip
import random
from pathlib import Path


def response(number: int, body: str = "", extra: str = "") -> bytes:
    """A record of a page, with `body` in it; the same bytes for the same arguments.

    `extra` is further lines of the WARC header, each with its line end.
    """
    # Text that compresses badly, so that members are long enough to be cut inside.
    noise = random.Random(number).randbytes(300).hex()
    html = f"<html><body><p>Page {number}. {body}{noise}</p></body></html>"
    block = f"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{html}".encode()
    head = (
        "WARC/1.0\r\n"
        "WARC-Type: response\r\n"
        f"WARC-Target-URI: http://site.example/{number}\r\n"
        f"WARC-Date: 2024-05-20T04:00:0{number % 10}Z\r\n"
        f"WARC-Record-ID: <urn:uuid:{number}>\r\n"
        f"{extra}"
        "Content-Type: application/http; msgtype=response\r\n"
        f"Content-Length: {len(block)}\r\n\r\n"
    )
    return head.encode() + block + b"\r\n\r\n"


def write(path: Path, records: list[bytes], members: bool = True) -> list[bytes]:
    """Write gzip members, or plain records; return the stretches of the file."""
    parts = [gzip.compress(record, mtime=0) for record in records] if members else records
    path.write_bytes(b"".join(parts))
    return parts
