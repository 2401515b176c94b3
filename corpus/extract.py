"""WARC, ARC or HTML files to pages: text with its mathematics, language, and where it came from.

Reads   archives (.warc, .arc, plain or compressed; WARC/1.0 and 1.1) or HTML files; `-` is stdin.
        What is named by an address (http, https) or as commoncrawl:<crawl>#<number> is fetched into
        --scratch, one file at a time, and deleted when its pages are extracted.
Writes  alone: a JSON object a page on stdout, and with --rejects the dropped records (url, reason,
        detail); in the DAG (--config): the page table, the table of rejects, and the counts of one
        shard.

    python -m corpus.extract crawl.warc.gz --rejects dropped.jsonl > pages.jsonl
    python -m corpus.extract --config results/mini/config/corpus.extraction.json \\
        --shard mini-00000 --pages pages/mini-00000.parquet \\
        --rejects rejects/mini-00000.parquet --stats stats/mini-00000.json \\
        results/mini/world/warc/mini-00000.warc.gz

Every record is a page or has one reason: kept + sum(reasons) == records. Reasons: record_type (not
a response), damaged_record, truncated_record, not_a_warc, warc_header, bad_url, http_status, mime,
binary, encoding, empty_body, too_large, too_deep, no_text, timeout, memory, crash, extractor_error.
It does not drop pages for their language or content, and it removes no duplicates: later steps do.

Where a WARC record becomes a row of the page table: `read_items` below takes the records from their
file (corpus.archives.warc), `outcome_of` makes each a row (corpus.html.page) or a Reject, and
`write_shard` writes both. The first two run in a child process, which corpus.html.watchdog kills
when a page hangs.
"""

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import NamedTuple, NoReturn, TextIO

from corpus.archives.download import file_name, is_remote, local_copy
from corpus.archives.record import Record
from corpus.archives.sources import address
from corpus.archives.warc import GZIP, read_records
from corpus.html.page import Rejected, Row, page_of_html, page_of_record
from corpus.html.watchdog import Failure, guarded
from corpus.tables.pages import PAGES, REJECTS, TableWriter
from pipeline.artifacts.write import atomic_path, write_json
from pipeline.config.corpus import Extraction
from pipeline.config.read import read_section
from pipeline.errors import UserError, run_main
from pipeline.progress import Progress

_HTML_NAMES = (".html", ".htm", ".xhtml", ".xht", ".shtml")
# Bytes of the file that could not be read; with `strict` settings the first ends the job.
_DAMAGED = ("damaged_record", "not_a_warc")
_LOST = (*_DAMAGED, "truncated_record")


@dataclass(frozen=True, slots=True)
class Source:
    """A file to extract; `body` is what stdin held."""

    path: str
    is_html: bool
    body: bytes | None = None

    @property
    def name(self) -> str:
        return file_name(self.path)


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to extract: a record of an archive, or the whole of an HTML file."""

    source: Source
    content: Record | bytes


@dataclass(frozen=True, slots=True)
class Reject:
    """A record that is no page; a row of `corpus.tables.pages.REJECTS`."""

    url: str
    reason: str
    detail: str
    warc_file: str
    warc_offset: int  # bytes
    record_type: str


class Place(NamedTuple):
    """Where an item is. A tuple: it is the label that the watchdog carries between processes."""

    file: str
    url: str
    offset: int  # bytes
    kind: str

    def reject(self, reason: str, detail: str) -> Reject:
        return Reject(self.url, reason, detail, self.file, self.offset, self.kind)


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    sources = [open_source(address(path, args.crawls)) for path in args.files]
    settings = read_section(args.config, Extraction) if args.config else Extraction()

    outcomes = extract(sources, settings, args.scratch)

    if args.pages:
        write_shard(outcomes, sources, settings, args)
    else:
        write_lines(outcomes, args.rejects)


# ---- files to rows ----


def extract(
    sources: list[Source], settings: Extraction, scratch: Path | None = None
) -> Iterator[Row | Reject]:
    """A row or a Reject for every record of the files, in order.

    Args:
        sources: files here, or addresses.
        settings: limits of a page.
        scratch: folder for files to be fetched; a temporary one when None.
    """
    # Neighbours of one kind go together: one child process extracts all local files in a row.
    for remote, group in groupby(sources, key=lambda source: is_remote(source.path)):
        if not remote:
            yield from _extract_files(list(group), settings)
        elif scratch is None:
            with tempfile.TemporaryDirectory() as folder:
                yield from _extract_remote(group, settings, Path(folder))
        else:
            yield from _extract_remote(group, settings, scratch)
            if not any(scratch.iterdir()):
                scratch.rmdir()


def _extract_remote(
    sources: Iterable[Source], settings: Extraction, folder: Path
) -> Iterator[Row | Reject]:
    """One file at a time: the disk holds one WARC file (about 1 GB) a job."""
    for source in sources:
        with local_copy(source.path, folder) as path:
            yield from _extract_files([open_source(str(path))], settings)


def _extract_files(sources: list[Source], settings: Extraction) -> Iterator[Row | Reject]:
    outcomes = guarded(
        items=partial(read_items, sources),
        work=partial(outcome_of, settings=settings),
        label=place_of,
        seconds=settings.page_seconds,
        memory_mb=settings.memory_mb,
    )
    for outcome in outcomes:
        if isinstance(outcome, Failure):
            # The label comes back as a plain tuple, its texts cut if they were very long.
            file, url, offset, kind = outcome.label
            place = Place(str(file), str(url), int(offset), str(kind))
            yield place.reject(outcome.reason, outcome.detail)
        else:
            yield outcome


def read_items(sources: list[Source]) -> Iterator[Item]:
    """Every record of every file; an HTML file is one item. Runs in the child process."""
    for source in sources:
        if source.body is not None:
            yield Item(source, source.body)
        elif source.is_html:
            yield Item(source, Path(source.path).read_bytes())
        else:
            for record in read_records(source.path):
                yield Item(source, record)


def outcome_of(item: Item, settings: Extraction) -> Row | Reject:
    """Extract one item. What goes wrong with a page is its reason, not the end of the shard.

    Runs in the child process.
    """
    source, content = item.source, item.content

    try:
        if isinstance(content, Record):
            return page_of_record(content, source.name, settings)
        return page_of_html(content, source.path, settings)
    except Rejected as rejected:
        return place_of(item).reject(rejected.reason, rejected.detail)
    except MemoryError:
        return place_of(item).reject("memory", f"more than {settings.memory_mb} MB")
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # native extensions panic with exceptions that are no Exception
        detail = f"{type(error).__name__}: {error}"
        return place_of(item).reject("extractor_error", detail[:300])


def place_of(item: Item) -> Place:
    """Where an item is; an HTML file has its path in the place of a URL."""
    source, content = item.source, item.content
    if isinstance(content, Record):
        return Place(source.name, content.url, content.offset, content.kind)
    return Place(source.name, source.path, 0, "html")


# ---- rows to files ----


def write_lines(outcomes: Iterable[Row | Reject], rejects: str | None) -> None:
    """Pages to stdout and rejects to a file, if one is named; a JSON object a line."""
    sink = _text_file(rejects) if rejects is not None else nullcontext()
    with sink as dropped:
        for outcome in outcomes:
            if isinstance(outcome, Reject):
                if dropped:
                    dropped.write(json.dumps(asdict(outcome), ensure_ascii=False) + "\n")
                continue

            # The table holds this column as JSON text; a JSON object can hold it as it is.
            outcome["math_kinds"] = json.loads(outcome["math_kinds"])
            sys.stdout.write(json.dumps(outcome, ensure_ascii=False) + "\n")
    sys.stdout.flush()


@contextmanager
def _text_file(path: str) -> Iterator[TextIO]:
    """A text file that appears when it is whole."""
    with atomic_path(path) as temporary, open(temporary, "w", encoding="utf-8") as stream:
        yield stream


def write_shard(
    outcomes: Iterable[Row | Reject],
    sources: list[Source],
    settings: Extraction,
    args: argparse.Namespace,
) -> None:
    """Write a shard's page table, table of rejects and counts.

    With `settings.strict`, bytes that could not be read are a UserError.
    """
    counts = ShardCounts({source.name: Counter() for source in sources})
    with (
        TableWriter(args.pages, PAGES) as pages,
        TableWriter(args.rejects, REJECTS) as rejects,
        Progress(f"extract {args.shard}", unit="records") as progress,
    ):
        for outcome in outcomes:
            if isinstance(outcome, Reject):
                rejects.add(asdict(outcome))
                counts.add(outcome.warc_file, outcome.reason)
                # Raised inside the contexts: none of the shard's files will appear.
                if settings.strict and outcome.reason in _LOST:
                    raise UserError(
                        f"{outcome.warc_file}: {outcome.reason} at byte {outcome.warc_offset}"
                    )
            else:
                pages.add(outcome)
                counts.add(outcome["warc_file"], "kept")
            progress.add(1, kept=counts.kept)

    for name in counts.files_with("truncated_record"):
        warning = f"warning: {name} is truncated; the records before the cut were kept"
        print(warning, file=sys.stderr)
    # The counts come last: where they are, the tables are whole.
    write_json(args.stats, counts.as_json(args.shard))


@dataclass(slots=True)
class ShardCounts:
    """What became of the records of a shard."""

    files: dict[str, Counter[str]]  # name -> "records", "kept", and each reason
    kept: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, file: str, result: str) -> None:
        """Count one record; `result` is "kept" or the reason of its reject."""
        self.files[file]["records"] += 1
        self.files[file][result] += 1
        if result == "kept":
            self.kept += 1
        else:
            self.reasons[result] += 1

    def files_with(self, *reasons: str) -> list[str]:
        """Names of the files that have a record rejected for one of these reasons."""
        names: list[str] = []
        for name, counts in self.files.items():
            if any(counts[reason] for reason in reasons):
                names.append(name)
        return sorted(names)

    def as_json(self, shard: str) -> dict[str, object]:
        """The content of the shard's --stats file."""
        files: dict[str, dict[str, int]] = {}
        for name, counts in sorted(self.files.items()):
            files[name] = dict(sorted(counts.items()))

        return {
            "shard": shard,
            "records": self.kept + sum(self.reasons.values()),
            "kept": self.kept,
            "reasons": dict(sorted(self.reasons.items())),
            "files": files,
            "truncated": self.files_with("truncated_record"),
            "damaged": self.files_with(*_DAMAGED),
        }


# ---- what the user names ----


def open_source(path: str) -> Source:
    """An archive or an HTML file, told by the file's name, then by its first bytes.

    Raises UserError when the file cannot be read.
    """
    if path == "-":
        return _standard_input()
    if is_remote(path):
        return Source(path, is_html=False)  # known when it is here

    try:
        with open(path, "rb") as stream:
            head = stream.read(4096)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None

    has_html_name = path.lower().endswith(_HTML_NAMES)
    begins_as_html = head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")
    return Source(path, has_html_name or begins_as_html)


def _standard_input() -> Source:
    body = sys.stdin.buffer.read()

    # Archives are mapped into memory, which needs a file.
    if body[:3] == GZIP or body.startswith((b"WARC/", b"filedesc:")):
        raise UserError("-: stdin takes one HTML page; give the name of an archive file instead")
    return Source("-", is_html=True, body=body)


class _Parser(argparse.ArgumentParser):
    """Bad usage is one line and exit status 2, as all mistakes of the user."""

    def error(self, message: str) -> NoReturn:
        raise UserError(f"corpus.extract: {message}; see python -m corpus.extract --help")


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    """The command line; UserError for bad usage."""
    parser = _Parser(
        prog="corpus.extract",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="archives, HTML files or addresses; - is stdin"
    )
    parser.add_argument(
        "--scratch", type=Path, help="where files are fetched to; kept there if the run is killed"
    )
    parser.add_argument("--crawls", type=Path, help="folder with the lists of corpus.commoncrawl")
    parser.add_argument(
        "--config", help="settings (section corpus.extraction) as JSON; default: the paper preset's"
    )
    parser.add_argument(
        "--rejects", help="where the dropped records go: JSON Lines, or Parquet with --pages"
    )
    parser.add_argument("--pages", help="write a shard: its page table (Parquet)")
    parser.add_argument("--stats", help="the shard's counts (JSON)")
    parser.add_argument("--shard", help="the shard's name")
    args = parser.parse_args(argv)

    of_a_shard = (args.pages, args.stats, args.shard)
    if any(of_a_shard) and not all((*of_a_shard, args.config, args.rejects)):
        parser.error("a shard needs --config, --shard, --pages, --rejects and --stats")
    return args


if __name__ == "__main__":
    run_main(main)
