"""From the bytes of a page to characters.

A byte order mark, the HTTP header, a `<meta>` or an XML declaration tell the charset, or else its
detection.

A declared charset is believed only if the bytes fit it: pages served as UTF-8 that are not UTF-8
are common, so a declaration that produces errors is passed over for the next one.
"""

import codecs
import re

from resiliparse.parse.encoding import bytes_to_str, detect_encoding, map_encoding_to_html5

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))

# The lengths are bounded so that a page full of `<meta` cannot make the search quadratic.
_HEADER = re.compile(r"""charset\s*=\s*["']?([\w:.+-]+)""", re.IGNORECASE)
_META = re.compile(rb"""<meta[^>]{0,500}?charset\s*=\s*["']?\s*([\w:.+-]+)""", re.IGNORECASE)
_XML = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w:.+-]+)""", re.IGNORECASE)
_META_WINDOW = 4096  # bytes; HTML asks for 1,024, but real pages put long comments first

# Pages labelled with the narrow name use the wider charset (WHATWG Encoding, "names and labels").
_SUPERSET = {
    "gbk": "gb18030",
    "gb2312": "gb18030",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
    "big5": "big5hkscs",
}


def decode_page(body: bytes, content_type: str = "") -> tuple[str, str]:
    """Text of a page and the charset used. Never raises; undecodable bytes become U+FFFD.

    Bytes that are valid UTF-8 are UTF-8, whatever is declared: other charsets almost never form
    valid sequences.

    Args:
        body: the page, its transfer and content encodings undone.
        content_type: value of the HTTP header, "" where there is none.
    """
    for mark, name in _MARKS:
        if body.startswith(mark):
            return clean_text(body[len(mark) :].decode(name, "replace")), name

    wide = _utf16(body)
    if wide:
        return clean_text(body.decode(wide, "replace")), wide

    # ISO-2022 charsets, which switch by escape sequences, are the ones that look like ASCII.
    if b"\x1b" not in body:
        text = _strict(body, "utf-8")
        if text is not None:
            return clean_text(text), "utf-8"

    candidates = (header_charset(content_type), markup_charset(body))
    declared = [name for name in candidates if name]
    for name in dict.fromkeys(declared):
        text = _strict(body, name)
        if text is not None:
            return clean_text(text), name

    # No declaration fits to the last byte. A few bad bytes mean a damaged page, not a false label.
    chosen = _detected(body)
    for name in declared:
        if _mostly_fits(body, name):
            chosen = name
            break
    return clean_text(bytes_to_str(body, chosen, errors="replace", fallback_encodings=())), chosen


def header_charset(content_type: str) -> str | None:
    """The charset of a Content-Type header, under the name the HTML standard decodes it by."""
    match = _HEADER.search(content_type)
    return _known(match[1]) if match else None


def markup_charset(body: bytes) -> str | None:
    """The charset that a page declares itself: in an XML declaration or an early `<meta>`."""
    head = body[:_META_WINDOW]
    match = _XML.search(head) or _META.search(head)
    if not match:
        return None
    name = _known(match[1].decode("ascii"))
    # What can be read as ASCII is not in UTF-16 (HTML standard, "prescan a byte stream").
    if name and name.startswith("utf-16"):
        return "utf-8"
    return name


def clean_text(text: str) -> str:
    """Drop NUL, which text files cannot hold; the decoders used here produce no lone surrogates."""
    return text.replace("\x00", "") if "\x00" in text else text


def _known(name: str) -> str | None:
    """Python's name of a declared charset, or None for one that nobody knows."""
    mapped = map_encoding_to_html5(name.strip().lower(), fallback_utf8=False)
    if not mapped:
        return None
    try:
        return codecs.lookup(_SUPERSET.get(mapped, mapped)).name
    except LookupError:
        return None


def _utf16(body: bytes) -> str | None:
    """UTF-16 without a mark: markup is ASCII, so every other byte of its beginning is zero."""
    head = body[:400]
    if len(head) < 8 or head.count(0) < 0.3 * len(head):
        return None
    zeros_in_even, zeros_in_odd = head[::2].count(0), head[1::2].count(0)
    return "utf-16-le" if zeros_in_odd > zeros_in_even else "utf-16-be"


def _strict(body: bytes, name: str) -> str | None:
    try:
        return body.decode(name)
    except UnicodeDecodeError:
        return None


def _mostly_fits(body: bytes, name: str) -> bool:
    """At most one bad byte in a thousand characters, and more good non-ASCII ones than bad."""
    text = body[:100_000].decode(name, "replace")
    bad = text.count("\ufffd")
    good = sum(1 for character in text if character > "\x7f") - bad
    return bad <= len(text) // 1000 + 1 and good > bad


def _detected(body: bytes) -> str:
    """Statistical detection (tables of compact_enc_det); windows-1252 without a result."""
    return _known(detect_encoding(body) or "") or "cp1252"
