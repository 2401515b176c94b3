"""Which pages the built-in web has: originals on every site, copies, leaks, errors and files of other kinds."""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from mini.crawl import math_pages, other_pages
from mini.crawl.article import Article, near_copy
from mini.crawl.leaks import LEAKS, plant
from mini.crawl.sites import SEED_GROUP, Section, Site, apportion, build_sites
from pipeline.artifacts.records import Problem

COPIES = ("near", "near", "mirror", "mirror", "tracking", "scheme")
_COPY_SHARE, _ERROR_SHARE, _FILE_SHARE, _LEAK_SHARE = 0.085, 0.02, 0.015, 0.01
_MATHEMATICAL_COPIES = 0.3
_NEAR_LENGTH = 230  # words: small edits to a shorter page would make it another page
_TEST_LEAKS = 0.8  # the others leak from validation
_TRACKING = (
    "utm_source=letter&utm_medium=mail",
    "utm_source=feed",
    "fbclid=ab{0}cd",
    "utm_campaign=spring{0}&ref=1",
)
_ERRORS = (404, 404, 404, 301, 301, 403, 500, 503)
_FILES = ("pdf", "png", "css", "js")


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


def plan_web(seed: int, pages: int, problems: dict[str, list[Problem]]) -> list[Draft]:
    """All pages of the web in crawl order; `problems` are the held-out splits by name (test, validation)."""
    rng = random.Random(f"{seed} web")
    copies, errors = round(pages * _COPY_SHARE), max(2, round(pages * _ERROR_SHARE))
    files = max(len(_FILES), round(pages * _FILE_SHARE))
    sites = build_sites(rng, pages - copies - errors - files)
    drafts = _leak(
        rng, list(_originals(seed, sites)), problems, max(len(LEAKS), round(pages * _LEAK_SHARE))
    )
    drafts += list(_copies(rng, drafts, copies))
    drafts += [_error(rng, rng.choice(sites), i) for i in range(errors)]
    drafts += [_file(rng.choice(sites), _FILES[i % len(_FILES)], i) for i in range(files)]
    rng.shuffle(drafts)
    return drafts


def choose_seeds(seed: int, drafts: list[Draft], count: int) -> list[str]:
    """URLs of `count` clean English pages of mathematics on the seed sites, the stand-in for OpenWebMath."""
    clean = [
        d.url
        for d in drafts
        if d.site.group == SEED_GROUP and d.mathematics and not (d.leaks or d.note)
    ]
    rng = random.Random(f"{seed} seeds")
    return sorted(rng.sample(sorted(clean), min(count, len(clean))))


def _originals(seed: int, sites: list[Site]) -> Iterator[Draft]:
    number = 0
    for site in sites:
        counts = apportion([section.share for section in site.sections], site.pages)
        for section, count in zip(site.sections, counts, strict=True):
            for _ in range(count):
                rng = random.Random(f"{seed} page {number}")
                article = _write(rng, section)
                url = _address(site, section, article.title, 1000 + 7 * number)
                carrier = site.carriers[rng.random() < 0.2]
                yield Draft(url, site, section, article, carrier)
                number += 1


def _write(rng: random.Random, section: Section) -> Article:
    if section.mathematics:
        return math_pages.article(rng, section.subject, section.language)
    return other_pages.article(rng, section.subject)


def _address(site: Site, section: Section, title: str, number: int) -> str:
    words = re.findall(r"[a-z0-9]+", title.lower())[:6]
    return f"https://{site.host}{section.path}" + site.address.format(
        slug="-".join(words) or "page", id=number
    )


def _leak(
    rng: random.Random, drafts: list[Draft], problems: dict[str, list[Problem]], count: int
) -> list[Draft]:
    """Plant `count` held-out problems, each in a mathematical page of its language."""
    hosts = [i for i, d in enumerate(drafts) if d.mathematics and d.section.subject != "research"]
    rng.shuffle(hosts)
    for number in range(count):
        split = "test" if rng.random() < _TEST_LEAKS else "validation"
        problem = rng.choice(problems[split])
        at = next((i for i in hosts if drafts[i].section.language == problem.language), None)
        if at is None:
            break  # a very small web has no page left in this language
        hosts.remove(at)
        kind = LEAKS[number % len(LEAKS)]
        article = plant(drafts[at].article, problem, kind, rng)
        drafts[at] = replace(drafts[at], article=article, leaks=problem.id, note=f"leak {kind}")
    return drafts


def _copies(rng: random.Random, drafts: list[Draft], count: int) -> Iterator[Draft]:
    groups = [[d for d in drafts if d.mathematics == mathematics] for mathematics in (True, False)]
    chosen = [rng.sample(group, len(group)) for group in groups]
    for number in range(count):
        kind = COPIES[number % len(COPIES)]
        original = _take(
            chosen[0 if rng.random() < _MATHEMATICAL_COPIES else 1], _NEAR_LENGTH * (kind == "near")
        )
        address, article = original.url, original.article
        if kind == "tracking":
            address += "?" + rng.choice(_TRACKING).format(number)
        elif kind == "scheme":
            address = address.replace("https://", "http://www.", 1)
        elif kind == "mirror":
            address = f"https://mirror{number % 2 + 1}.velquist-archive.org/{address.removeprefix('https://')}"
        else:
            address = _copy_address(rng, original, number)
            article = near_copy(original.article, rng)
        note = f"copy {kind}" + (f", {original.note}" if original.note else "")
        yield replace(original, url=address, article=article, duplicate_of=original.url, note=note)


def _take(drafts: list[Draft], length: int) -> Draft:
    """Remove and return the last draft that has at least `length` words (the last one if none has)."""
    at = next(
        (i for i in range(len(drafts) - 1, -1, -1) if drafts[i].article.words() >= length), -1
    )
    return drafts.pop(at)


def _copy_address(rng: random.Random, original: Draft, number: int) -> str:
    """A near copy stands on the same site under another number, or on a site that collects other people's pages."""
    if rng.random() < 0.5:
        return f"https://{original.site.host}{original.section.path}copy-{5003 + number}"
    return f"https://reposts.{('ulmquist', 'tarnister')[number % 4 // 2]}-pages.com/{original.section.subject}/{number}"


def _error(rng: random.Random, site: Site, number: int) -> Draft:
    status = _ERRORS[number % len(_ERRORS)]
    section = rng.choice(site.sections)
    return Draft(
        f"https://{site.host}{section.path}gone-{number}.html",
        site,
        section,
        status=status,
        note="error",
    )


def _file(site: Site, kind: str, number: int) -> Draft:
    section = site.sections[0]
    return Draft(
        f"https://{site.host}/files/{number}.{kind}", site, section, note="not HTML", file=kind
    )
