"""Turn a planned page into the HTTP response that the archive holds."""

import random
import zlib

from mini.crawl.article import Article
from mini.crawl.damage import DAMAGES, payload
from mini.crawl.math_markup import head_of
from mini.crawl.plan import Draft
from mini.crawl.site_chrome import Page, render
from mini.crawl.warc_writer import Response
from mini.templates.slots import fill

_DAMAGE_SHARE = 0.12  # of the pages that are not needed whole
_TYPES = {
    "pdf": "application/pdf",
    "png": "image/png",
    "css": "text/css",
    "js": "application/javascript",
}
_ERROR_PAGE = (
    "<html><head><title>{status}</title></head><body><h1>Error {status}</h1>"
    "<p>The page you asked for is not available on {site}.</p></body></html>"
)


def choose_damage(draft: Draft, rng: random.Random) -> str | None:
    """What goes wrong with this page, if anything."""
    if draft.article is None or draft.leaks or rng.random() >= _DAMAGE_SHARE:
        return None
    return rng.choice(DAMAGES)


def respond(
    draft: Draft, links: tuple[tuple[str, str], ...], date: str, damage: str | None
) -> Response:
    """The response to a request for `draft`; `links` are other pages of its site."""
    # Seeded by the original's address: a mirror serves the very same bytes.
    rng = random.Random(draft.duplicate_of or draft.url)

    if draft.file:
        body = _file_body(draft.file, rng)
        return Response(draft.url, date, body, headers=[("Content-Type", _TYPES[draft.file])])
    if draft.article is None:
        return _error(draft, date)

    page = _page(draft, draft.article, links, declares_charset=damage != "no_charset")
    html = render(page, draft.site.theme, rng)
    served = payload(html, page.charset, page.language, damage, rng)
    return Response(
        draft.url,
        date,
        served.body,
        headers=served.headers,
        truncated=served.truncated,
    )


def _page(
    draft: Draft,
    article: Article,
    links: tuple[tuple[str, str], ...],
    declares_charset: bool,
) -> Page:
    # A site that has mathematics anywhere loads its scripts on every page.
    loads_formulas = any(section.mathematics for section in draft.site.sections)
    return Page(
        title=article.title.replace("$", ""),
        site=draft.site.title,
        language=article.language,
        body=article.html(draft.carrier or "dollars"),
        head=head_of(draft.carrier) if loads_formulas else "",
        charset=draft.site.charset,
        links=links,
        declares_charset=declares_charset,
    )


def _error(draft: Draft, date: str) -> Response:
    site = draft.site
    headers = [("Content-Type", "text/html; charset=utf-8")]
    if draft.status == 301:
        target = f"https://{site.host}{draft.section.path}"
        headers.append(("Location", target))

    text = fill(_ERROR_PAGE, status=draft.status, site=site.title)
    body = text.encode("utf-8")
    return Response(draft.url, date, body, draft.status, headers)


def _file_body(kind: str, rng: random.Random) -> bytes:
    """Bytes that begin like a file of this kind and mean nothing."""
    if kind == "css":
        colour, margin = rng.getrandbits(24), rng.randint(0, 40)
        return b".nav { color: #%06x; }\nbody { margin: %dpx }\n" % (colour, margin)
    if kind == "js":
        return b"function sum(a, b) { return a + b + %d; }\n" % rng.randint(0, 99)

    noise = rng.randbytes(rng.randint(400, 3000))
    if kind == "png":
        return b"\x89PNG\r\n\x1a\n" + noise
    start = b"%PDF-1.5\n1 0 obj <</Filter /FlateDecode>>\nstream\n"
    end = b"\nendstream\n%%EOF\n"
    return start + zlib.compress(noise) + end
