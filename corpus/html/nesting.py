"""How deep the elements of a page are nested: a fast bound for every page, the exact depth where that is high."""

import re

import numpy as np

_VOID = frozenset(
    "area base br col embed hr img input link meta param source track wbr !doctype".split()
)
_TAG = re.compile(r"<(/?)([a-zA-Z!][\w:-]*)")
_RAW = re.compile(r"<(script|style)\b.*?</\1>", re.DOTALL)


def nesting_bound(markup: bytes, enough: int = 0) -> int:
    """An upper bound of the depth: the largest surplus of opening over closing tags.

    A bound of at most `enough` need not be any tighter. Takes the bytes of a page in any charset that contains
    ASCII; some gigabytes a second.
    """
    if len(markup) < 2:
        return 0
    data = np.frombuffer(markup, np.uint8)
    tags = data[:-1] == ord("<")
    opening = np.count_nonzero(tags) - np.count_nonzero(tags & (data[1:] == ord("/")))
    if opening <= enough:
        return int(opening)  # no page with so few elements is deep
    starts = np.flatnonzero(tags)
    following = data[starts + 1]
    # Comments and declarations neither open nor close anything.
    step = np.where(following == ord("/"), -1, np.where((following | 32) - ord("a") < 26, 1, 0))
    surplus = np.cumsum(step)
    # A stray closing tag closes nothing: measure from the lowest point so far.
    return int((surplus - np.minimum(np.minimum.accumulate(surplus), 0)).max())


def exact_nesting(serialised: str) -> int:
    """Depth of a document serialised by a parser, where every element that is not void is closed."""
    depth = deepest = 0
    for closing, name in _TAG.findall(_RAW.sub("", serialised)):
        if closing:
            depth -= 1
        elif name.lower() not in _VOID:
            depth += 1
            deepest = max(deepest, depth)
    return deepest
