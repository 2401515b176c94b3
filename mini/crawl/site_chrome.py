"""Wrap an article into a site's page: head, navigation, sidebar, cookie banner, footer. Themes: `site_chrome.yaml`."""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path

from mini.crawl.article import BYLINE_TAG
from mini.templates.data_files import data_class, read_data
from mini.templates.slots import fill, replace_slots

DATA_FILES = ("site_chrome.yaml",)

LANGUAGE_TAGS = {"zh": "zh-CN", "en": "en"}

NUMBERS: dict[str, Callable[[random.Random], str]] = {
    "year": lambda rng: str(rng.randint(2004, 2024)),
    "views": lambda rng: str(rng.randint(10, 90000)),
    "online": lambda rng: str(rng.randint(2, 90)),
    "rating": lambda rng: str(rng.randint(10, 50) / 10),
}
"""Slots of themes that are drawn, in the order in which a theme has them."""


@dataclass(frozen=True)
class Page:
    """What a theme needs. `links` are (address, label) pairs of other pages of the site."""

    title: str
    site: str
    language: str
    body: str  # the article as HTML
    head: str  # what the page's formulas load
    charset: str
    links: tuple[tuple[str, str], ...]
    declares_charset: bool = True


@data_class
class _Chrome:
    """The content of `site_chrome.yaml`: labels and menus by language, then templates of HTML."""

    labels: dict[str, dict[str, str]]
    menus: dict[str, tuple[str, ...]]
    pieces: dict[str, str]
    themes: dict[str, str]
    document: str


@cache
def _chrome() -> _Chrome:
    path = Path(__file__).with_name("site_chrome.yaml")
    return read_data(path, _Chrome)


def render(page: Page, theme: str, rng: random.Random) -> str:
    """The whole HTML document of `page` in the theme called `theme`."""
    chrome = _chrome()
    labels = chrome.labels[page.language]

    # A forum puts its buttons between two posts, that is before each byline.
    tools = fill(chrome.pieces["post_tools"], **labels)
    posts = page.body.replace(BYLINE_TAG, f"{tools}\n{BYLINE_TAG}")

    texts = labels | {
        "language": LANGUAGE_TAGS[page.language],
        "charset": f'<meta charset="{page.charset}">\n' if page.declares_charset else "",
        "head": page.head,
        "title": escape(page.title),
        "site": escape(page.site),
        "home": chrome.menus[page.language][0],
        "menu_items": _menu_items(page.language),
        "links": f"<ul>{_items(page.links)}</ul>",
        "body": page.body,
        "posts": posts,
    }
    templates = chrome.pieces | {"theme": chrome.themes[theme]}

    # Asked from left to right while the page is filled, so a theme draws only the numbers that it shows.
    def value_of(slot: str) -> str:
        if slot in templates:
            return replace_slots(templates[slot], value_of)
        if slot in NUMBERS:
            return NUMBERS[slot](rng)
        return texts[slot]

    return replace_slots(chrome.document, value_of)


@cache
def _menu_items(language: str) -> str:
    menu = _chrome().menus[language]
    links = [(f"/{number}.html", label) for number, label in enumerate(menu)]
    return _items(links)


def _items(links: Iterable[tuple[str, str]]) -> str:
    """List items of (address, label) pairs."""
    items = []
    for address, label in links:
        items.append(f'<li><a href="{escape(address)}">{escape(label)}</a></li>')
    return "".join(items)
