"""ARC files, the Internet Archive's format before WARC: one header line per record, then the HTTP response.

Version 1 header lines: `URL IP-address date content-type length`. URLs may hold spaces, so fields are counted from
the right. Lengths may be nonsense: reading goes on at the next line that looks like a header.
"""

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

_GZIP = b"\x1f\x8b\x08"
_HEADER = re.compile(
    rb"(?:^|(?<=\n))([a-z][a-z0-9+.-]*:[^\n]*?) (\S+) (\d{12,18}) (\S+) (\S+)[ \t]*\r?\n",
    re.IGNORECASE,
)


@dataclass(slots=True)
class Entry:
    """One ARC record; `offset` and `length` are those of its gzip member where the file is compressed."""

    url: str
    date: str
    mime: str
    block: bytes
    offset: int
    length: int
    truncated: bool = False  # shorter than its header says
    problem: str = ""
    detail: str = ""


def is_arc(data) -> bool:
    """Whether the bytes, or the first gzip member in them, begin with an ARC file header."""
    head = data[:4096]
    if head[:3] == _GZIP:
        try:
            head = zlib.decompressobj(31).decompress(head, 32)
        except zlib.error:
            return False
    return head.startswith(b"filedesc:")


def read_entries(data) -> Iterator[Entry]:
    """Every record of an ARC file held in memory (or mapped)."""
    if data[:3] != _GZIP:
        yield from _entries_of(bytes(data), 0, len(data), plain=True)
        return
    position = 0
    while position >= 0 and position < len(data):
        inflate = zlib.decompressobj(31)
        problem, content = "", b""
        try:
            content = inflate.decompress(data[position:])
        except zlib.error as error:
            problem = str(error)
        if not problem and inflate.eof:
            end = len(data) - len(inflate.unused_data)
            yield from _entries_of(content, position, end - position, plain=False)
        else:
            end = data.find(_GZIP, position + 1)
            stop = end if end >= 0 else len(data)
            kind = "damaged_record" if problem else "truncated_record"
            detail = problem or "the file ends inside this record"
            yield Entry("", "", "", b"", position, stop - position, problem=kind, detail=detail)
        position = end


def _entries_of(content: bytes, offset: int, length: int, plain: bool) -> Iterator[Entry]:
    """Records in a stretch of uncompressed bytes that begins at `offset` in the file."""
    position = 0
    while match := _HEADER.search(content, position):
        url, _, date, mime, size = (part.decode("latin-1") for part in match.groups())
        entry = Entry(url, _iso_date(date), mime.lower(), b"", offset, length)
        start = match.end()
        if size.isdecimal() and start + int(size) <= len(content):
            position = start + int(size)
            entry.block = content[start:position]
        else:
            following = _HEADER.search(content, start)
            position = following.start() if following else len(content)
            entry.block = content[start:position]
            if not size.isdecimal():
                entry.block, entry.problem, entry.detail = b"", "damaged_record", f"length {size!r}"
            entry.truncated = True
        if plain:
            entry.offset, entry.length = match.start(), position - match.start()
        yield entry


def _iso_date(digits: str) -> str:
    """`YYYYMMDDhhmmss`, where odd writers left out or added digits, as ISO 8601; "" when it is no date."""
    match = re.fullmatch(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)", digits)
    return "{}-{}-{}T{}:{}:{}Z".format(*match.groups()) if match else ""
