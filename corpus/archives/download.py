"""One large file over HTTP into a folder: resumed where it broke off, checked, or one clear error.

    path = fetch("https://data.commoncrawl.org/crawl-data/.../x.warc.gz", Path("scratch"))

What is expected of servers: 503 (Common Crawl's "slow down"), cut connections, bodies shorter or
longer than declared, ranges ignored, a file that changes between two requests. The bytes that have
come are kept as `<name>.part` beside a note of the file's ETag, so that a killed job resumes where
it was. Checked: the length that the server declares, a checksum where it sends one (Repr-Digest, or
an ETag that is an MD5), and that a .gz file does not end inside a member. Records are not looked
at: `corpus.archives.warc` reports what is damaged there.
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
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from pipeline.artifacts.write import read_json, write_json
from pipeline.errors import UserError

AGENT = "deepseekmath-corpus/1 (research; one connection a job)"
ATTEMPTS = 10  # in a row without a byte of progress
_BLOCK = 1 << 20  # bytes
_LONGEST_PAUSE = 120.0  # seconds
_LONGEST_TAIL = 64 << 20  # bytes searched for the beginning of a file's last gzip member

_RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})
_RANGE = re.compile(r"bytes\s+(\d+)-\d+/(\d+|\*)")
_MD5 = re.compile(r'"([0-9a-f]{32})"')
_SHA256 = re.compile(r"sha-256=:([A-Za-z0-9+/=]+):")


class _TryAgain(Exception):
    """This attempt failed; the next may not. `pause`: seconds that the server asks for."""

    def __init__(self, reason: str, pause: float = 0.0):
        super().__init__(reason)
        self.pause = pause


@dataclass(frozen=True, slots=True)
class _Whole:
    """What the server said about the whole file; the note beside the part has these names."""

    etag: str = ""
    total: int = -1  # bytes, -1 when it did not say
    digest: str = ""  # Repr-Digest


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the headers of a response say: where its body begins, and about the whole file."""

    start: int
    whole: _Whole


@dataclass(frozen=True, slots=True)
class _Problem:
    """What is wrong with a file that came to its end."""

    text: str
    digest: str  # of the bytes that are here
    lasting: bool = False  # may be how the file is on the server
    more: bool = False  # bytes may be missing at the end


def is_remote(path: str) -> bool:
    """Whether a file is named by an address and must be fetched."""
    return path.startswith(("http://", "https://"))


def file_name(path: str) -> str:
    """The name of a file, here or behind an address (without its query)."""
    if not is_remote(path):
        return Path(path).name
    return Path(urlsplit(path).path).name or "download"


def shown(url: str) -> str:
    """An address as messages show it: without a password, and without a query, which may be one."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    query = "?…" if parts.query else ""
    return f"{parts.scheme}://{host}{parts.path}{query}"


def check_address(url: str) -> None:
    """Raise a UserError for what is no address of a file on a server."""
    try:
        parts = urlsplit(url)
        is_address = is_remote(url) and bool(parts.hostname)
        is_address = is_address and (parts.port is None or parts.port > 0)
    except ValueError:
        is_address = False
    if not is_address or any(character.isspace() or character < " " for character in url):
        raise UserError(f"{url!r}: not an address; one begins with https:// or http:// and a host")


@contextmanager
def local_copy(url: str, folder: Path) -> Iterator[Path]:
    """A context with the file at `url`: deleted at the end, kept when the context fails."""
    path = fetch(url, folder)
    yield path
    path.unlink()


def fetch(
    url: str, folder: Path, timeout: float = 60.0, sleep: Callable[[float], None] = time.sleep
) -> Path:
    """Download `url` into `folder` and return the file; at once when it is there.

    Waits 1, 2, 4 ... up to 120 s (or what Retry-After asks for) between attempts, and gives up
    after ten in a row without progress: a UserError with the URL and the last reason.
    """
    check_address(url)
    name = file_name(url)
    target = folder / name
    if target.exists():
        return target

    folder.mkdir(parents=True, exist_ok=True)
    download = _Download(url, folder, name, timeout)
    failures = 0
    furthest = download.size()
    while True:
        try:
            download.attempt()
            break
        except (_TryAgain, OSError, http.client.HTTPException) as error:
            reason = str(error) or type(error).__name__
            asked_for = error.pause if isinstance(error, _TryAgain) else 0.0

        # An attempt that brought bytes is none of the failures in a row, however it ended.
        size = download.size()
        failures = 0 if size > furthest else failures + 1
        furthest = max(furthest, size)
        if failures >= ATTEMPTS:
            raise UserError(f"{shown(url)}: {reason} ({failures} attempts)")

        pause = max(asked_for, 2.0 ** max(0, failures - 1))
        sleep(min(_LONGEST_PAUSE, pause))

    download.part.replace(target)
    download.note.unlink(missing_ok=True)
    return target


class _Download:
    """The part of a file that is here, and what is known about the whole."""

    def __init__(self, url: str, folder: Path, name: str, timeout: float):
        self.url = url
        self.timeout = timeout
        self.part = folder / f"{name}.part"
        self.note = folder / f"{name}.json"
        self.whole = _Whole()
        if self.note.exists() and self.part.exists():
            self.whole = _Whole(**read_json(self.note))
        self.refused_digest = ""  # of the bytes that were refused last

    def size(self) -> int:
        """Bytes that are here."""
        return self.part.stat().st_size if self.part.exists() else 0

    def attempt(self) -> None:
        """Fetch what is missing and check the whole.

        Raises _TryAgain, OSError or HTTPException when that fails.
        """
        begun = self.size()
        self._fetch_rest(begun)
        problem = _problem(self.part, self.whole)
        if not problem:
            return

        # The same bytes twice, and nothing after them, are what the server has: a truncated
        # archive is a fact to report, not to hide.
        same_again = problem.lasting and problem.digest == self.refused_digest
        if same_again and (begun or not problem.more):
            return

        self.refused_digest = problem.digest
        if problem.more:
            # The length it declared may have been too small: ask for what comes after it.
            self.whole = _Whole(self.whole.etag, -1, self.whole.digest)
        else:
            self.part.unlink()
        raise _TryAgain(problem.text)

    def _fetch_rest(self, have: int) -> None:
        """Fetch what is missing after the `have` bytes of the part."""
        if 0 <= self.whole.total == have:
            return

        response = self._open(self._request(have))
        if response is None:
            self.whole = _Whole(self.whole.etag, have, self.whole.digest)
            return

        with response:
            answer = _read_headers(response)
            if answer.start:
                self._check_continues(answer, have)
            self.whole = answer.whole
            write_json(self.note, asdict(self.whole))
            with open(self.part, "ab" if answer.start else "wb") as out:
                while block := response.read(_BLOCK):
                    out.write(block)

        have = self.size()
        if self.whole.total > have:
            raise _TryAgain(f"the connection ended after {have} of {self.whole.total} bytes")
        if 0 <= self.whole.total < have:
            self.part.unlink()
            raise _TryAgain(f"{have} bytes came instead of {self.whole.total}")

    def _request(self, have: int) -> urllib.request.Request:
        headers = {"User-Agent": AGENT, "Accept-Encoding": "identity"}
        if have:
            headers["Range"] = f"bytes={have}-"
            # A weak ETag (W/...) does not promise equal bytes, and RFC 9110 forbids it here.
            if self.whole.etag and not self.whole.etag.startswith("W/"):
                headers["If-Range"] = self.whole.etag
        return urllib.request.Request(self.url, headers=headers)

    def _open(self, request: urllib.request.Request) -> http.client.HTTPResponse | None:
        """The response; None when the server says that nothing comes after the part."""
        try:
            return urllib.request.urlopen(request, timeout=self.timeout)
        except urllib.error.HTTPError as error:
            with error:
                if error.code == 416:  # Range Not Satisfiable
                    length = error.headers.get("Content-Range", "").strip()
                    if length == f"bytes */{self.size()}":
                        return None
                    # What is here is longer than the file: it is part of another one.
                    self.part.unlink(missing_ok=True)
                elif error.code not in _RETRIED:
                    raise UserError(f"{shown(self.url)}: {error.code} {error.reason}") from None

                retry_after = error.headers.get("Retry-After", "")
                pause = float(retry_after) if retry_after.isdigit() else 0.0
                raise _TryAgain(f"{error.code} {error.reason}", pause) from None
        except urllib.error.URLError as error:
            raise _TryAgain(str(error.reason)) from None
        except (ValueError, http.client.InvalidURL) as error:
            raise UserError(f"{shown(self.url)}: not an address ({error})") from None

    def _check_continues(self, answer: _Answer, have: int) -> None:
        """Unless the response continues the part we have, drop the part and raise _TryAgain."""
        known, now = self.whole, answer.whole
        other_etag = known.etag and now.etag and known.etag != now.etag
        other_length = known.total >= 0 and now.total >= 0 and known.total != now.total
        changed = other_etag or other_length
        if answer.start == have and not changed:
            return

        self.part.unlink()
        self.whole = _Whole()
        if changed:
            raise _TryAgain("the file changed while it was fetched")
        raise _TryAgain("the server sent another range")


def _read_headers(response: http.client.HTTPResponse) -> _Answer:
    headers = response.headers
    length = headers.get("Content-Length", "")
    etag = headers.get("ETag", "")
    digest = headers.get("Repr-Digest", "")

    if response.status != 206:  # Partial Content
        total = int(length) if length.isdigit() else -1
        return _Answer(0, _Whole(etag, total, digest))

    match = _RANGE.match(headers.get("Content-Range", ""))
    if not match:
        raise _TryAgain("a partial answer without its range")
    total = -1 if match[2] == "*" else int(match[2])
    return _Answer(int(match[1]), _Whole(etag, total, digest))


def _problem(part: Path, whole: _Whole) -> _Problem | None:
    """What is wrong with a file that came to its end; None when nothing is."""
    expected_md5 = _MD5.fullmatch(whole.etag)
    expected_sha256 = _SHA256.search(whole.digest)

    # The MD5 is always taken: it also tells whether two attempts gave the same bytes.
    md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
    with open(part, "rb") as stream:
        while block := stream.read(_BLOCK):
            md5.update(block)
            if expected_sha256:
                sha256.update(block)
    digest = md5.hexdigest()

    if part.name.endswith(".gz.part"):
        if not _begins_as_gzip(part):
            return _Problem("what came is no gzip file", digest)
        if not ends_whole(part):
            return _Problem("the file ends inside a gzip member", digest, lasting=True, more=True)

    if expected_sha256:
        if sha256.digest() != base64.b64decode(expected_sha256[1]):
            return _Problem("SHA-256 differs from the server's", digest)
    elif expected_md5 and expected_md5[1] != digest:
        # An ETag need not be an MD5, even if it looks like one: the same bytes twice are accepted.
        return _Problem("MD5 differs from the server's ETag", digest, lasting=True)
    return None


def _begins_as_gzip(path: Path) -> bool:
    """Whether a file begins as gzip does, or is empty."""
    with open(path, "rb") as stream:
        return stream.read(2) in (b"", b"\x1f\x8b")


def ends_whole(path: Path) -> bool:
    """Whether the end of a gzip file is the end of a member; an empty file has none and is whole.

    Reads the file's last bytes only, where its last member is no longer than 64 MB.
    """
    if not path.stat().st_size:
        return True

    with open(path, "rb") as stream:
        size = stream.seek(0, 2)
        window = 1 << 16
        while True:
            start = max(0, size - window)
            stream.seek(start)
            if _ends_with_member(stream.read()):
                return True
            if start == 0:
                return False
            if window > _LONGEST_TAIL:
                return _reads_whole(path)
            window *= 8


def _ends_with_member(tail: bytes) -> bool:
    """Whether a gzip member begins somewhere in these bytes and ends exactly where they end."""
    position = len(tail)
    while (position := tail.rfind(b"\x1f\x8b\x08", 0, position)) >= 0:
        inflate = zlib.decompressobj(31)
        try:
            inflate.decompress(tail[position:])
        except zlib.error:
            continue
        # Bytes inside another member that look like a beginning do not end at the file's end.
        # Zeros are padding.
        if inflate.eof and not inflate.unused_data.strip(b"\0"):
            return True
    return False


def _reads_whole(path: Path) -> bool:
    """The same for a file whose last member is very long: it is read from its beginning."""
    try:
        with gzip.open(path) as stream:
            while stream.read(_BLOCK):
                pass
    except (EOFError, OSError, zlib.error):
        return False
    return True
