"""The steps of a solution are its lines. Where each of them ends, in tokens."""

import re
from collections.abc import Sequence

from transformers import PreTrainedTokenizerBase

ONLY_ANSWER = re.compile(r"\s*\$?\\boxed\s*\{[^\n]*\}\$?\.?\s*")


def step_ends(
    tokenizer: PreTrainedTokenizerBase,
    ids: list[int],
    written: Sequence[bool] | None = None,
    joins_answer: bool = False,
) -> list[int]:
    """Index of the last token of each step of an output, in order; empty for an output without tokens.

    A step ends with the first token that completes a line that is not blank. The last step ends with the last token of
    the output, the end token included, so that stopping is rewarded together with the step that it follows.

    Args:
        ids: the output's tokens.
        written: which of them the model wrote; None means all. What a tool wrote is no step, and ends the line
            before it.
        joins_answer: a last line that holds the boxed answer and nothing else belongs to the step before it, whose
            result it repeats.
    """
    ends = _ends(tokenizer, ids, written)
    if joins_answer and len(ends) > 1:
        last_line = tokenizer.decode(ids[ends[-2] + 1 :], skip_special_tokens=True)
        if ONLY_ANSWER.fullmatch(str(last_line)):
            del ends[-2]
    return ends


def _ends(
    tokenizer: PreTrainedTokenizerBase, ids: list[int], written: Sequence[bool] | None
) -> list[int]:
    if not ids:
        return []
    if written is None or all(written):
        return _ends_of_lines(tokenizer, ids)

    # Between a tool's outputs, every stretch that the model wrote has steps of its own.
    ends: list[int] = []
    start = 0
    while start < len(ids):
        stop = start
        while stop < len(ids) and written[stop] == written[start]:
            stop += 1
        if written[start]:
            ends += [start + end for end in _ends_of_lines(tokenizer, ids[start:stop])]
        start = stop
    return ends


def _ends_of_lines(tokenizer: PreTrainedTokenizerBase, ids: list[int]) -> list[int]:
    """The ends of the steps of a stretch of at least one token, all written by the model."""
    # A token that is only a part of a character decodes to a replacement character, which does not matter here.
    token_texts = tokenizer.batch_decode([[token] for token in ids], skip_special_tokens=True)

    ends = []
    line_has_text = False
    for index, text in enumerate(token_texts):
        # A token may hold the end of one line and the start of the next.
        before, newline, after = text.partition("\n")
        line_has_text = line_has_text or bool(before.strip())
        if newline and line_has_text:
            ends.append(index)
            line_has_text = bool(after.strip())

    last = len(ids) - 1
    if ends and not line_has_text:
        # Only blanks and the end token follow the last line: they belong to it.
        ends[-1] = last
    elif not ends or ends[-1] != last:
        ends.append(last)
    return ends
