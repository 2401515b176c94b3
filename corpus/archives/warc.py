"""Records of a WARC or ARC file, whatever state the file is in.

FastWARC does the reading. This module adds what it lacks: continuing after a damaged member, at the
next place where a record begins; telling a truncated file from a whole one; and exact offsets.
Everything in the file is handed over exactly once: a stretch that cannot be read becomes one
`Record` whose `problem` says why.
"""

import io
import mmap
import re
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from fastwarc.warc import ArchiveIterator, WarcRecord

from corpus.archives import arc
from corpus.archives.dates import iso_date
from corpus.archives.http_payload import media_types
from corpus.archives.record import Record, lost_stretch
from pipeline.errors import UserError

GZIP = b"\x1f\x8b\x08"

# Only WARC/0.x and 1.x exist. A line like this inside a page would be taken for a record, but it is
# searched for only after a damaged stretch.
_RECORD_START = re.compile(rb"(?:^|(?<=\n))WARC/[01]\.\d{1,2}\r?\n")
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_HEAD_LIMIT = 64 << 10  # bytes
_BLOCK = 1 << 20  # bytes inflated at a time
# What is said about bytes that gave no record.
_LOST = {
    "damaged_record": "bytes that belong to no record",
    "truncated_record": "the file ends inside this record",
}
_LENGTH_DIGITS = 19  # a length of so many digits fits no disk
_CONTENT_LENGTH = re.compile(rb"(?i)\ncontent-length:[ \t]*([^\r\n]*)")
_PADDING = re.compile(rb"[\r\n\x00 \t]*")


def read_records(path: str | Path, max_block: int = 64 << 20) -> Iterator[Record]:
    """Every record of a .warc or .arc file, plain or compressed, and every damaged stretch, in order.

    A WARC block longer than `max_block` bytes is not kept: its record has the problem "too_large".
    Raises UserError when the file is missing or may not be read.
    """
    path = Path(path)
    try:
        with open(path, "rb") as stream:
            # An empty file cannot be mapped, and holds no record.
            if not stream.read(1):
                return

            with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
                if arc.is_arc(data):
                    yield from arc.read_arc_records(data)
                else:
                    yield from _Reader(path, data, max_block).records()
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        raise UserError(f"{path}: cannot be read as a WARC file ({error.strerror})") from None


@dataclass(frozen=True, slots=True)
class _Span:
    """A stretch of the file that a record takes."""

    end: int
    problem: str  # "", or why its length is not to be believed


@dataclass(frozen=True, slots=True)
class _End:
    """Where a record ends in the file, and whether its gzip member is whole."""

    position: int
    whole: bool


class _Reader:
    """Runs FastWARC over the file, and restarts it after every place where it gives up."""

    def __init__(self, path: Path, data: mmap.mmap, max_block: int):
        self.path = path
        self.data = data
        self.max_block = max_block
        self.gzip = data[:3] == GZIP
        self.read_any = False

    def records(self) -> Iterator[Record]:
        return self._records_of_members() if self.gzip else self._plain_records()

    # ---- Uncompressed files

    def _plain_records(self) -> Iterator[Record]:
        """Each record is read by itself, so that a wrong length costs no other record."""
        position = 0
        while position < len(self.data):
            begin = self._next_start(position)
            if begin > position:
                failure = "" if self.read_any or position else "no WARC record begins here"
                yield from self._lost(position, begin, failure)
            if begin == len(self.data):
                return

            span = self._plain_span(begin)
            yield self._plain_record(begin, span)
            self.read_any = True
            position = span.end

    def _plain_record(self, begin: int, span: "_Span") -> Record:
        # No more of a record than is kept of it, however long it is.
        enough = begin + _HEAD_LIMIT + self.max_block
        for raw in self._iterate(begin, min(span.end, enough)):
            record = self._record(raw, begin)
            if span.problem:
                record.block = b""
                record.problem = "damaged_record"
                record.detail = span.problem
            return _with_end(record, span.end)
        detail = "the record's header cannot be read"
        return lost_stretch(begin, span.end, "damaged_record", detail)

    def _plain_span(self, begin: int) -> "_Span":
        """How far the record at `begin` goes: by its length, or to the next record if that is wrong."""
        size = len(self.data)
        head = _HEAD_END.search(self.data, begin, begin + _HEAD_LIMIT)
        if not head:
            return _Span(self._next_start(begin + 1), "")

        declared = _CONTENT_LENGTH.search(self.data, begin, head.start() + 1)
        if not declared:
            return _Span(self._next_start(head.start()), "")

        length = declared[1].strip()
        if _is_length(length.decode("latin-1")):
            end = head.end() + int(length)
            if end <= size:
                padding = _PADDING.match(self.data, end)
                after = padding.end() if padding else end
                if after == size or _RECORD_START.match(self.data, after):
                    return _Span(after, "")
                # Too short a length leaves bytes over, too long a one swallows the next record.
                if self._next_start(head.end()) >= end:
                    return _Span(after, "")

        # The file ends inside the record, unless another record follows: then the length is wrong.
        following = self._next_start(head.end())
        if following < size or not length.isdigit():
            shown = length[:30].decode("latin-1")
            return _Span(following, f"its Content-Length ({shown!r}) is wrong")
        return _Span(size, "")

    # ---- Compressed files

    def _records_of_members(self) -> Iterator[Record]:
        start = 0
        while start < len(self.data):
            # A record is held back until the next one's offset tells its length.
            held: Record | None = None
            failure = ""
            try:
                for raw in self._iterate(start):
                    previous = held.offset if held else start
                    offset = self._member_start(raw.stream_pos, previous)
                    if held and offset == held.offset:
                        break  # the member holds more than one record
                    if held:
                        yield _with_end(held, offset)
                    held = self._record(raw, offset)
            except (OSError, ValueError) as error:
                failure = str(error)

            if held:
                self.read_any = True
                end = self._end_of_member(held.offset)
                # The member may hold more: FastWARC stops at the first thing that it cannot read.
                inside = self._records_inside(held.offset, end)
                first_two = list(islice(inside, 2))
                if len(first_two) > 1:
                    yield from first_two
                    yield from inside
                    start = self._next_start(max(end.position, start + 1))
                    yield from self._lost(end.position, start, failure)
                    continue
                if not end.whole and not held.problem:
                    held.problem = "truncated_record"
                    held.detail = "the file ends inside its gzip member"
            else:
                end = _End(start, whole=True)

            # FastWARC takes an empty gzip member for the end of the file: see if more follows.
            if failure or end.position < len(self.data):
                resume = self._next_start(max(end.position, start + 1))
            else:
                resume = len(self.data)

            # A record that was begun and then failed accounts for all bytes up to the next good
            # one; bytes after a good record are a loss of their own.
            if held and held.problem:
                yield _with_end(held, resume)
            else:
                if held:
                    yield _with_end(held, min(end.position, resume))
                if end.position < resume:
                    yield from self._lost(end.position, resume, failure)
            start = resume

    def _records_inside(self, offset: int, end: _End) -> Iterator[Record]:
        """The records of one gzip member, read as those of an uncompressed file.

        In them `offset` is that of the member, and the last one has its length.
        """
        inflate = zlib.decompressobj(31)
        with tempfile.TemporaryFile() as inflated:
            with suppress(zlib.error):
                for position in range(offset, end.position, _BLOCK):
                    block = self.data[position : min(position + _BLOCK, end.position)]
                    inflated.write(inflate.decompress(block))
            inflated.flush()
            if not inflated.tell():
                return

            with mmap.mmap(inflated.fileno(), 0, access=mmap.ACCESS_READ) as content:
                held: Record | None = None
                for record in _Reader(self.path, content, self.max_block).records():
                    if held:
                        yield held
                    record.offset, record.length = offset, -1
                    held = record
                if held:
                    yield _with_end(held, end.position)

    def _iterate(self, start: int, end: int | None = None) -> Iterator[WarcRecord]:
        """FastWARC's records from `start` on; with `end`, of that stretch alone."""
        if end is not None:
            yield from ArchiveIterator(io.BytesIO(self.data[start:end]), parse_http=False)
            return
        with open(self.path, "rb") as stream:
            stream.seek(start)
            yield from ArchiveIterator(stream, parse_http=False)

    def _record(self, raw: WarcRecord, offset: int) -> Record:
        """FastWARC's record as ours; `length` is not known yet."""
        headers = raw.headers
        url = (headers.get("WARC-Target-URI") or "").strip()
        (mime, *_) = media_types(headers.get("Content-Type") or "")
        record = Record(
            kind=(headers.get("WARC-Type") or "unknown").strip().lower(),
            url=url.removeprefix("<").removesuffix(">"),  # Wget writes <http://...>
            date=iso_date(headers.get("WARC-Date") or ""),
            block=b"",
            offset=offset,
            length=-1,
            mime=mime,
            truncated="WARC-Truncated" in headers or "WARC-Segment-Number" in headers,
        )

        length = headers.get("Content-Length")
        if length is not None and not _is_length(length):
            record.problem = "damaged_record"
            record.detail = f"its Content-Length ({length[:30]!r}) is wrong"
            return record
        if length is None:
            record.problem = "truncated_record"
            record.detail = "the record's header breaks off"
            return record

        try:
            block = raw.reader.read(self.max_block + 1)
        except OSError as error:
            record.problem = "damaged_record"
            record.detail = str(error)
            return record

        if len(block) > self.max_block:
            record.problem = "too_large"
            record.detail = f"block of {raw.content_length} bytes"
            return record

        record.block = block
        if len(block) < raw.content_length:
            record.problem = "truncated_record"
            record.detail = f"{len(block)} of {raw.content_length} bytes: the file ends here"
        return record

    def _lost(self, start: int, stop: int, failure: str) -> Iterator[Record]:
        """Bytes that gave no record, unless they are padding: line ends, zeros, an empty member."""
        rest = self.data[start:stop]
        problem = "damaged_record"

        if self.gzip and rest[:3] == GZIP and not failure:
            inflate = zlib.decompressobj(31)
            rest = inflate.decompress(rest)
            if not inflate.eof:
                problem = "truncated_record"

        is_whole_file = start == 0 and stop == len(self.data)
        if is_whole_file and failure and not self.read_any:
            problem = "not_a_warc"

        if rest.strip(b"\r\n\x00") or problem == "truncated_record":
            yield lost_stretch(start, stop, problem, failure or _LOST[problem])

    def _member_start(self, position: int, previous: int) -> int:
        """Where the gzip member begins that holds the record at `position`.

        In a file that is one single member, FastWARC gives a position that is no member's start:
        then it is the member of the record before.
        """
        if self.gzip and self.data[position : position + 3] != GZIP:
            return previous
        return position

    def _end_of_member(self, offset: int) -> _End:
        """Where the record at `offset` ends: by its gzip member, or else by its own Content-Length.

        Not whole when the file ends inside the member: then no checksum confirms the record.
        """
        inflate = zlib.decompressobj(31)
        position = offset
        try:
            while position < len(self.data) and not inflate.eof:
                block = self.data[position : position + _BLOCK]
                inflate.decompress(block)
                position += len(block)
        except zlib.error:
            return _End(offset + 1, whole=True)
        return _End(position - len(inflate.unused_data), whole=inflate.eof)

    def _next_start(self, position: int) -> int:
        """Where at or after `position` a record can begin; the file's end if nowhere."""
        if not self.gzip:
            match = _RECORD_START.search(self.data, position)
            return match.start() if match else len(self.data)

        # The three bytes also occur inside members: a record begins where they can be inflated to a
        # WARC header.
        while (position := self.data.find(GZIP, position)) >= 0:
            candidate = self.data[position : position + 4096]
            try:
                head = zlib.decompressobj(31).decompress(candidate, 16)
            except zlib.error:
                head = b""
            if head.startswith(b"WARC/"):
                return position
            position += 1
        return len(self.data)


def _is_length(text: str) -> bool:
    """Whether a Content-Length can be one."""
    return text.isascii() and text.strip().isdecimal() and len(text) < _LENGTH_DIGITS


def _with_end(record: Record, end: int) -> Record:
    record.length = end - record.offset if end > record.offset else -1
    return record
