"""Parts of a page that are not what it says: removed from the tree before its text is taken.

Told by what the markup says of itself: forms to fill in, the labels of their fields, and parts whose
class or id names their use (share buttons, related articles, consent, newsletters, comments). What lines
say is left to `corpus.html.content_lines`.
Whatever holds a formula stays: a comment of a blog on mathematics is content where it has one.
"""

import re
from functools import lru_cache

from resiliparse.parse.html import DocumentNode, ElementNode

from corpus.formulas.inline_tex import has_strong_hint
from corpus.formulas.placeholders import OPEN
from corpus.html.repair import LABEL

# Fields for a visitor's own words, address or password.
_FIELDS_TO_FILL = 'textarea,input[type="email"],input[type="password"],input[type="search"]'
_LONGEST_FORM = 1_500  # characters: more than that is a page inside a form


# Values of class and id; the patterns begin with fixed letters, so the search runs at memory speed.
_CLASSES = re.compile(rb"""ss=["']?([^"'>]{3,100})""")
_IDS = re.compile(rb"""id=["']?([^"'>]{3,60})""")
_PLAIN = re.compile(r"[A-Za-z][\w-]*")  # can stand in a selector as it is
_TAG_PARTS = frozenset({"tag-list", "tag-cloud", "tag-links"})
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
# Words of a class or id, each of which names a use that is no content.
_USES = frozenset(
    "share sharing sharebar sharebuttons sharedaddy social socials addtoany addthis newsletter subscribe subscription "
    "consent gdpr cookie cookies akismet respond commentform disqus outbrain taboola recommended recommendations "
    "trending mostread popup advert advertisement sponsored tagcloud pagination prevnext jp-relatedposts "
    "relatedposts relatedarticles".split()
)
# Words that do so together.
_PAIRS = (
    {"related", "posts"}, {"related", "articles"}, {"related", "content"}, {"related", "stories"}, {"related", "news"},
    {"related", "links"}, {"related", "post"}, {"related", "article"}, {"more", "articles"}, {"more", "stories"},
    {"more", "news"}, {"read", "next"}, {"most", "read"}, {"most", "popular"}, {"author", "bio"}, {"author", "box"},
    {"about", "author"}, {"author", "info"}, {"comment", "list"}, {"comments", "area"}, {"comment", "form"},
    {"comments", "section"}, {"post", "tags"}, {"entry", "tags"}, {"article", "tags"}, {"tag", "list"},
    {"tags", "links"},
    {"tag", "cloud"}, {"post", "navigation"}, {"nav", "links"}, {"sign", "up"}, {"social", "media"},
)  # fmt: skip
_WHOLE = frozenset({"comments", "comment-list", "commentlist", "tags", "related", "respond"})
_ELEMENTS = frozenset("div section aside ul ol p span nav footer table".split())
_LARGEST_SHARE = 0.3  # of a page's text; more is the page itself
_SMALL = 200  # characters: so little is never the page

_MOST_REMEMBERED = 65_536  # values of class and id
_HARMLESS: set[bytes] = set()  # those seen that name no use


def remove_boilerplate(document: DocumentNode, source: str, markup: bytes) -> None:
    """Remove what is no content from the tree: parts named so, forms to fill in, their labels.

    Args:
        document: the page's tree, which is changed; formulas are placeholders.
        source: the page's HTML.
        markup: the same as bytes.
    """
    # Selectors of single names: those that compare whole attributes are three times as slow.
    selectors = [f".{name}" for name in _named(_CLASSES.findall(markup))]
    selectors += [f"#{name}" for name in _named(_IDS.findall(markup))]
    if "<form" in source or "<FORM" in source:
        selectors.append("form")
    if LABEL in source:
        selectors.append(f"[{LABEL}]")
    if not selectors:
        return

    page = _Page(document)
    for node in document.query_selector_all(",".join(selectors)).values():
        if node.tag == "form":
            is_content = not _is_to_fill_in(node)
        elif node.has_attribute(LABEL):
            is_content = _is_content(node, document)
        else:
            is_content = node.tag not in _ELEMENTS or page.is_in(node)
        if not is_content:
            node.decompose()


class _Page:
    """How long a page is: found out when it is asked for, which costs more than the query."""

    def __init__(self, document: DocumentNode):
        self._document = document
        self._length = -1

    def is_in(self, part: ElementNode) -> bool:
        """Whether a part that is named as no content is the page itself, or holds a formula."""
        text = part.text or ""
        if holds_formula(text):
            return True
        if len(text) <= _SMALL:
            return False
        return len(text) > _LARGEST_SHARE * self._letters() or part.query_selector("h1") is not None

    def _letters(self) -> int:
        if self._length < 0:
            body = self._document.query_selector("body")
            self._length = len(body.text or "") if body is not None else 0
        return self._length


def _named(values: list[bytes]) -> list[str]:
    """Names that tell of such a use: of each value that has any, at least one; in order."""
    # Pages of a site repeat the values of each other: one comparison of sets tells the new ones.
    names: set[str] = set()
    for value in sorted(set(values) - _HARMLESS):
        uses = _uses_in(value)
        if not uses and len(_HARMLESS) < _MOST_REMEMBERED:
            _HARMLESS.add(value)
        # Fewer selectors make a faster query.
        if uses and names.isdisjoint(uses):
            names.add(uses[0])
    return sorted(names)


@lru_cache(maxsize=_MOST_REMEMBERED)
def _uses_in(value: bytes) -> tuple[str, ...]:
    """The names in a class or id that say that its element is no content."""
    if not value.isascii():
        return ()
    return tuple(name for name in value.decode().split() if _names_a_use(name))


def _names_a_use(name: str) -> bool:
    if not _PLAIN.fullmatch(name):
        return False
    # What an article is about, as blogs write it: category-cookies, tag-newsletter.
    if name.startswith(("category-", "tag-")) and name not in _TAG_PARTS:
        return False
    words = {word.lower() for word in _WORD.findall(name)}
    return name.lower() in _WHOLE or bool(words & _USES) or any(pair <= words for pair in _PAIRS)


def _is_to_fill_in(form: ElementNode) -> bool:
    """Whether it is for comments, a login, a search or a newsletter, and not a page or an exercise."""
    text = form.text or ""
    if len(text) > _LONGEST_FORM or holds_formula(text):
        return False
    return form.query_selector(_FIELDS_TO_FILL) is not None


def _is_content(label: ElementNode, document: DocumentNode) -> bool:
    """Whether a label is text of the page: a choice, or a name without a field."""
    if holds_formula(label.text or ""):
        return True

    field = label.query_selector("input,select,textarea")
    name = label.get_attribute("for")
    if field is None and name:
        field = document.get_element_by_id(name)
    if field is None:
        return True
    if field.tag != "input":
        return False

    kind = (field.get_attribute("type") or "text").lower()
    if kind == "radio":
        return True
    # Without a value it is a switch: the menus of style sheets are made of them.
    return kind == "checkbox" and bool(field.get_attribute("value"))


def holds_formula(text: str) -> bool:
    """Whether the text of an element has a formula, or a delimiter of one."""
    return OPEN in text or has_strong_hint(text)
