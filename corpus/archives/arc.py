"""ARC files, the Internet Archive's format before WARC: one header line, then the HTTP response.

Header lines of version 1 are `URL IP-address date content-type length`; version 2 has five more
fields before the length: `result-code checksum location offset filename`. URLs may hold spaces, so
fields are counted from the right. Lengths may be nonsense: then reading continues at the next line
that looks like a header. What lies between records and is none becomes a damaged record.
"""

import mmap
import re
import zlib
from collections.abc import Iterator

from corpus.archives.dates import iso_date
from corpus.archives.http_payload import media_types
from corpus.archives.record import Record, lost_stretch

_GZIP = b"\x1f\x8b\x08"
_FILE_HEADER = b"filedesc:"  # the "URL" of the record that describes the file itself

# URL, IP address, date, content type (with its parameters, if the writer left them there), the five
# fields of version 2, length. The date is what tells such a line from any other.
_HEADER = re.compile(
    rb"(?:^|(?<=\n))([a-z][a-z0-9+.-]*:[^\n]*?) (\S+) (\d{12,18}) (\S+(?:; ?[^\s;]+)*)"
    rb"(?: \S+ \S+ \S+ \S+ \S+)? (\S+)[ \t]*\r?\n",
    re.IGNORECASE,
)
_PADDING = b"\r\n\x00 \t"
_PADDING_RUN = re.compile(rb"[\r\n\x00 \t]*")


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
            records = list(_records_of(content))
            if not records and content.strip(_PADDING):
                detail = "no ARC header in this gzip member"
                records = [lost_stretch(0, len(content), "damaged_record", detail)]
            for record in records:
                record.offset = position
                record.length = end - position
                yield record
            position = end
            continue

        # This member cannot be read: report it, and continue where the next one seems to begin.
        following = data.find(_GZIP, position + 1)
        end = following if following >= 0 else len(data)
        problem = "damaged_record" if failure else "truncated_record"
        detail = failure or "the file ends inside this record"
        yield lost_stretch(position, end, problem, detail, kind="response")
        position = following


def _records_of(content: bytes) -> Iterator[Record]:
    """The records of uncompressed bytes; offsets count from their beginning."""
    position = 0
    while header := _HEADER.search(content, position):
        if content[position : header.start()].strip(_PADDING):
            yield lost_stretch(position, header.start(), "damaged_record", "between two records")
        url, _, date, mime, size = (field.decode("latin-1") for field in header.groups())
        record = Record(
            kind="warcinfo" if url.startswith(_FILE_HEADER.decode()) else "response",
            url=url,
            date=iso_date(date),
            block=b"",
            offset=header.start(),
            length=-1,
            mime=media_types(mime)[0],
        )

        start = header.end()
        end = start + int(size) if size.isdecimal() else len(content) + 1
        next_header = len(content)
        is_right = end <= len(content) and _begins_record(content, end)
        if not is_right:
            following = _HEADER.search(content, start)
            next_header = following.start() if following else len(content)

        # Bytes may be left over behind a record, but its length must not swallow the next one.
        if is_right or end <= next_header:
            position = end
            record.block = content[start:position]
        else:
            # The length is wrong: the record ends where the next header begins.
            position = next_header
            record.truncated = True
            if size.isdecimal():
                record.block = content[start:position]
            else:
                record.problem = "damaged_record"
                record.detail = f"length {size!r}"

        record.length = position - header.start()
        yield record

    # Without any header at all the caller knows more about what this is.
    if position and content[position:].strip(_PADDING):
        yield lost_stretch(position, len(content), "damaged_record", "after the last record")


def _begins_record(content: bytes, position: int) -> bool:
    """Whether another header, or nothing at all, follows here."""
    padding = _PADDING_RUN.match(content, position)
    after = padding.end() if padding else position
    return after == len(content) or _HEADER.match(content, after) is not None
