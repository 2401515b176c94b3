"""Which archive files there are, and which of them make a shard."""

import glob
import re
from collections import Counter
from pathlib import Path

from pipeline.errors import UserError

_ARCHIVE = re.compile(r"\.w?arc(?:\.(?:gz|zst|lz4))?$", re.IGNORECASE)


def archive_files(source: str | list[str]) -> list[str]:
    """The files that `sources.warc` names: a file, a folder (its archives, at any depth), a glob pattern, or a list.

    Sorted, each once. Raises UserError when an entry matches nothing.
    """
    found: set[str] = set()
    for entry in [source] if isinstance(source, str) else source:
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
                "a list of these, or the word mini"
            )
        found.update(str(Path(match)) for match in matches)
    return sorted(found)


def shards(source: str | list[str], files_per_shard: int = 1) -> dict[str, list[str]]:
    """Shard name -> its files. Names are those of the (first) files without extensions; folders that hold files of
    one name lend theirs, so that every name is unique and depends on the files only."""
    return name_shards(archive_files(source), files_per_shard)


def name_shards(files: list[str], files_per_shard: int = 1) -> dict[str, list[str]]:
    """Group files in order; see `shards`."""
    groups = [files[i : i + files_per_shard] for i in range(0, len(files), files_per_shard)]
    parts = [list(Path(group[0]).parts) for group in groups]
    for depth in range(1, max(map(len, parts), default=0) + 1):
        names = [_name(p[-depth:]) for p in parts]
        if len(set(names)) == len(names):
            return dict(zip(names, groups, strict=True))
    repeated = Counter(names).most_common(1)[0][0]
    raise UserError(f"sources.warc: two different files make the shard name {repeated!r}; rename one of them")


def _name(parts: list[str]) -> str:
    """A name that is safe in file names and Snakemake wildcards."""
    name = _ARCHIVE.sub("", "-".join(part.strip("/") for part in parts if part.strip("/")))
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", name).strip("._-") or "shard"
