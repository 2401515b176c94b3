"""Steps of a solution: its lines. Where each ends, in text and in tokens."""

from transformers import PreTrainedTokenizerBase


def step_ends(tokenizer: PreTrainedTokenizerBase, ids: list[int]) -> list[int]:
    """Index of the last token of each step of an output, in order; empty for an output without tokens.

    A step ends with the first token that completes a line that is not blank. The last step ends with the output's
    last token, the end token included, so that stopping is rewarded with the step it stops behind.
    """
    if not ids:
        return []
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


def _pieces(tokenizer: PreTrainedTokenizerBase, ids: list[int]) -> list[str]:
    """Each token's own text; a token that is only a part of a character shows as a replacement character."""
    return tokenizer.batch_decode([[i] for i in ids], skip_special_tokens=True)
