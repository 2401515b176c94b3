"""How deep the elements of a page are nested: a fast bound, and the exact depth."""

import re

import numpy as np

# Elements without content (HTML standard, "void elements"), older ones, and the document type.
_VOID = frozenset(
    "area base br col embed hr img input link meta param source track wbr !doctype".split()
)
_TAG = re.compile(r"<(/?)([a-zA-Z!][\w:-]*)")
_RAW = re.compile(r"<(script|style)\b.*?</\1>", re.DOTALL)


def nesting_bound(markup: bytes, enough: int = 0) -> int:
    """An upper bound of the depth: the largest surplus of opening over closing tags.

    Runs at some gigabytes a second.

    Args:
        markup: the bytes of a page, in any charset that contains ASCII.
        enough: a bound of at most this need not be any tighter.
    """
    tags = markup.count(b"<")
    # No page with so few elements is deep.
    if tags <= enough or len(markup) < 2:
        return tags

    data = np.frombuffer(markup, np.uint8)
    is_tag = data[:-1] == ord("<")
    is_closing = is_tag & (data[1:] == ord("/"))
    opening = tags - int(np.count_nonzero(is_closing))
    if opening <= enough:
        return opening

    starts = np.flatnonzero(is_tag)
    following = data[starts + 1]
    # 32 is the bit that makes an ASCII letter lower case; bytes below "a" wrap to large numbers.
    is_letter = (following | 32) - ord("a") < 26
    # Comments and declarations neither open nor close anything.
    step = np.where(following == ord("/"), -1, np.where(is_letter, 1, 0))
    surplus = np.cumsum(step)

    # A stray closing tag closes nothing: measure from the lowest point so far.
    lowest = np.minimum(np.minimum.accumulate(surplus), 0)
    return int((surplus - lowest).max())


def exact_nesting(serialised: str) -> int:
    """Depth of a document that a parser wrote: every element that is not void is closed."""
    depth = deepest = 0
    for closing, name in _TAG.findall(_RAW.sub("", serialised)):
        if closing:
            depth -= 1
        elif name.lower() not in _VOID:
            depth += 1
            deepest = max(deepest, depth)
    return deepest
