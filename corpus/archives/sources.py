"""Which archive files there are, and which of them make a shard. Nothing here uses the network.

A file of Common Crawl is written `commoncrawl:<crawl>#<number>`: the number-th of those chosen by
`corpus.commoncrawl`, whose list is made by a job of its own.
"""

import glob
import re
from collections import Counter
from pathlib import Path

from corpus.archives.download import is_remote
from pipeline.errors import UserError

CRAWL = "commoncrawl:"
_CRAWL_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_ARCHIVE = re.compile(r"\.w?arc(?:\.(?:gz|zst|lz4))?$", re.IGNORECASE)


def archive_files(source: str | list[str], crawl_files: int = 1) -> list[str]:
    """The files that `sources.warc` names: a file, a folder (its archives, at any depth), a glob pattern, an address,
    `commoncrawl:<crawl>` (so many of its files), or a list of these.

    Sorted, each once. Raises UserError when an entry matches nothing.
    """
    found: set[str] = set()
    for entry in [source] if isinstance(source, str) else source:
        if entry.startswith(CRAWL):
            if not _CRAWL_ID.fullmatch(entry.removeprefix(CRAWL)):
                raise UserError(
                    f"sources.warc = {entry!r}: no crawl id; allowed: as in {CRAWL}CC-MAIN-2024-10"
                )
            found.update(f"{entry}#{number:05}" for number in range(crawl_files))
            continue
        if is_remote(entry):
            found.add(entry)
            continue
        path = Path(entry)
        if path.is_file():
            matches = [entry]
        elif path.is_dir():
            matches = [str(p) for p in path.rglob("*") if p.is_file() and _ARCHIVE.search(p.name)]
        else:
            matches = [p for p in glob.glob(entry, recursive=True) if Path(p).is_file()]
        if not matches:
            raise UserError(
                f"sources.warc = {entry!r}: no WARC or ARC files there; allowed: a file, a folder, a glob pattern, "
                "an address, commoncrawl:<crawl>, a list of these, or the word mini"
            )
        found.update(str(Path(match)) for match in matches)
    return sorted(found)


def crawls(files: list[str]) -> list[str]:
    """The crawls of Common Crawl that some of the files belong to."""
    return sorted({_crawl_and_number(file)[0] for file in files if file.startswith(CRAWL)})


def on_disk(files: list[str]) -> list[str]:
    """Those of the files that are here, not to be fetched."""
    return [file for file in files if not (file.startswith(CRAWL) or is_remote(file))]


def address(file: str, lists: str | Path | None) -> str:
    """The address of a Common Crawl file, from the lists of `corpus.commoncrawl` (<crawl>.txt); others stay."""
    if not file.startswith(CRAWL):
        return file
    crawl, number = _crawl_and_number(file)
    if lists is None:
        raise UserError(f"{file}: the folder with the crawl's list is needed (--crawls)")
    path = Path(lists) / f"{crawl}.txt"
    try:
        return path.read_text(encoding="utf-8").split()[number]
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; run corpus.commoncrawl first") from None
    except IndexError:
        raise UserError(
            f"{path}: has no line {number + 1}; run corpus.commoncrawl with more --files"
        ) from None


def _crawl_and_number(file: str) -> tuple[str, int]:
    crawl, _, number = file.removeprefix(CRAWL).partition("#")
    if not number.isdigit():
        raise UserError(f"{file}: a file of a crawl is written {CRAWL}CC-MAIN-2024-10#0")
    return crawl, int(number)


def shards(
    source: str | list[str], files_per_shard: int = 1, crawl_files: int = 1
) -> dict[str, list[str]]:
    """Shard name -> its files. Names are those of the (first) files without extensions; folders that hold files of
    one name lend theirs, so that every name is unique and depends on the files only."""
    return name_shards(archive_files(source, crawl_files), files_per_shard)


def name_shards(files: list[str], files_per_shard: int = 1) -> dict[str, list[str]]:
    """Group files in order; see `shards`."""
    groups = [files[i : i + files_per_shard] for i in range(0, len(files), files_per_shard)]
    parts = [list(Path(group[0]).parts) for group in groups]
    for depth in range(1, max(map(len, parts), default=0) + 1):
        names = [_name(p[-depth:]) for p in parts]
        if len(set(names)) == len(names):
            return dict(zip(names, groups, strict=True))
    repeated = Counter(names).most_common(1)[0][0]
    raise UserError(
        f"sources.warc: two different files make the shard name {repeated!r}; rename one of them"
    )


def _name(parts: list[str]) -> str:
    """A name that is safe in file names and Snakemake wildcards."""
    parts = [part.removeprefix(CRAWL) for part in parts]
    name = _ARCHIVE.sub("", "-".join(part.strip("/") for part in parts if part.strip("/")))
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", name).strip("._-") or "shard"
