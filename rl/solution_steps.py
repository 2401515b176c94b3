"""Steps of a solution: its lines. Where each ends, in text and in tokens."""

from collections.abc import Sequence

from transformers import PreTrainedTokenizerBase


def step_ends(
    tokenizer: PreTrainedTokenizerBase, ids: list[int], written: Sequence[bool] | None = None
) -> list[int]:
    """Index of the last token of each step of an output, in order; empty for an output without tokens.

    A step ends with the first token that completes a line that is not blank. The last step ends with the output's
    last token, the end token included, so that stopping is rewarded with the step it stops behind.

    `written` says which ids the model wrote (none given: all). What a tool wrote is no step and ends the line before.
    """
    if not ids:
        return []
    if written is not None and not all(written):
        return _ends_between(tokenizer, ids, written)
    ends, filled = [], False
    for index, text in enumerate(_pieces(tokenizer, ids)):
        before, newline, after = text.partition("\n")
        filled = filled or bool(before.strip())
        if newline and filled:
            ends.append(index)
            filled = bool(after.strip())
    last = len(ids) - 1
    if ends and not filled:
        ends[-1] = last  # nothing but blanks and the end token follow the last line
    elif not ends or ends[-1] != last:
        ends.append(last)
    return ends


def _ends_between(
    tokenizer: PreTrainedTokenizerBase, ids: list[int], written: Sequence[bool]
) -> list[int]:
    """The ends of the steps in every stretch that the model wrote."""
    ends: list[int] = []
    for start in (i for i, mine in enumerate(written) if mine and (i == 0 or not written[i - 1])):
        stop = next((i for i in range(start, len(ids)) if not written[i]), len(ids))
        ends += [start + end for end in step_ends(tokenizer, ids[start:stop])]
    return ends


def _pieces(tokenizer: PreTrainedTokenizerBase, ids: list[int]) -> list[str]:
    """Each token's own text; a token that is only a part of a character shows as a replacement character."""
    return tokenizer.batch_decode([[i] for i in ids], skip_special_tokens=True)
