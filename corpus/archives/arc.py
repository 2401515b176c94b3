"""ARC files, the Internet Archive's format before WARC: one header line, then the HTTP response.

Header lines of version 1 are `URL IP-address date content-type length`. URLs may hold spaces, so
fields are counted from the right. Lengths may be nonsense: then reading continues at the next line
that looks like a header.
"""

import mmap
import re
import zlib
from collections.abc import Iterator

from corpus.archives.record import Record

_GZIP = b"\x1f\x8b\x08"
_FILE_HEADER = b"filedesc:"  # the "URL" of the record that describes the file itself

# URL, IP address, date, content type, length. The date is what tells such a line from any other.
_HEADER = re.compile(
    rb"(?:^|(?<=\n))([a-z][a-z0-9+.-]*:[^\n]*?) (\S+) (\d{12,18}) (\S+) (\S+)[ \t]*\r?\n",
    re.IGNORECASE,
)
_DATE = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)")


def is_arc(data: bytes | mmap.mmap) -> bool:
    """Whether the bytes, or the first gzip member in them, begin with an ARC file header."""
    head = data[:4096]
    if head[:3] == _GZIP:
        try:
            head = zlib.decompressobj(31).decompress(head, 32)
        except zlib.error:
            return False
    return head.startswith(_FILE_HEADER)


def read_arc_records(data: bytes | mmap.mmap) -> Iterator[Record]:
    """Every record of an ARC file held in memory (or mapped), in order.

    In a compressed file, `offset` and `length` are those of the gzip member that holds the record.
    """
    if data[:3] == _GZIP:
        yield from _records_of_members(data)
    else:
        yield from _records_of(bytes(data))


def _records_of_members(data: bytes | mmap.mmap) -> Iterator[Record]:
    position = 0
    while 0 <= position < len(data):
        inflate = zlib.decompressobj(31)
        content, failure = b"", ""
        try:
            content = inflate.decompress(data[position:])
        except zlib.error as error:
            failure = str(error)

        if inflate.eof and not failure:
            end = len(data) - len(inflate.unused_data)
            for record in _records_of(content):
                record.offset = position
                record.length = end - position
                yield record
            position = end
            continue

        # This member cannot be read: report it, and continue where the next one seems to begin.
        following = data.find(_GZIP, position + 1)
        end = following if following >= 0 else len(data)
        yield Record(
            kind="response",
            url="",
            date="",
            block=b"",
            offset=position,
            length=end - position,
            problem="damaged_record" if failure else "truncated_record",
            detail=failure or "the file ends inside this record",
        )
        position = following


def _records_of(content: bytes) -> Iterator[Record]:
    """The records of uncompressed bytes; offsets count from their beginning."""
    position = 0
    while header := _HEADER.search(content, position):
        url, _, date, mime, size = (field.decode("latin-1") for field in header.groups())
        record = Record(
            kind="warcinfo" if url.startswith(_FILE_HEADER.decode()) else "response",
            url=url,
            date=_iso_date(date),
            block=b"",
            offset=header.start(),
            length=-1,
            mime=mime.lower(),
        )

        start = header.end()
        if size.isdecimal() and start + int(size) <= len(content):
            position = start + int(size)
            record.block = content[start:position]
        else:
            # The length is wrong: the record ends where the next header begins.
            following = _HEADER.search(content, start)
            position = following.start() if following else len(content)
            record.truncated = True
            if size.isdecimal():
                record.block = content[start:position]
            else:
                record.problem = "damaged_record"
                record.detail = f"length {size!r}"

        record.length = position - header.start()
        yield record


def _iso_date(digits: str) -> str:
    """`YYYYMMDDhhmmss` as ISO 8601; "" where an odd writer left out or added digits."""
    match = _DATE.fullmatch(digits)
    return "{}-{}-{}T{}:{}:{}Z".format(*match.groups()) if match else ""
