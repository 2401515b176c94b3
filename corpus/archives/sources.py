"""Which archive files there are, and which of them make a shard. Nothing here uses the network.

A file of Common Crawl is written `commoncrawl:<crawl>#<number>`: the number-th of those chosen by
`corpus.commoncrawl`, whose list is made by a job of its own.
"""

import glob
import hashlib
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from corpus.archives.download import check_address, is_remote
from pipeline.errors import UserError

CRAWL = "commoncrawl:"
# A crawl's id becomes part of file names and addresses, so nothing that leads elsewhere is allowed.
_CRAWL_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_LONGEST_NAME = 120  # characters; file systems allow 255 bytes, and endings follow
_ARCHIVE = re.compile(r"\.w?arc(?:\.(?:gz|zst|lz4))?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _CrawlFile:
    """A file of Common Crawl: the crawl's id, and the file's line (from 0) in its list."""

    crawl: str
    number: int

    @classmethod
    def parse(cls, file: str) -> "_CrawlFile":
        crawl, _, number = file.removeprefix(CRAWL).partition("#")
        if not number.isdigit():
            raise UserError(f"{file}: a file of a crawl is written {CRAWL}CC-MAIN-2024-10#0")
        return cls(crawl, int(number))


def archive_files(source: str | list[str], crawl_files: int = 1) -> list[str]:
    """The files that `sources.warc` names, sorted, each once.

    Args:
        source: a file, a folder (its archives, at any depth), a glob pattern, an address,
            `commoncrawl:<crawl>`, or a list of these.
        crawl_files: how many files of each crawl.

    Raises UserError when an entry matches nothing.
    """
    entries = [source] if isinstance(source, str) else source
    found: set[str] = set()
    for entry in entries:
        if entry.startswith(CRAWL):
            if not _CRAWL_ID.fullmatch(entry.removeprefix(CRAWL)):
                raise UserError(
                    f"sources.warc = {entry!r}: no crawl id; allowed: as in {CRAWL}CC-MAIN-2024-10"
                )
            # Five digits, so that the files of a crawl are sorted by number.
            found.update(f"{entry}#{number:05}" for number in range(crawl_files))
        elif is_remote(entry):
            check_address(entry)
            found.add(entry)
        else:
            found.update(_matches(entry))
    return sorted(found)


def _matches(entry: str) -> list[str]:
    """The files on this disk that a file name, a folder or a glob pattern stands for."""
    path = Path(entry)
    if path.is_file():
        matches = [path]
    elif path.is_dir():
        files = [file for file in path.rglob("*") if file.is_file()]
        matches = [file for file in files if _ARCHIVE.search(file.name)]
    else:
        named = [Path(name) for name in glob.glob(entry, recursive=True)]
        matches = [file for file in named if file.is_file()]

    # A source without files is a mistake; an empty corpus would show it much later.
    if not matches:
        raise UserError(
            f"sources.warc = {entry!r}: no WARC or ARC files there; allowed: a file, a folder, a glob pattern, "
            "an address, commoncrawl:<crawl>, a list of these, or the word mini"
        )
    return [str(match) for match in matches]


def crawls(files: list[str]) -> list[str]:
    """The crawls of Common Crawl that some of the files belong to."""
    return sorted({_CrawlFile.parse(file).crawl for file in files if file.startswith(CRAWL)})


def on_disk(files: list[str]) -> list[str]:
    """Those of the files that are here, not to be fetched."""
    return [file for file in files if not (file.startswith(CRAWL) or is_remote(file))]


def address(file: str, lists: str | Path | None) -> str:
    """The address of a Common Crawl file; any other file is returned unchanged.

    Args:
        file: as `archive_files` gives it.
        lists: folder with the lists of `corpus.commoncrawl` (<crawl>.txt, one address a line).

    Raises UserError when the list is missing or too short.
    """
    if not file.startswith(CRAWL):
        return file

    wanted = _CrawlFile.parse(file)
    if lists is None:
        raise UserError(f"{file}: the folder with the crawl's list is needed (--crawls)")

    path = Path(lists) / f"{wanted.crawl}.txt"
    try:
        return path.read_text(encoding="utf-8").split()[wanted.number]
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; run corpus.commoncrawl first") from None
    except IndexError:
        raise UserError(
            f"{path}: has no line {wanted.number + 1}; run corpus.commoncrawl with more --files"
        ) from None


def shards(
    source: str | list[str], files_per_shard: int = 1, crawl_files: int = 1
) -> dict[str, list[str]]:
    """Shard name -> files, for `sources.warc`; see `archive_files` and `name_shards`."""
    return name_shards(archive_files(source, crawl_files), files_per_shard)


def name_shards(files: list[str], files_per_shard: int = 1) -> dict[str, list[str]]:
    """Group files in order, and give each group a unique name that depends on the files only.

    A group is named after its first file, without extension. Where two files have the same name,
    the names of their folders are put in front, as many as are needed to tell all shards apart.
    """
    if not files:
        return {}

    groups = []
    for start in range(0, len(files), files_per_shard):
        groups.append(files[start : start + files_per_shard])
    paths = [_named_parts(group[0]) for group in groups]

    # The file's name alone, then with its folder, with the folder of that, and so on.
    names: list[str] = []
    deepest = max(map(len, paths))
    for depth in range(1, deepest + 1):
        names = [_shard_name(parts[-depth:]) for parts in paths]
        if len(set(names)) == len(names):
            return dict(zip(names, groups, strict=True))

    # Addresses may differ in their query alone, which is part of no name.
    first_files = [group[0] for group in groups]
    if all(map(is_remote, first_files)):
        names = [f"{name}-{_digest(file)}" for name, file in zip(names, first_files, strict=True)]
        if len(set(names)) == len(names):
            return dict(zip(names, groups, strict=True))

    repeated = Counter(names).most_common(1)[0][0]
    raise UserError(
        f"sources.warc: two different files make the shard name {repeated!r}; rename one of them"
    )


def _named_parts(file: str) -> tuple[str, ...]:
    """Folders and name of a file; of an address without the query, which may hold a signature."""
    if is_remote(file):
        parts = urlsplit(file)
        return (parts.hostname or "", *Path(parts.path).parts)
    return Path(file).parts


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _shard_name(parts: tuple[str, ...]) -> str:
    """A name that is safe in file names and Snakemake wildcards, and not too long for a file system."""
    cleaned = [part.removeprefix(CRAWL).strip("/") for part in parts]
    name = "-".join(part for part in cleaned if part)
    name = _ARCHIVE.sub("", name)
    name = re.sub(r"[^A-Za-z0-9_.-]+", "_", name)
    name = name.strip("._-") or "shard"
    return name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}-{_digest(name)}"
