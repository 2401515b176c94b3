"""The sites of the built-in web: their domains, sections, markup, theme, and how many pages each has.

Which sites exist (`sites.yaml`) decides what the mining rounds can find. The seed pages are English, on three sites;
notes on forums and in archives lead to chatter and abstracts, whose words are others; lessons and questions in both
languages, then circles that chat in English and Chinese, lead to Chinese mathematics. All of these have sections
without mathematics.
"""

import math
import random
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mini.crawl.math_markup import WRITERS
from mini.templates.data_files import data_class, read_data

DATA_FILES = ("sites.yaml",)

FULL_SIZE = 4000
"""Pages for which the numbers of sites in `sites.yaml` are meant; other sizes scale them with the square root."""

MOST_GROWTH = 2
"""A web of any size has at most this many times as many sites."""

SEED_GROUP = "seed"


@data_class
class Section:
    """Pages under one path: what they are about, in which language, and their share of the site."""

    path: str
    subject: str
    language: str
    share: float
    mathematics: bool = False


@data_class
class Group:
    """Sites of one kind. `share` is the share of the web's pages that the whole group has."""

    name: str
    language: str
    trade: str  # second half of the host name and of the title
    sites: int
    share: float
    # The sites of the group take turns with these.
    endings: tuple[str, ...]
    themes: tuple[str, ...]
    layouts: tuple[str, ...]


@data_class
class _HostNames:
    first: tuple[str, ...]
    second: tuple[str, ...]


@data_class
class _Sites:
    """The content of `sites.yaml`, which says what each field is."""

    host_names: _HostNames
    addresses: dict[str, tuple[str, ...]]
    charsets: dict[str, tuple[str, ...]]
    layouts: dict[str, tuple[Section, ...]]
    groups: tuple[Group, ...]


@dataclass(frozen=True)
class Site:
    """One host. `address` is a template of the last part of a URL, over {slug} and {id}."""

    host: str
    title: str
    group: str
    sections: tuple[Section, ...]
    pages: int
    theme: str
    carriers: tuple[str, str]  # most pages use the first, some older ones the second
    charset: str
    address: str


@cache
def _data() -> _Sites:
    path = Path(__file__).with_name("sites.yaml")
    return read_data(path, _Sites)


def build_sites(rng: random.Random, pages: int) -> list[Site]:
    """All sites of a web of `pages` original pages; the sites' page numbers add up to it."""
    data = _data()
    carriers = rng.sample(list(WRITERS), len(WRITERS))
    names = _shuffled_host_names(rng)

    # Every site to build, as its group and its number within the group.
    growth = min(math.sqrt(pages / FULL_SIZE), MOST_GROWTH)
    planned: list[tuple[Group, int]] = []
    for group in data.groups:
        count = max(1, round(group.sites * growth))
        planned += [(group, index) for index in range(count)]

    # The sites of a group share what the group has.
    sites_of_group = Counter(group.name for group, _ in planned)
    shares = [group.share / sites_of_group[group.name] for group, _ in planned]
    quotas = apportion(shares, pages)

    sites = []
    for number, (group, index) in enumerate(planned):
        name = names[number]
        ending = _turn(group.endings, index)
        layout = _turn(group.layouts, index)
        charset, address = _technics(rng, group, index)
        # Older pages write formulas as sites of other numbers do now.
        carrier = _turn(carriers, number)
        older_carrier = _turn(carriers, number + 4)

        site = Site(
            host=f"{name}-{group.trade}.{ending}",
            title=f"{name.capitalize()} {group.trade.capitalize()}",
            group=group.name,
            sections=data.layouts[layout],
            pages=quotas[number],
            theme=_turn(group.themes, index),
            carriers=(carrier, older_carrier),
            charset=charset,
            address=address,
        )
        sites.append(site)
    return sites


def apportion(shares: list[float], total: int) -> list[int]:
    """Whole numbers in the proportion of `shares` that add up to `total` (largest remainders)."""
    whole = sum(shares)
    exact = [share * total / whole for share in shares]
    counts = [int(value) for value in exact]

    # What is left over goes to those that rounding down cost most, the first of equals first.
    losses = [value - count for value, count in zip(exact, counts, strict=True)]
    order = sorted(range(len(shares)), key=lambda i: (-losses[i], i))
    left_over = total - sum(counts)
    for i in order[:left_over]:
        counts[i] += 1
    return counts


def _shuffled_host_names(rng: random.Random) -> list[str]:
    halves = _data().host_names
    names: list[str] = []
    for first in halves.first:
        names += [first + second for second in halves.second]
    return rng.sample(names, len(names))


def _technics(rng: random.Random, group: Group, index: int) -> tuple[str, str]:
    """Charset and address pattern of a site: drawn for English sites, in turn for the few Chinese ones."""
    data = _data()
    charsets = data.charsets[group.language]
    addresses = data.addresses[group.language]

    if group.language == "zh":
        return _turn(charsets, index), _turn(addresses, index)
    return rng.choice(charsets), rng.choice(addresses)


def _turn(choices: list[str] | tuple[str, ...], number: int) -> str:
    """The choice of number `number` when all take turns."""
    return choices[number % len(choices)]
