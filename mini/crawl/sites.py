"""The sites of the built-in web: their domains, sections, markup, look, and how many pages each has.

Which sites exist decides what the mining rounds can find. The seed pages are English and stand on three sites;
notes on forums and in archives lead to chatter and abstracts, whose words are others; lessons and questions in both
languages, then circles that chat in English and Chinese, lead to Chinese mathematics. All of these have sections
without mathematics.
"""

import math
import random
from dataclasses import dataclass

from mini.crawl.math_markup import WRITERS

FULL_SIZE = 4000
"""Pages for which the numbers of sites in GROUPS are meant; other sizes scale them with the square root."""


@dataclass(frozen=True)
class Section:
    """Pages under one path: what they are about, in which language, and their share of the site."""

    path: str
    subject: str
    language: str
    share: float
    mathematics: bool = False


@dataclass(frozen=True)
class Group:
    """Sites of one kind. `share` is the share of the web's pages that the whole group has."""

    name: str
    sites: int
    share: float
    endings: tuple[str, ...]
    themes: tuple[str, ...]
    layouts: tuple[tuple[Section, ...], ...]  # sites take turns


@dataclass(frozen=True)
class Site:
    host: str
    title: str
    group: str
    sections: tuple[Section, ...]
    pages: int
    theme: str
    carriers: tuple[str, str]  # most pages use the first, some older ones the second
    charset: str
    address: str  # pattern of the last part of a URL


def _math(path: str, subject: str, language: str, share: float) -> Section:
    return Section(path, subject, language, share, True)


def _plain(path: str, subject: str, share: float) -> Section:
    return Section(path, subject, "zh" if subject.endswith("_zh") else "en", share)


_FORUM = (
    _math("/math/", "chat", "en", 0.26),
    _math("/math/", "lecture", "en", 0.14),
    _plain("/cooking/", "recipes", 0.2),
    _plain("/computers/", "computers", 0.22),
    _plain("/travel/", "travel", 0.18),
)
_ARCHIVE = (
    _math("/abs/math/", "research", "en", 0.29),
    _math("/abs/math/", "lecture", "en", 0.16),
    _plain("/abs/bio/", "biology", 0.3),
    _plain("/abs/econ/", "economy", 0.25),
)
_UNIVERSITY = (
    _math("/math/courses/", "lecture", "en", 0.35),
    _plain("/biology/papers/", "biology", 0.25),
    _plain("/press/", "news", 0.25),
    _plain("/computing/docs/", "code", 0.15),
)
_LESSONS = (
    _math("/lessons/", "lecture", "en", 0.48),
    _math("/lessons/", "lecture", "zh", 0.46),
    _plain("/about/", "campus", 0.06),
)
_QUESTIONS = (
    _math("/questions/", "qa", "en", 0.46),
    _math("/questions/", "qa", "zh", 0.46),
    _plain("/lounge/", "campus", 0.08),
)
_CIRCLE = (
    _math("/circle/", "chat", "en", 0.44),
    _math("/circle/", "chat", "zh", 0.25),
    _math("/circle/", "lecture", "zh", 0.25),
    _plain("/about/", "campus", 0.06),
)
_FORUM_ZH = (
    _math("/shuxue/", "chat", "zh", 0.27),
    _math("/shuxue/", "lecture", "zh", 0.13),
    _plain("/meishi/", "food_zh", 0.25),
    _plain("/jiaoyu/", "exams_zh", 0.2),
    _plain("/xiaoshuo/", "stories_zh", 0.15),
)
_NOTES = (_math("/notes/", "lecture", "en", 0.95), _plain("/about/", "campus", 0.05))
_ANSWERS = (_math("/questions/", "qa", "en", 0.95), _plain("/meta/", "campus", 0.05))
_SCHOOL_ZH = (
    _math("/jiangyi/", "lecture", "zh", 0.6),
    _math("/wenda/", "qa", "zh", 0.3),
    _plain("/gonggao/", "campus_zh", 0.1),
)


def _only(path: str, subject: str) -> tuple[tuple[Section, ...], ...]:
    return ((_plain(path, subject, 1.0),),)


_EN, _CN = ("com", "net", "org"), ("cn", "com.cn", "com")
SEED_GROUP = "seed"
GROUPS = (
    Group(SEED_GROUP, 3, 0.066, ("org", "edu"), ("academic", "wiki"), (_NOTES, _ANSWERS, _NOTES)),
    Group("notes", 4, 0.028, ("edu", "org", "net"), ("academic", "blog"), (_NOTES, _ANSWERS)),
    Group("bilingual", 3, 0.068, ("org", "com"), ("wiki", "blog"), (_LESSONS, _QUESTIONS, _CIRCLE)),
    Group("forum", 4, 0.066, ("com", "net"), ("forum",), (_FORUM,)),
    Group("archive", 2, 0.054, ("org",), ("academic",), (_ARCHIVE,)),
    Group("university", 3, 0.032, ("edu",), ("portal", "academic"), (_UNIVERSITY,)),
    Group("school_zh", 4, 0.026, ("cn", "edu.cn"), ("wiki", "blog"), (_SCHOOL_ZH,)),
    Group("forum_zh", 2, 0.022, ("cn", "com"), ("forum",), (_FORUM_ZH,)),
    Group("recipes", 11, 0.076, _EN, ("blog", "portal"), _only("/recipes/", "recipes")),
    Group("sport", 10, 0.076, _EN, ("portal", "table"), _only("/results/", "sport")),
    Group("shop", 12, 0.092, _EN, ("shop",), _only("/p/", "shop")),
    Group("stories", 9, 0.062, _EN, ("blog", "table"), _only("/stories/", "stories")),
    Group("news", 10, 0.070, _EN, ("portal",), _only("/local/", "news")),
    Group("docs", 9, 0.066, ("org", "net", "io"), ("docs",), _only("/docs/", "code")),
    Group("travel", 6, 0.036, _EN, ("blog",), _only("/trips/", "travel")),
    Group("craft", 6, 0.036, _EN, ("blog", "table"), _only("/projects/", "craft")),
    Group("helpdesk", 4, 0.024, _EN, ("forum",), _only("/threads/", "computers")),
    Group("food_zh", 4, 0.022, _CN, ("blog",), _only("/caipu/", "food_zh")),
    Group("news_zh", 4, 0.022, _CN, ("portal",), _only("/xinwen/", "news_zh")),
    Group("shop_zh", 4, 0.020, _CN, ("shop",), _only("/item/", "shop_zh")),
    Group("stories_zh", 3, 0.016, _CN, ("table", "blog"), _only("/book/", "stories_zh")),
    Group("sport_zh", 3, 0.012, _CN, ("portal",), _only("/saishi/", "sport_zh")),
    Group("exams_zh", 2, 0.008, ("cn", "gov.cn"), ("portal",), _only("/tongzhi/", "exams_zh")),
)

_ADDRESSES = ("{slug}-{id}.html", "{id}/{slug}", "{slug}.{id}.htm", "{id}", "show-{id}.html")
_CHARSETS_EN = ("utf-8",) * 8 + ("windows-1252", "iso-8859-1")
_CHARSETS_ZH = ("utf-8", "gb18030", "utf-8", "gbk", "gb2312")
_FIRST = (
    "bren", "cal", "dor", "el", "far", "gil", "hol", "ister", "jor", "kel", "lun", "mor",
    "nor", "os", "pel", "quil", "ros", "sel", "tar", "ul", "vel", "wen", "yar", "zel",
)  # fmt: skip
_SECOND = (
    "bury", "by", "cote", "dale", "fen", "gate", "ham", "ison", "ley", "mere", "moor", "ney",
    "ock", "pool", "quist", "rick", "stead", "thorpe", "ver", "wick",
)  # fmt: skip
_TRADES = {
    "seed": "notes", "notes": "lectures", "bilingual": "lessons", "forum": "boards", "archive": "preprints",
    "university": "college", "school_zh": "xuetang", "forum_zh": "luntan", "recipes": "kitchen", "sport": "scores",
    "shop": "store", "stories": "tales", "news": "courier", "docs": "software", "travel": "journeys",
    "craft": "workshop", "helpdesk": "helpdesk", "food_zh": "meishi", "news_zh": "ribao", "shop_zh": "shangcheng",
    "stories_zh": "shuwu", "sport_zh": "tiyu", "exams_zh": "zhaosheng",
}  # fmt: skip


def build_sites(rng: random.Random, pages: int) -> list[Site]:
    """All sites of a web of `pages` original pages; the sites' page numbers add up to it."""
    factor = math.sqrt(pages / FULL_SIZE)
    carriers = rng.sample(list(WRITERS), len(WRITERS))
    names = iter(rng.sample([a + b for a in _FIRST for b in _SECOND], len(_FIRST) * len(_SECOND)))
    plans = [
        (group, index)
        for group in GROUPS
        for index in range(max(1, round(group.sites * min(factor, 2))))
    ]
    quotas = apportion([_site_share(group, plans) for group, _ in plans], pages)
    sites = []
    for number, ((group, index), quota) in enumerate(zip(plans, quotas, strict=True)):
        chinese = group.name.endswith("_zh")
        charsets = _CHARSETS_ZH if chinese else _CHARSETS_EN
        name = next(names)
        sites.append(
            Site(
                host=f"{name}-{_TRADES[group.name]}.{group.endings[index % len(group.endings)]}",
                title=f"{name.capitalize()} {_TRADES[group.name].capitalize()}",
                group=group.name,
                sections=group.layouts[index % len(group.layouts)],
                pages=quota,
                theme=group.themes[index % len(group.themes)],
                carriers=(carriers[number % len(carriers)], carriers[(number + 4) % len(carriers)]),
                charset=charsets[index % len(charsets)] if chinese else rng.choice(charsets),
                address=_ADDRESSES[3 + index % 2] if chinese else rng.choice(_ADDRESSES[:4]),
            )
        )
    return sites


def apportion(shares: list[float], total: int) -> list[int]:
    """Whole numbers in the proportion of `shares` that add up to `total` (largest remainders)."""
    exact = [share * total / sum(shares) for share in shares]
    counts = [int(value) for value in exact]
    order = sorted(range(len(shares)), key=lambda i: (counts[i] - exact[i], i))
    for i in order[: total - sum(counts)]:
        counts[i] += 1
    return counts


def _site_share(group: Group, plans: list[tuple[Group, int]]) -> float:
    return group.share / sum(1 for other, _ in plans if other is group)
