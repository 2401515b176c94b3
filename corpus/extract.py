"""WARC, ARC or HTML files to pages: text with its mathematics, language, and where it came from.

Reads   archives (.warc, .arc, plain or compressed; WARC/1.0 and 1.1) or HTML files; `-` is stdin. What is named by
        an address (http, https) or as commoncrawl:<crawl>#<number> is fetched into --scratch, one file at a time,
        and deleted when its pages are extracted.
Writes  alone: a JSON object a page on stdout, and with --rejects the dropped records (url, reason, detail);
        in the DAG (--config): the page table, the table of rejects, and the counts of one shard.

    python -m corpus.extract crawl.warc.gz --rejects dropped.jsonl > pages.jsonl
    python -m corpus.extract --config results/mini/config/corpus.extraction.json --shard mini-00000 \\
        --pages pages/mini-00000.parquet --rejects rejects/mini-00000.parquet --stats stats/mini-00000.json \\
        results/mini/world/warc/mini-00000.warc.gz

Every record is a page or has one reason: kept + sum(reasons) == records. Reasons: record_type (not a response),
damaged_record, truncated_record, not_a_warc, warc_header, bad_url, http_status, mime, binary, encoding, empty_body,
too_large, too_deep, no_text, timeout, memory, crash, extractor_error.
It does not drop pages for their language or content, and it removes no duplicates: later steps do.
"""

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import NoReturn, TextIO

from corpus.archives.download import is_remote, local_copy
from corpus.archives.sources import address
from corpus.archives.warc import GZIP, Record, read_records
from corpus.html.page import Rejected, page_of_html, page_of_record
from corpus.html.watchdog import Failure, guarded
from corpus.tables.pages import PAGES, REJECTS, TableWriter
from pipeline.artifacts.write import atomic_path, write_json
from pipeline.config.corpus import Extraction
from pipeline.config.load import read_section
from pipeline.errors import UserError, run_main
from pipeline.progress import Progress

_HTML_NAMES = (".html", ".htm", ".xhtml", ".xht", ".shtml")
_LOST = frozenset({"damaged_record", "truncated_record", "not_a_warc"})


@dataclass(frozen=True, slots=True)
class Source:
    """A file to extract; `body` is what stdin held."""

    path: str
    is_html: bool
    body: bytes | None = None

    @property
    def name(self) -> str:
        return Path(self.path).name


def main(argv: list[str] | None = None) -> None:
    arguments = _arguments(argv)
    sources = [_source(address(path, arguments.crawls)) for path in arguments.files]
    if arguments.pages:
        extract_shard(arguments, sources)
    else:
        settings = read_section(arguments.config, Extraction) if arguments.config else Extraction()
        _extract_to_stdout(sources, settings, arguments)


def extract(
    sources: list[Source], settings: Extraction, scratch: Path | None = None
) -> Iterator[tuple[dict | None, dict | None]]:
    """(page, None) or (None, reject) for every record of the files, in order; `scratch` is for those to be fetched."""
    for remote, group in groupby(sources, key=lambda source: is_remote(source.path)):
        if not remote:
            yield from _extract_files(list(group), settings)
            continue
        with nullcontext(scratch) if scratch else tempfile.TemporaryDirectory() as folder:
            for source in group:
                with local_copy(source.path, Path(folder)) as path:
                    yield from _extract_files([_source(str(path))], settings)
            if scratch and not any(scratch.iterdir()):
                scratch.rmdir()


def _extract_files(
    sources: list[Source], settings: Extraction
) -> Iterator[tuple[dict | None, dict | None]]:
    work = partial(_outcome, settings=settings)
    for outcome in guarded(
        partial(_items, sources), work, _label, settings.page_seconds, settings.memory_mb
    ):
        if isinstance(outcome, Failure):
            file, url, offset, kind = outcome.label
            yield None, _reject(url, outcome.reason, outcome.detail, file, offset, kind)
        else:
            yield outcome


def extract_shard(arguments: argparse.Namespace, sources: list[Source]) -> dict:
    """Write a shard's three files and return its counts. `strict` settings turn losses into a UserError."""
    settings = read_section(arguments.config, Extraction)
    reasons, files, kept = Counter(), {source.name: Counter() for source in sources}, 0
    with (
        TableWriter(arguments.pages, PAGES) as pages,
        TableWriter(arguments.rejects, REJECTS) as rejects,
        Progress(f"extract {arguments.shard}", unit="records") as progress,
    ):
        for page, reject in extract(sources, settings, arguments.scratch):
            row = page or reject
            counts = files[row["warc_file"]]
            counts["records"] += 1
            if page:
                pages.add(page)
                kept += 1
                counts["kept"] += 1
            else:
                rejects.add(reject)
                reasons[reject["reason"]] += 1
                counts[reject["reason"]] += 1
                if settings.strict and reject["reason"] in _LOST:
                    raise UserError(
                        f"{reject['warc_file']}: {reject['reason']} at byte {reject['warc_offset']}"
                    )
            progress.add(1, kept=kept)
    stats = {
        "shard": arguments.shard,
        "records": kept + sum(reasons.values()),
        "kept": kept,
        "reasons": dict(sorted(reasons.items())),
        "files": {name: dict(sorted(counts.items())) for name, counts in sorted(files.items())},
        "truncated": sorted(name for name, counts in files.items() if counts["truncated_record"]),
        "damaged": sorted(
            name
            for name, counts in files.items()
            if counts["damaged_record"] or counts["not_a_warc"]
        ),
    }
    for name in stats["truncated"]:
        print(
            f"warning: {name} is truncated; the records before the cut were kept", file=sys.stderr
        )
    write_json(arguments.stats, stats)
    return stats


def _extract_to_stdout(
    sources: list[Source], settings: Extraction, arguments: argparse.Namespace
) -> None:
    with _text_sink(arguments.rejects) as dropped:
        for page, reject in extract(sources, settings, arguments.scratch):
            if page:
                page["math_kinds"] = json.loads(page["math_kinds"])
                sys.stdout.write(json.dumps(page, ensure_ascii=False) + "\n")
            elif dropped:
                dropped.write(json.dumps(reject, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def _text_sink(path: str | None):
    """A context with a text file that appears when it is whole, or None."""
    if path is None:
        return nullcontext(None)
    return _AtomicText(path)


class _AtomicText:
    def __init__(self, path: str):
        self.whole = atomic_path(path)

    def __enter__(self) -> TextIO:
        self.file = open(self.whole.__enter__(), "w", encoding="utf-8")
        return self.file

    def __exit__(self, *error: object) -> None:
        self.file.close()
        self.whole.__exit__(*error)


def _items(sources: list[Source]) -> Iterator[tuple[Source, Record | bytes]]:
    """Every record of every file; an HTML file is one item. Runs in the child process."""
    for source in sources:
        if source.body is not None:
            yield source, source.body
        elif source.is_html:
            yield source, Path(source.path).read_bytes()
        else:
            for record in read_records(source.path):
                yield source, record


def _outcome(
    item: tuple[Source, Record | bytes], settings: Extraction
) -> tuple[dict | None, dict | None]:
    """Extract one record. Whatever goes wrong with a page is that page's reason, not the end of the shard."""
    source, record = item
    file, url, offset, kind = _label(item)
    try:
        if isinstance(record, Record):
            return page_of_record(record, source.name, settings), None
        return page_of_html(record, source.path, settings), None
    except Rejected as rejected:
        return None, _reject(url, rejected.reason, rejected.detail, file, offset, kind)
    except MemoryError:
        return None, _reject(
            url, "memory", f"more than {settings.memory_mb} MB", file, offset, kind
        )
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # native extensions panic with exceptions that are no Exception
        detail = f"{type(error).__name__}: {error}"
        return None, _reject(url, "extractor_error", detail[:300], file, offset, kind)


def _label(item: tuple[Source, Record | bytes]) -> tuple[str, str, int, str]:
    source, record = item
    if isinstance(record, Record):
        return source.name, record.url, record.offset, record.kind
    return source.name, source.path, 0, "html"


def _reject(url: str, reason: str, detail: str, file: str, offset: int, kind: str) -> dict:
    keys = ("url", "reason", "detail", "warc_file", "warc_offset", "record_type")
    return dict(zip(keys, (url, reason, detail, file, offset, kind), strict=True))


def _source(path: str) -> Source:
    """Look at a file's name, then at its first bytes."""
    if path == "-":
        return _standard_input()
    if is_remote(path):
        return Source(path, False)
    try:
        with open(path, "rb") as stream:
            head = stream.read(4096)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
    return Source(path, path.lower().endswith(_HTML_NAMES) or _begins_as_html(head))


def _standard_input() -> Source:
    body = sys.stdin.buffer.read()
    if body[:3] == GZIP or body.startswith((b"WARC/", b"filedesc:")):
        raise UserError("-: stdin takes one HTML page; give the name of an archive file instead")
    return Source("-", True, body)


def _begins_as_html(head: bytes) -> bool:
    return head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UserError(f"corpus.extract: {message}; see python -m corpus.extract --help")


def _arguments(argv: Iterable[str] | None) -> argparse.Namespace:
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
    arguments = parser.parse_args(argv)
    together = (arguments.pages, arguments.stats, arguments.shard)
    if any(together) and not all((*together, arguments.config, arguments.rejects)):
        parser.error("a shard needs --config, --shard, --pages, --rejects and --stats")
    return arguments


if __name__ == "__main__":
    run_main(main)
