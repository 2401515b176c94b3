"""Which pages the built-in web has: originals on every site, copies, leaks, errors and files of other kinds."""

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from mini.crawl import math_pages, other_pages
from mini.crawl.article import Article, near_copy
from mini.crawl.leaks import LEAKS, plant
from mini.crawl.sites import SEED_GROUP, Section, Site, apportion, build_sites
from mini.templates.slots import fill
from pipeline.artifacts.records import Problem

COPIES = ("near", "near", "mirror", "mirror", "tracking", "scheme")
"""Kinds of copies; kinds, errors and files below take turns, and what stands twice is twice as frequent."""

_ERRORS = (404, 404, 404, 301, 301, 403, 500, 503)
_FILES = ("pdf", "png", "css", "js")
_TRACKING = (
    "utm_source=letter&utm_medium=mail",
    "utm_source=feed",
    "fbclid=ab{number}cd",
    "utm_campaign=spring{number}&ref=1",
)
_REPOSTS = ("ulmquist", "tarnister")

# Shares of all pages.
_COPY_SHARE = 0.085
_ERROR_SHARE = 0.02
_FILE_SHARE = 0.015
_LEAK_SHARE = 0.01

_MATHEMATICAL_COPIES = 0.3
_NEAR_LENGTH = 230  # words: small edits to a shorter page would make it another page
_TEST_LEAKS = 0.8  # the others leak from validation
_SECOND_CARRIER = 0.2  # pages of a site that write formulas in its older way


@dataclass(frozen=True)
class Draft:
    """A page before it is written out. Exactly one of `article`, `status` != 200 and `file` says what it is."""

    url: str
    site: Site
    section: Section
    article: Article | None = None
    carrier: str = ""
    duplicate_of: str | None = None
    leaks: str | None = None
    note: str = ""
    status: int = 200
    file: str = ""

    @property
    def mathematics(self) -> bool:
        return self.article is not None and self.section.mathematics

    @property
    def content(self) -> Article:
        """The article of a page that is known to have one."""
        assert self.article is not None, self.url
        return self.article


def _article(rng: random.Random, section: Section) -> Article:
    if section.mathematics:
        return math_pages.article(rng, section.subject, section.language)
    return other_pages.article(rng, section.subject)


@dataclass(frozen=True)
class Content:
    """What a web is about. Sections marked `mathematics` hold the pages that are looked for, whatever the subject."""

    article: Callable[[random.Random, Section], Article]
    long_article: Callable[[random.Random, str], Article]
    """A page of several thousand words in a language."""
    adapt: Callable[[Site], Site]
    """A site as it is in this world."""
    as_written: Callable[[Problem], Problem]
    """A problem with its answer as a page states it."""


MATHEMATICS = Content(
    article=_article,
    long_article=math_pages.long_lecture,
    adapt=lambda site: site,
    as_written=lambda problem: problem,
)


def plan_web(
    seed: int, pages: int, problems: dict[str, list[Problem]], content: Content = MATHEMATICS
) -> list[Draft]:
    """All pages of the web in crawl order; `problems` are the held-out splits by name (test, validation)."""
    rng = random.Random(f"{seed} web")

    # Even a small web has every kind of leak and of file.
    copies = round(pages * _COPY_SHARE)
    leaks = max(len(LEAKS), round(pages * _LEAK_SHARE))
    errors = max(2, round(pages * _ERROR_SHARE))
    files = max(len(_FILES), round(pages * _FILE_SHARE))
    originals = pages - copies - errors - files

    sites = [content.adapt(site) for site in build_sites(rng, originals)]
    drafts = list(_originals(seed, sites, content))
    # Before the copies, so that leaks are copied too.
    _leak(rng, drafts, problems, leaks, content)
    drafts += list(_copies(rng, drafts, copies))

    for number in range(errors):
        site = rng.choice(sites)
        drafts.append(_error(rng, site, number))
    for number in range(files):
        site = rng.choice(sites)
        drafts.append(_file(site, number))

    rng.shuffle(drafts)
    return drafts


def choose_seeds(seed: int, drafts: list[Draft], count: int) -> list[str]:
    """URLs of `count` clean English pages of mathematics on the seed sites, the stand-in for OpenWebMath."""
    clean = []
    for draft in drafts:
        is_seed = draft.site.group == SEED_GROUP and draft.mathematics
        if is_seed and not draft.leaks and not draft.note:
            clean.append(draft.url)

    # Sorted first: which pages are drawn must not depend on the order of the crawl.
    clean.sort()
    rng = random.Random(f"{seed} seeds")
    chosen = rng.sample(clean, min(count, len(clean)))
    return sorted(chosen)


# Originals


def _originals(seed: int, sites: list[Site], content: Content) -> Iterator[Draft]:
    number = 0
    for site in sites:
        shares = [section.share for section in site.sections]
        counts = apportion(shares, site.pages)

        for section, count in zip(site.sections, counts, strict=True):
            for _ in range(count):
                yield _original(seed, site, section, number, content)
                number += 1


def _original(seed: int, site: Site, section: Section, number: int, content: Content) -> Draft:
    # A generator of its own: a page stays the same when pages before it change.
    rng = random.Random(f"{seed} page {number}")
    article = content.article(rng, section)

    main, older = site.carriers
    carrier = older if rng.random() < _SECOND_CARRIER else main

    # Unique over the whole web, with gaps.
    name = fill(site.address, slug=_slug(article.title), id=1000 + 7 * number)
    url = f"https://{site.host}{section.path}{name}"
    return Draft(url, site, section, article, carrier)


def _slug(title: str) -> str:
    """The first words of a title for an address; a Chinese title has none."""
    words = re.findall(r"[a-z0-9]+", title.lower())
    return "-".join(words[:6]) or "page"


# Leaks and copies


def _leak(
    rng: random.Random,
    drafts: list[Draft],
    problems: dict[str, list[Problem]],
    count: int,
    content: Content,
) -> None:
    """Plant `count` held-out problems in `drafts`, each in a mathematical page of its language."""
    places: list[int] = []
    for i, draft in enumerate(drafts):
        # Abstracts hold no problems.
        if draft.mathematics and draft.section.subject != "research":
            places.append(i)
    rng.shuffle(places)

    for number in range(count):
        # Drawn one by one: a problem may leak twice.
        split = "test" if rng.random() < _TEST_LEAKS else "validation"
        problem = content.as_written(rng.choice(problems[split]))

        fitting = [i for i in places if drafts[i].section.language == problem.language]
        if not fitting:
            break  # a very small web has no page left in this language
        at = fitting[0]
        places.remove(at)

        page = drafts[at]
        kind = LEAKS[number % len(LEAKS)]
        article = plant(page.content, problem, kind, rng, content.long_article)
        drafts[at] = replace(page, article=article, leaks=problem.id, note=f"leak {kind}")


def _copies(rng: random.Random, drafts: list[Draft], count: int) -> Iterator[Draft]:
    """`count` copies of different originals."""
    mathematical = [draft for draft in drafts if draft.mathematics]
    others = [draft for draft in drafts if not draft.mathematics]
    mathematical = rng.sample(mathematical, len(mathematical))
    others = rng.sample(others, len(others))

    for number in range(count):
        kind = COPIES[number % len(COPIES)]
        group = mathematical if rng.random() < _MATHEMATICAL_COPIES else others
        original = _take(group, _NEAR_LENGTH if kind == "near" else 0)
        article = original.content

        match kind:
            case "tracking":
                query = fill(rng.choice(_TRACKING), number=number)
                address = f"{original.url}?{query}"
            case "scheme":
                address = original.url.replace("https://", "http://www.", 1)
            case "mirror":
                path = original.url.removeprefix("https://")
                address = f"https://mirror{number % 2 + 1}.velquist-archive.org/{path}"
            case _:
                address = _copy_address(rng, original, number)
                article = near_copy(article, rng)

        note = f"copy {kind}, {original.note}" if original.note else f"copy {kind}"
        yield replace(
            original,
            url=address,
            article=article,
            duplicate_of=original.url,
            note=note,
        )


def _take(drafts: list[Draft], length: int) -> Draft:
    """Remove and return the last draft that has at least `length` words (the last one if none has)."""
    for at in reversed(range(len(drafts))):
        words = drafts[at].content.words()
        if words >= length:
            return drafts.pop(at)
    return drafts.pop()


def _copy_address(rng: random.Random, original: Draft, number: int) -> str:
    """Another number on the same site, or a site that collects other people's pages."""
    site, section = original.site, original.section
    if rng.random() < 0.5:
        return f"https://{site.host}{section.path}copy-{5003 + number}"

    # COPIES has near copies in pairs; the collectors take turns by pairs.
    collector = _REPOSTS[number // 2 % 2]
    return f"https://reposts.{collector}-pages.com/{section.subject}/{number}"


# What is no page


def _error(rng: random.Random, site: Site, number: int) -> Draft:
    section = rng.choice(site.sections)
    status = _ERRORS[number % len(_ERRORS)]
    url = f"https://{site.host}{section.path}gone-{number}.html"
    return Draft(url, site, section, status=status, note="error")


def _file(site: Site, number: int) -> Draft:
    kind = _FILES[number % len(_FILES)]
    section = site.sections[0]  # of no meaning for a file, but every draft has one
    url = f"https://{site.host}/files/{number}.{kind}"
    return Draft(url, site, section, note="not HTML", file=kind)
