"""Records of a WARC or ARC file, whatever state the file is in.

FastWARC reads; this module adds what it does not do: going on behind a damaged member (the next place where a record
begins), telling a truncated file from a whole one, and exact offsets. Everything that was in the file is handed over
exactly once: a stretch that cannot be read comes as one `Record` whose `problem` says why.
"""

import mmap
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fastwarc.warc import ArchiveIterator, WarcRecord

from corpus.archives import arc
from pipeline.errors import UserError

GZIP = b"\x1f\x8b\x08"
_RECORD_START = re.compile(rb"(?:^|(?<=\n))WARC/[01]\.\d{1,2}\r?\n")
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_CONTENT_LENGTH = re.compile(rb"(?i)\ncontent-length:[ \t]*(\d{1,18})")


@dataclass(slots=True)
class Record:
    """One record. `block` is what follows the WARC header: for a response, HTTP header and body."""

    kind: str  # "response", "request", ...; "unknown" where the header is gone
    url: str
    date: str  # ISO 8601 with whole seconds, "" when absent
    block: bytes
    offset: int  # byte in the file where the record, or its gzip member, begins
    length: int  # bytes in the file
    mime: str = ""  # declared by the archive: "application/http", or ARC's content type
    truncated: bool = False  # marked by the crawler, or a segment of a longer record
    problem: str = ""  # "", "damaged_record", "truncated_record", "not_a_warc"
    detail: str = ""


def read_records(path: str | Path, max_block: int = 64 << 20) -> Iterator[Record]:
    """Every record of a .warc, .warc.gz, .arc or .arc.gz file, in order, then what could not be read.

    At most `max_block` bytes of a block are kept; a longer one has the problem "too_large". Raises UserError when
    the file is missing or may not be read.
    """
    path = Path(path)
    try:
        with open(path, "rb") as stream:
            if not stream.read(1):
                return
            with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
                if arc.is_arc(data):
                    yield from _from_arc(data)
                else:
                    yield from _Reader(path, data, max_block).records()
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        raise UserError(f"{path}: cannot be read as a WARC file ({error.strerror})") from None


class _Reader:
    """Runs FastWARC over the file, restarting it behind every place where it gives up."""

    def __init__(self, path: Path, data: mmap.mmap, max_block: int):
        self.path, self.data, self.max_block = path, data, max_block
        self.gzip = data[:3] == GZIP
        self.read_any = False

    def records(self) -> Iterator[Record]:
        start, size = 0, len(self.data)
        while start < size:
            held, failure = (
                None,
                "",
            )  # a record is handed over when the next one's offset tells its length
            try:
                for raw in self._iterate(start):
                    offset = self._member_start(raw.stream_pos, held.offset if held else start)
                    if held:
                        yield self._finished(held, offset)
                    held = self._record(raw, offset)
            except (OSError, ValueError) as error:
                failure = str(error)
            self.read_any |= held is not None
            lost_from, whole = self._end_of_member(held.offset) if held else (start, True)
            if held and not whole and not held.problem:
                held.problem, held.detail = (
                    "truncated_record",
                    "the file ends inside its gzip member",
                )
            # FastWARC takes an empty gzip member for the end of the file: look whether more follows.
            stop = (
                self._next_start(max(lost_from, start + 1)) if failure or lost_from < size else size
            )
            if held:
                yield self._finished(held, stop if held.problem else min(lost_from, stop))
            # A record that was begun and then failed stands for the whole stretch up to the next good one.
            if lost_from < stop and not (held and held.problem):
                yield from self._lost(lost_from, stop, failure)
            start = stop

    def _iterate(self, start: int) -> Iterator[WarcRecord]:
        stream = open(self.path, "rb")  # noqa: SIM115 -- closed by the generator's end
        try:
            stream.seek(start)
            yield from ArchiveIterator(stream, parse_http=False)
        finally:
            stream.close()

    def _record(self, raw: WarcRecord, offset: int) -> Record:
        headers = raw.headers
        url = (headers.get("WARC-Target-URI") or "").strip().removeprefix("<").removesuffix(">")
        record = Record(
            kind=(headers.get("WARC-Type") or "unknown").strip().lower(),
            url=url,
            date=iso_date(headers.get("WARC-Date") or ""),
            block=b"",
            offset=offset,
            length=-1,
            mime=(headers.get("Content-Type") or "").partition(";")[0].strip().lower(),
            truncated="WARC-Truncated" in headers or "WARC-Segment-Number" in headers,
        )
        if "Content-Length" not in headers:
            record.problem, record.detail = "truncated_record", "the record's header breaks off"
            return record
        try:
            record.block = raw.reader.read(self.max_block + 1)
        except OSError as error:
            record.problem, record.detail = "damaged_record", str(error)
            return record
        if len(record.block) > self.max_block:
            record.block, record.problem = b"", "too_large"
            record.detail = f"block of {raw.content_length} bytes"
        elif len(record.block) < raw.content_length:
            record.problem = "truncated_record"
            record.detail = f"{len(record.block)} of {raw.content_length} bytes: the file ends here"
        return record

    @staticmethod
    def _finished(record: Record, end: int) -> Record:
        record.length = end - record.offset if end > record.offset else -1
        return record

    def _lost(self, start: int, stop: int, failure: str) -> Iterator[Record]:
        """The stretch that gave no record, unless it is padding: white space, zeros or an empty gzip member."""
        rest = self.data[start:stop]
        problem = "damaged_record"
        if self.gzip and rest[:3] == GZIP and not failure:
            inflate = zlib.decompressobj(31)
            rest = inflate.decompress(rest)
            problem = "damaged_record" if inflate.eof else "truncated_record"
        if not self.read_any and start == 0 and stop == len(self.data) and failure:
            problem = "not_a_warc"
        if rest.strip(b"\r\n\x00") or problem == "truncated_record":
            detail = failure or "the file ends inside this record"
            yield Record(
                "unknown", "", "", b"", start, stop - start, problem=problem, detail=detail
            )

    def _member_start(self, position: int, previous: int) -> int:
        """Where the gzip member begins that holds the record. In a file that is one single member, FastWARC gives a
        position that is no member's start: then it is the member of the record before."""
        return previous if self.gzip and self.data[position : position + 3] != GZIP else position

    def _end_of_member(self, offset: int) -> tuple[int, bool]:
        """Where the record at `offset` ends, by its gzip member or its own Content-Length; False if the file ends
        inside the member: then nothing vouches for the record."""
        if not self.gzip:
            return self._end_of_plain(offset), True
        inflate = zlib.decompressobj(31)
        position = offset
        try:
            while position < len(self.data) and not inflate.eof:
                block = self.data[position : position + (1 << 20)]
                inflate.decompress(block)
                position += len(block)
        except zlib.error:
            return offset + 1, True
        return position - len(inflate.unused_data), inflate.eof

    def _end_of_plain(self, offset: int) -> int:
        head = _HEAD_END.search(self.data, offset, offset + (64 << 10))
        size = _CONTENT_LENGTH.search(self.data, offset, head.start() + 2) if head else None
        end = head.end() + int(size[1]) + 4 if head and size else len(self.data)
        return min(end, len(self.data))

    def _next_start(self, position: int) -> int:
        """The next byte at or behind `position` where a record can begin; the file's end if there is none."""
        if not self.gzip:
            match = _RECORD_START.search(self.data, position)
            return match.start() if match else len(self.data)
        while (position := self.data.find(GZIP, position)) >= 0:
            try:
                head = zlib.decompressobj(31).decompress(self.data[position : position + 4096], 16)
            except zlib.error:
                head = b""
            if head.startswith(b"WARC/"):
                return position
            position += 1
        return len(self.data)


def iso_date(value: str) -> str:
    """WARC/1.0 and 1.1 dates (with fractions of a second) to whole seconds; "" for anything else."""
    match = re.match(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?Z?$", value.strip())
    return match[1] + "Z" if match else ""


def _from_arc(data: mmap.mmap) -> Iterator[Record]:
    for entry in arc.read_entries(data):
        yield Record(
            kind="warcinfo" if entry.url.startswith("filedesc:") else "response",
            url=entry.url,
            date=entry.date,
            block=entry.block,
            offset=entry.offset,
            length=entry.length,
            mime=entry.mime,
            truncated=entry.truncated,
            problem=entry.problem,
            detail=entry.detail,
        )
