r"""One spelling for the many ways to write the same answer: `clean(text)`.

The result is still LaTeX; what it means is decided by eval.grading.normalise.numbers (exact
numbers) and eval.grading.formula.parser (everything else).
"""

import re
from functools import lru_cache

from eval.grading.normalise.latex import mended_braces, plain_latex, without_keys
from eval.grading.normalise.plain_unicode import plain_unicode
from eval.grading.normalise.verbal import as_formula
from eval.grading.normalise.wrappers import unwrapped, without_chinese_lead, without_lead
from eval.grading.normalise.written_numbers import (
    continued,
    feet_and_inches,
    plain_number,
    with_relations,
)


@lru_cache(maxsize=65536)
def clean(text: str) -> str:
    """Return the answer in the one spelling that the rest of the grader reads. Idempotent, linear in length.

    The tests in front of the substitutions are for speed: most answers need none of them.
    """
    text = text.strip()
    if text.isascii() and text.isdigit():
        return text

    # Dots that go on must be read before closing punctuation is dropped.
    if text.endswith(("...", "dots", "…")):
        text = continued(text)

    if not text.isascii() or "\0" in text:
        text = plain_unicode(text).strip()
        text = without_chinese_lead(text)
        text = with_relations(text)

    if text.endswith(("'", '"')) and text[:1].isdigit():
        text = feet_and_inches(text)

    # A text that is nothing but delimiters stays as it is.
    text = without_lead(unwrapped(text)) or text

    if "\\" in text or "~" in text or "{,}" in text:
        text = plain_latex(text)
    if "{" in text or "}" in text:
        text = mended_braces(text)
        if ":" in text:
            text = without_keys(text)

    text = plain_number(text)
    text = re.sub(r"\s+", " ", text).strip()

    if not text[:1].isdigit():
        text = as_formula(text)
    return text if text.endswith("\\") else text.rstrip(".,;: ").strip()


def squeezed(text: str) -> str:
    """For comparing as strings: no blanks but those between two digits."""
    return re.sub(r"(?<!\d)\s+|\s+(?!\d)", "", text)
