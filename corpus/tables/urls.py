"""URLs: canonical form and key, host, registrable domain.

Two addresses with one canonical form are one page to this project: scheme, `www.`, default port,
fragment, trailing slash, order of the query's parameters and session or campaign parameters do not
count. Nothing here uses the network.
"""

import re
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit

import tldextract

from corpus.tables.pages import key64

# Parameters that name a visit or a campaign and not a page.
_SESSION_PARAMETER = re.compile(
    r"(?:utm_\w+|fbclid|gclid|msclkid|mc_[ce]id|phpsessid|jsessionid|sid|sessionid|aspsessionid\w*)$",
    re.IGNORECASE,
)
# Java servers put the session into the path.
_PATH_SESSION = re.compile(r";jsessionid=[^/?#]*", re.IGNORECASE)

_DEFAULT_PORTS = {"http": 80, "https": 443, "ftp": 21}
_SAFE = "/:@!$&'()*+,;=-._~"  # RFC 3986: allowed in a path without percent escapes

# No URLs and no cache: the public suffix list that comes with the package, the same on every machine.
_suffixes = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)


class Address(NamedTuple):
    """The parts of a URL that the corpus stage works with."""

    host: str  # lower case, without port
    domain: str  # registrable domain ("a.b.co.uk" -> "b.co.uk"), or the host where there is none
    path: str  # begins with "/"
    canonical: str  # host/path?query without scheme


def parse_url(url: str) -> Address:
    """Split and normalise; raises ValueError when there is no host."""
    parts = urlsplit(url.strip())
    host = (parts.hostname or "").rstrip(".").lower()
    if not host:
        raise ValueError(f"no host in {url[:200]!r}")

    path = parts.path or "/"
    canonical = _canonical_host(host, parts.port, parts.scheme) + _canonical_path(path)
    query = _canonical_query(parts.query)
    if query:
        canonical += f"?{query}"

    return Address(host, registrable_domain(host), path, canonical)


def canonical_url(url: str) -> str:
    """The form for comparing, "host/path?query". An address that cannot be split stays as it is."""
    try:
        return parse_url(url).canonical
    except ValueError:
        return url.strip()


def url_key(url: str) -> int:
    """64-bit key of the canonical form."""
    return key64(canonical_url(url))


@lru_cache(maxsize=100_000)
def registrable_domain(host: str) -> str:
    """The part of a host name that its owner registered, or the host where there is no such part."""
    return _suffixes(host).top_domain_under_public_suffix or host


def _canonical_host(host: str, port: int | None, scheme: str) -> str:
    bare = host.removeprefix("www.")
    if not port or port == _DEFAULT_PORTS.get(scheme):
        return bare
    return f"{bare}:{port}"


def _canonical_path(path: str) -> str:
    without_session = _PATH_SESSION.sub("", path)
    return _unescape_path(without_session).rstrip("/") or "/"


def _canonical_query(query: str) -> str:
    """The parameters in alphabetical order, without those that name a visit or a campaign."""
    if not query:
        return ""

    kept = []
    for parameter in query.split("&"):
        name = parameter.partition("=")[0]
        if parameter and not _SESSION_PARAMETER.match(name):
            kept.append(parameter)
    return "&".join(sorted(kept))


def _unescape_path(path: str) -> str:
    """One spelling of percent escapes: those of letters, digits and path characters are decoded."""
    if "%" not in path and path.isascii() and " " not in path:
        return path
    # A crawled path may hold bytes that are no UTF-8; they survive as surrogates.
    decoded = unquote(path, errors="surrogateescape")
    return quote(decoded, safe=_SAFE, errors="surrogateescape")
