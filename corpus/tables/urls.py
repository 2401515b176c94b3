"""URLs: canonical form and key, host, registrable domain.

Two addresses with one canonical form are one page to this project: scheme, `www.`, default port, fragment, trailing
slash, order of the query's parameters and session or campaign parameters do not count. Nothing here uses the network.
"""

import re
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit

import tldextract

from corpus.tables.pages import key64

_SESSION_PARAMETER = re.compile(
    r"(?:utm_\w+|fbclid|gclid|msclkid|mc_[ce]id|phpsessid|jsessionid|sid|sessionid|aspsessionid\w*)$",
    re.IGNORECASE,
)
_PATH_SESSION = re.compile(r";jsessionid=[^/?#]*", re.IGNORECASE)
_DEFAULT_PORTS = {"http": 80, "https": 443, "ftp": 21}
_SAFE = "/:@!$&'()*+,;=-._~"  # RFC 3986: may stand unescaped in a path
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
    port = parts.port
    netloc = host.removeprefix("www.") + (
        f":{port}" if port and port != _DEFAULT_PORTS.get(parts.scheme) else ""
    )
    query = _canonical_query(parts.query)
    bare = _requote(_PATH_SESSION.sub("", path)).rstrip("/") or "/"
    return Address(
        host, registrable_domain(host), path, f"{netloc}{bare}" + (f"?{query}" if query else "")
    )


def canonical_url(url: str) -> str:
    """Canonical form, for comparing: "host/path?query". An address that cannot be split stays as it is."""
    try:
        return parse_url(url).canonical
    except ValueError:
        return url.strip()


def url_key(url: str) -> int:
    """64-bit key of the canonical form."""
    return key64(canonical_url(url))


@lru_cache(maxsize=100_000)
def registrable_domain(host: str) -> str:
    """The part of a host name that its owner registered, by the public suffix list that tldextract brings along."""
    return _suffixes(host).top_domain_under_public_suffix or host


def _canonical_query(query: str) -> str:
    if not query:
        return ""
    kept = [
        part
        for part in query.split("&")
        if part and not _SESSION_PARAMETER.match(part.partition("=")[0])
    ]
    return "&".join(sorted(kept))


def _requote(path: str) -> str:
    """One spelling of percent escapes: those of letters, digits and path characters are decoded."""
    if "%" not in path and path.isascii() and " " not in path:
        return path
    return quote(unquote(path, errors="surrogateescape"), safe=_SAFE, errors="surrogateescape")
