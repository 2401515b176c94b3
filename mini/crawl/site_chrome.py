"""Wrap an article into a site's page: head, navigation, sidebar, cookie banner, footer, in eight looks."""

import random
from dataclasses import dataclass
from html import escape


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


_LABELS = {
    "en": {
        "menu": ("Home", "About", "Archive", "Search", "Contact", "Log in"),
        "cookie": "We use cookies to improve your visit. By going on you accept our cookie policy.",
        "accept": "Accept all",
        "footer": "All rights reserved. Privacy | Terms | Imprint",
        "related": "You may also like",
        "recent": "Recent pages",
        "share": "Share this page by mail",
        "letter": "Sign up for our newsletter",
        "reply": "Reply | Quote | Report",
        "next": "Next page",
        "basket": "Add to basket",
    },
    "zh": {
        "menu": ("首页", "关于我们", "归档", "搜索", "联系我们", "登录"),
        "cookie": "本站使用缓存文件改善浏览体验，继续访问即表示同意。",
        "accept": "全部接受",
        "footer": "版权所有 隐私政策 服务条款 网站地图",
        "related": "猜你喜欢",
        "recent": "最近更新",
        "share": "分享到",
        "letter": "订阅本站",
        "reply": "回复 引用 举报",
        "next": "下一页",
        "basket": "加入购物车",
    },
}


def render(page: Page, theme: str, rng: random.Random) -> str:
    """The whole HTML document of `page` in the look called `theme`."""
    labels = _LABELS[page.language]
    charset = f'<meta charset="{page.charset}">\n' if page.declares_charset else ""
    head = f"{charset}<title>{escape(page.title)} - {escape(page.site)}</title>\n{page.head}"
    style = "<style>body{margin:0;font:16px serif}.nav li{display:inline}</style>"
    body = _THEMES[theme](page, labels, rng)
    language = {"zh": "zh-CN", "en": "en"}[page.language]
    top = f'<!DOCTYPE html>\n<html lang="{language}">\n<head>\n{head}\n{style}\n</head>'
    return f"{top}\n<body>\n{body}\n</body>\n</html>\n"


def _menu(labels: dict) -> str:
    items = "".join(
        f'<li><a href="/{i}.html">{label}</a></li>' for i, label in enumerate(labels["menu"])
    )
    return f'<nav class="nav"><ul>{items}</ul></nav>'


def _links(page: Page) -> str:
    items = "".join(
        f'<li><a href="{escape(href)}">{escape(label)}</a></li>' for href, label in page.links
    )
    return f"<ul>{items}</ul>"


def _footer(page: Page, labels: dict, rng: random.Random) -> str:
    return f'<footer class="footer"><p>&copy; {rng.randint(2004, 2024)} {page.site}. {labels["footer"]}</p></footer>'


def _cookies(labels: dict) -> str:
    return f'<div id="cookie-banner" class="cookie"><p>{labels["cookie"]}</p><button>{labels["accept"]}</button></div>'


def _academic(page: Page, labels: dict, rng: random.Random) -> str:
    return f'{page.body}\n<hr>\n<p class="small"><a href="index.html">{labels["menu"][0]}</a> | {page.site}</p>'


def _wiki(page: Page, labels: dict, rng: random.Random) -> str:
    side = f'<div id="sidebar" class="sidebar"><h3>{labels["recent"]}</h3>{_links(page)}</div>'
    return (
        f'{side}\n<div id="content" role="main">\n{page.body}\n</div>\n{_footer(page, labels, rng)}'
    )


def _blog(page: Page, labels: dict, rng: random.Random) -> str:
    share = f'<div class="share"><a href="mailto:?">{labels["share"]}</a></div>'
    side = f'<aside class="widget"><h3>{labels["related"]}</h3>{_links(page)}<p>{labels["letter"]}</p></aside>'
    header = f"<header>{_menu(labels)}</header>"
    main = f'<article class="post">\n{page.body}\n{share}</article>'
    return f"{_cookies(labels)}{header}\n<main>{main}</main>\n{side}{_footer(page, labels, rng)}"


def _portal(page: Page, labels: dict, rng: random.Random) -> str:
    script = f"<script>var page = {{'views': {rng.randint(10, 90000)}, 'ads': true}};</script>"
    side = f'<div class="col-side"><h4>{labels["related"]}</h4>{_links(page)}</div>'
    main = f'<div class="col-main"><div class="story">\n{page.body}\n</div></div>'
    return f'<div id="top">{_menu(labels)}</div>{script}{_cookies(labels)}{main}{side}{_footer(page, labels, rng)}'


def _forum(page: Page, labels: dict, rng: random.Random) -> str:
    crumbs = (
        f'<div class="breadcrumb"><a href="/">{page.site}</a> &raquo; {escape(page.title)}</div>'
    )
    tools = f'<div class="post-tools">{labels["reply"]}</div>'
    body = page.body.replace('<div class="meta">', f'{tools}\n<div class="meta">')
    online = f'<div class="stats">{rng.randint(2, 90)} online</div>'
    return f'{_menu(labels)}{crumbs}\n<div class="thread" role="main">{body}</div>\n{online}{_footer(page, labels, rng)}'


def _table(page: Page, labels: dict, rng: random.Random) -> str:
    cell = f'<td width="160" valign="top"><b>{labels["recent"]}</b>{_links(page)}</td>'
    return (
        f'<table width="900" border="0"><tr>{cell}<td valign="top">\n{page.body}\n</td></tr>'
        f'<tr><td colspan="2" align="center"><font size="1">{page.site} {labels["footer"]}</font></td></tr></table>'
    )


def _docs(page: Page, labels: dict, rng: random.Random) -> str:
    side = f'<nav class="toc"><p>{labels["recent"]}</p>{_links(page)}</nav>'
    foot = f'<div class="pager"><a href="next.html">{labels["next"]}</a></div>'
    return f'{side}<main class="document"><section>\n{page.body}\n</section></main>{foot}{_footer(page, labels, rng)}'


def _shop(page: Page, labels: dict, rng: random.Random) -> str:
    button = f'<button class="buy">{labels["basket"]}</button><div class="rating">{rng.randint(10, 50) / 10} / 5</div>'
    side = f'<section class="carousel"><h3>{labels["related"]}</h3>{_links(page)}</section>'
    main = f'<main id="product">{page.body}{button}</main>'
    return f"{_cookies(labels)}{_menu(labels)}{main}{side}{_footer(page, labels, rng)}"


_THEMES = {
    "academic": _academic,
    "wiki": _wiki,
    "blog": _blog,
    "portal": _portal,
    "forum": _forum,
    "table": _table,
    "docs": _docs,
    "shop": _shop,
}
