"""Artifacts: atomic writes, digests, and the manifest that says a stage is complete.

Every file appears under its name only when it is whole: it is written beside its place and renamed.
A stage writes its payload first and its manifest last, so that a manifest's presence means
"complete".
"""

import fcntl
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from pipeline.artifacts.code_digest import code_digest
from pipeline.errors import UserError

MANIFEST = "manifest.json"
NOT_COUNTED = (".", "metrics.jsonl", "events.out.tfevents")
"""Beginnings of file names that no digest of a folder counts."""


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path in the same folder; rename it to `path` on success, delete it on
    failure."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # In the same folder, since only within a file system a file is renamed at once.
    remove_leftovers(path)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=path.suffix, dir=path.parent)
    temporary = Path(name)

    try:
        _lock(handle)
        yield temporary
        # Temporary files are private; results are for everybody.
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
        os.close(handle)


def remove_leftovers(path: str | Path) -> None:
    """Delete what killed processes left of their attempts to write `path`.

    A process holds a lock on the temporary file or folder that it writes; a lock that can be had
    is a dead process's.
    """
    path = Path(path)
    suffix = re.escape(path.suffix)
    temporary_name = re.compile(rf"\.{re.escape(path.name)}\.[a-z0-9_]{{8}}(?:{suffix})?")

    for entry in path.parent.iterdir():
        if not temporary_name.fullmatch(entry.name):
            continue
        try:
            handle = os.open(entry, os.O_RDONLY)
        except OSError:
            continue  # another process has just renamed or deleted it
        try:
            if not _lock(handle):
                continue
            if entry.is_dir():
                shutil.rmtree(entry, ignore_errors=True)
            else:
                entry.unlink(missing_ok=True)
        finally:
            os.close(handle)


def _lock(handle: int) -> bool:
    """Lock an open file or folder for as long as it is open; whether that could be done."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False  # held by a living process, or no locks on this file system
    return True


def check_replaceable(path: str | Path, marker: str = MANIFEST) -> None:
    """A UserError unless `path` may become an artifact's folder: absent, empty, or one already (it
    holds `marker`).

    Long jobs call it before they begin, `atomic_folder` does so always: what it replaces is
    deleted.
    """
    path = Path(path)
    if path.exists() and not path.is_dir():
        raise UserError(f"--out {path}: is a file; name a folder")
    if path.is_dir() and any(path.iterdir()) and not any(path.glob(marker)):
        raise UserError(
            f"--out {path}: holds other files, which would be deleted; name a new folder"
        )


@contextmanager
def atomic_folder(path: str | Path, marker: str = MANIFEST) -> Iterator[Path]:
    """Yield a temporary folder beside `path`; put it in the place of `path` on success, delete it
    on failure."""
    check_replaceable(path, marker)
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers(path)
    temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    handle = os.open(temporary, os.O_RDONLY)

    try:
        _lock(handle)
        yield temporary
        os.chmod(temporary, 0o755)
        if path.exists():
            shutil.rmtree(path)
        os.replace(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        os.close(handle)


def write_text(path: str | Path, text: str) -> None:
    """Write a UTF-8 file, whole or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: str | Path, value: object) -> None:
    """Deterministic JSON: sorted keys, indented, a final newline."""
    write_text(path, json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


def write_jsonl(path: str | Path, rows: Iterable[dict]) -> int:
    """Write one object a line and return how many there were."""
    count = 0
    with atomic_path(path) as temporary, open(temporary, "w", encoding="utf-8") as out:
        for row in rows:
            out.write(json.dumps(row, ensure_ascii=False) + "\n")
            count += 1
    return count


def read_json(path: str | Path) -> dict:
    """Read a JSON file that holds an object; a UserError where it cannot be read."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path}: {(error.strerror or 'cannot be read').lower()}") from None
    except ValueError as error:
        raise UserError(f"{path}: not JSON ({error})") from None


def file_digest(path: str | Path) -> str:
    """Hex SHA-256 (16 characters) of a file, or of a folder's file names and contents in sorted
    order.

    In a folder, hidden files (Snakemake's timestamp) and metrics (they hold speeds) do not count.
    """
    return _digest(Path(path), NOT_COUNTED)


def file_digests(paths: Iterable[Path], threads: int) -> dict[Path, str]:
    """`file_digest` of many files, several at a time."""
    files = list(paths)
    # Hashing and reading release the interpreter's lock.
    with ThreadPoolExecutor(max(1, threads)) as pool:
        return dict(zip(files, pool.map(file_digest, files), strict=True))


def content_digest(path: str | Path) -> str:
    """As `file_digest`, of what an artifact holds apart from what made it.

    Of a folder the manifest and the model card do not count, of a manifest itself only counts and
    metrics do: the same weights or tokens, made again by changed code, are the same input.
    """
    path = Path(path)
    if path.name != MANIFEST:
        return _digest(path, (*NOT_COUNTED, MANIFEST, "README.md"))

    manifest = read_json(path)
    content = {key: manifest.get(key) for key in ("counts", "metrics")}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def _digest(path: Path, left_out: tuple[str, ...]) -> str:
    """Digest of a file, or of all files in a folder whose names begin with none of `left_out`."""
    files = [path]
    if path.is_dir():
        files = sorted(
            file
            for file in path.rglob("*")
            if file.is_file() and not file.name.startswith(left_out)
        )

    digest = hashlib.sha256()
    for file in files:
        digest.update(str(file.relative_to(path)).encode())
        with open(file, "rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()[:16]


def payload(folder: str | Path) -> list[Path]:
    """The files of an artifact's folder that its manifest answers for: those that equal runs write alike, but for the
    card, in which people write."""
    left_out = (*NOT_COUNTED, MANIFEST, "README.md")
    files = [path for path in Path(folder).rglob("*") if path.is_file()]
    return sorted(path for path in files if not path.name.startswith(left_out))


def write_manifest(
    path: str | Path,
    stage: str,
    *,
    settings: dict,
    inputs: Iterable[str | Path] = (),
    counts: dict | None = None,
    metrics: dict | None = None,
    code: str | None = None,
    files: Iterable[str | Path] = (),
    known: Mapping[Path, str] | None = None,
) -> None:
    """Write a stage's manifest: what made it, from what, with which counts. No times, hosts or
    absolute paths.

    `files` are those that it answers for, below its own folder: their digests are noted, and
    pipeline.artifacts.check compares them.

    `counts` holds numbers of records with reasons, `metrics` the stage's results. Two equal runs
    write equal manifests, byte for byte. `code` is the digest of `code_digest`, computed for
    `stage` if absent. `known` are digests of inputs and files that need not be computed again.
    """

    def digest(file: str | Path) -> str:
        return (known or {}).get(Path(file)) or file_digest(file)

    write_json(
        path,
        {
            "stage": stage,
            "code": code or code_digest(stage),
            "settings": settings,
            "inputs": {Path(p).name: digest(p) for p in inputs},
            "counts": counts or {},
            "metrics": metrics or {},
            "files": {str(Path(f).relative_to(Path(path).parent)): digest(f) for f in files},
        },
    )
