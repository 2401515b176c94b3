"""One large file over HTTP into a folder: resumed where it broke off, checked, or one clear error.

    path = fetch("https://data.commoncrawl.org/crawl-data/.../x.warc.gz", Path("scratch"))

What is expected of servers: 503 (Common Crawl's "slow down"), cut connections, bodies shorter or longer than
declared, ranges ignored, a file that changes between two requests. What is there of a file stays as `<name>.part`
beside a note of its ETag, so that a killed job goes on where it was. Checked: the length that the server declares, a
checksum where it sends one (Repr-Digest, or an ETag that is an MD5), and that a .gz file does not end inside a
member. It does not look into the records: `corpus.archives.warc` reports what is damaged there.
"""

import base64
import gzip
import hashlib
import http.client
import re
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from pipeline.artifacts.write import read_json, write_json
from pipeline.errors import UserError

AGENT = "deepseekmath-corpus/1 (research; one connection a job)"
ATTEMPTS = 10  # in a row without a byte of progress
_BLOCK = 1 << 20
_LONGEST_PAUSE = 120.0  # seconds
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_RANGE = re.compile(r"bytes\s+(\d+)-\d+/(\d+|\*)")
_MD5 = re.compile(r'"([0-9a-f]{32})"')
_SHA256 = re.compile(r"sha-256=:([A-Za-z0-9+/=]+):")


class _Again(Exception):
    """This attempt failed; the next may not. `pause`: seconds that the server asks for."""

    def __init__(self, reason: str, pause: float = 0.0):
        super().__init__(reason)
        self.pause = pause


@dataclass
class _Known:
    """What the server said about the file of which a part is here."""

    etag: str = ""
    total: int = -1  # bytes, -1 when it did not say
    digest: str = ""  # Repr-Digest


def is_remote(path: str) -> bool:
    return path.startswith(("http://", "https://"))


def fetch(
    url: str, folder: Path, timeout: float = 60.0, sleep: Callable[[float], None] = time.sleep
) -> Path:
    """Download `url` into `folder` and return the file; at once when it is there.

    Pauses of 1, 2, 4 ... up to 120 s (or what Retry-After asks for) lie between attempts; ten in a row that bring
    nothing end it. Raises UserError with the URL and the last reason.
    """
    name = Path(urlsplit(url).path).name or "download"
    target, part, note = folder / name, folder / f"{name}.part", folder / f"{name}.json"
    if target.exists():
        return target
    folder.mkdir(parents=True, exist_ok=True)
    known = _Known(**read_json(note)) if note.exists() and part.exists() else _Known()
    failures, furthest, rejected = 0, _size(part), ""
    while True:
        begun = _size(part)
        try:
            _go_on(url, part, note, known, timeout)
            problem = _problem(part, known)
            # The same bytes twice, and nothing behind them, are what the server has: a truncated archive is a fact to
            # report, not to hide.
            same = problem and problem.lasting and rejected == problem.digest
            if not problem or (same and (begun or not problem.more)):
                break
            rejected = problem.digest
            if problem.more:
                known.total = (
                    -1
                )  # the length it declared may have been too small: ask for what lies behind
            else:
                part.unlink()
            raise _Again(problem.text)
        except (_Again, OSError, http.client.HTTPException) as error:
            failures = 0 if _size(part) > furthest else failures + 1
            furthest = max(furthest, _size(part))
            if failures >= ATTEMPTS:
                raise UserError(
                    f"{url}: {str(error) or type(error).__name__} ({failures} attempts)"
                ) from None
            sleep(
                min(_LONGEST_PAUSE, max(getattr(error, "pause", 0.0), 2.0 ** max(0, failures - 1)))
            )
    part.replace(target)
    note.unlink(missing_ok=True)
    return target


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _go_on(url: str, part: Path, note: Path, known: _Known, timeout: float) -> None:
    """Fetch what is missing behind `part`; _Again or OSError when that fails."""
    have = _size(part)
    if 0 <= known.total == have:
        return
    headers = {"User-Agent": AGENT, "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
        if known.etag and not known.etag.startswith("W/"):
            headers["If-Range"] = known.etag
    with _open(urllib.request.Request(url, headers=headers), part, timeout) as response:
        if response is None:
            known.total = have
            return
        start, now = _place(response)
        changed = (known.etag and now.etag and known.etag != now.etag) or (
            0 <= known.total != now.total >= 0
        )
        if start and (start != have or changed):
            part.unlink()
            known.__dict__.update(asdict(_Known()))
            raise _Again(
                "the file changed while it was fetched"
                if changed
                else "the server sent another range"
            )
        known.__dict__.update(asdict(now))
        write_json(note, asdict(now))
        with open(part, "ab" if start else "wb") as out:
            while block := response.read(_BLOCK):
                out.write(block)
    have = _size(part)
    if known.total > have:
        raise _Again(f"the connection ended after {have} of {known.total} bytes")
    if 0 <= known.total < have:
        part.unlink()
        raise _Again(f"{have} bytes came instead of {known.total}")


def _open(request: urllib.request.Request, part: Path, timeout: float):
    """The response, as a context; one that holds None when nothing lies behind `part`."""
    try:
        return urllib.request.urlopen(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        with error:
            if error.code == 416:
                if error.headers.get("Content-Range", "").strip() == f"bytes */{_size(part)}":
                    return nullcontext()
                part.unlink(
                    missing_ok=True
                )  # what is here is longer than the file: it is another one
            elif error.code not in _AGAIN:
                raise UserError(f"{request.full_url}: {error.code} {error.reason}") from None
            wait = error.headers.get("Retry-After", "")
            raise _Again(
                f"{error.code} {error.reason}", float(wait) if wait.isdigit() else 0.0
            ) from None
    except urllib.error.URLError as error:
        raise _Again(str(error.reason)) from None
    except ValueError as error:
        raise UserError(f"{request.full_url}: not an address ({error})") from None


def _place(response: http.client.HTTPResponse) -> tuple[int, _Known]:
    """Where in the file the body begins, and what the headers say about the whole."""
    length, etag = response.headers.get("Content-Length", ""), response.headers.get("ETag", "")
    digest = response.headers.get("Repr-Digest", "")
    if response.status != 206:
        return 0, _Known(etag, int(length) if length.isdigit() else -1, digest)
    match = _RANGE.match(response.headers.get("Content-Range", ""))
    if not match:
        raise _Again("a partial answer without its range")
    return int(match[1]), _Known(etag, -1 if match[2] == "*" else int(match[2]), digest)


@dataclass(frozen=True)
class _Problem:
    text: str
    digest: str  # of the bytes that are here
    lasting: bool = False  # may be how the file is on the server
    more: bool = False  # bytes may be missing at the end


def _problem(part: Path, known: _Known) -> _Problem | None:
    """What is wrong with a file that came to its end."""
    md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
    wanted_md5, wanted_sha256 = _MD5.fullmatch(known.etag), _SHA256.search(known.digest)
    with open(part, "rb") as stream:
        while block := stream.read(_BLOCK):
            md5.update(block)
            if wanted_sha256:
                sha256.update(block)
    digest = md5.hexdigest()
    if part.name.endswith(".gz.part") and not _begins_as_gzip(part):
        return _Problem("what came is no gzip file", digest)
    if part.name.endswith(".gz.part") and not ends_whole(part):
        return _Problem("the file ends inside a gzip member", digest, lasting=True, more=True)
    if wanted_sha256:
        if sha256.digest() != base64.b64decode(wanted_sha256[1]):
            return _Problem("SHA-256 differs from the server's", digest)
    elif wanted_md5 and wanted_md5[1] != digest:
        # An ETag need not be an MD5, even if it looks like one: the same bytes twice are accepted.
        return _Problem("MD5 differs from the server's ETag", digest, lasting=True)
    return None


def _begins_as_gzip(path: Path) -> bool:
    """Whether a file begins as gzip does, or is empty."""
    with open(path, "rb") as stream:
        return stream.read(2) in (b"", b"\x1f\x8b")


def ends_whole(path: Path) -> bool:
    """Whether the end of a gzip file is the end of a member; an empty file has none and is whole."""
    if not path.stat().st_size:
        return True
    with open(path, "rb") as stream:
        size = stream.seek(0, 2)
        window = 1 << 16
        while True:
            start = max(0, size - window)
            stream.seek(start)
            tail = stream.read()
            position = len(tail)
            while (position := tail.rfind(b"\x1f\x8b\x08", 0, position)) >= 0:
                inflate = zlib.decompressobj(31)
                try:
                    inflate.decompress(tail[position:])
                except zlib.error:
                    continue
                # Bytes that look like a member's beginning inside another one do not end where the file ends.
                if inflate.eof and not inflate.unused_data.strip(b"\0"):
                    return True
            if start == 0:
                return False
            if window > 64 << 20:  # a member this long: read the file from its beginning
                return _reads_whole(path)
            window *= 8


def _reads_whole(path: Path) -> bool:
    try:
        with gzip.open(path) as stream:
            while stream.read(_BLOCK):
                pass
    except (EOFError, OSError, zlib.error):
        return False
    return True


@contextmanager
def local_copy(url: str, folder: Path) -> Iterator[Path]:
    """A context with the file that `url` names. It is deleted at the end, and kept when the context fails."""
    path = fetch(url, folder)
    yield path
    path.unlink()
