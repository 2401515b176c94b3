"""Where links and headings are in a page's text: marks put into its HTML before the parse.

resiliparse gives text without markup, and nodes are slow to walk from Python. A mark before and
behind each link and at the beginning of each heading comes through as part of the text, where
`corpus.html.lines` reads and removes it. The characters are for private use, beside those of
`corpus.formulas.placeholders`; two of them together, because resiliparse drops a text of three bytes
(`corpus.formulas.lone_characters`).
"""

import re

from corpus.formulas.lone_characters import HEADING, LINK, LINK_END, TITLE

# Anchors and links within the page are no links here: headings of manuals are made of them.
_LINK = re.compile(r'<a (?!name=|id=|href="#|class="(?:toc-backref|headerlink|anchor)")')
_HEADING = re.compile(r"(<h[2-6](?:\s[^<>]*)?>)")
_TITLE = re.compile(r"(<h1(?:\s[^<>]*)?>)")


def with_link_marks(source: str) -> str:
    """HTML with LINK and LINK_END around links, TITLE or HEADING at the beginning of headings."""
    source = _LINK.sub(f"{LINK}<a ", source).replace("</a>", f"</a>{LINK_END}")
    source = _HEADING.sub(rf"\1{HEADING}", source)
    return _TITLE.sub(rf"\1{TITLE}", source)
