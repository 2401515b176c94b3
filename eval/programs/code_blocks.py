"""Programs inside a model's text: find them, and turn what they printed into what the model reads next."""

import re
from typing import Protocol

BLOCK = re.compile(r"```(?:python|py)[ \t]*\n(.*?)(?:\n```|```|\Z)", re.DOTALL)
TOP_LEVEL_PRINT = re.compile(r"^print\(.*$")
SHOWN = 50  # public code: the first and last 50 characters of an output are shown to the model


class Tokenizer(Protocol):
    """The part of a tokenizer that is needed here."""

    def encode(self, text: str, *, add_special_tokens: bool) -> list[int]: ...

    def decode(self, token_ids: list[int]) -> str: ...


def python_blocks(text: str) -> list[str]:
    """The contents of all ```python blocks, an unfinished last one included."""
    return [match.group(1) for match in BLOCK.finditer(text)]


def program_so_far(text: str) -> str | None:
    """All Python blocks as one program: earlier blocks without their top-level prints, the last one whole.

    Source: the public evaluation's tool loop (stateless: each round runs everything again). None without a block.
    """
    blocks = python_blocks(text)
    if not blocks:
        return None

    earlier = [_without_prints(block) for block in blocks[:-1]]
    return "\n".join([*earlier, blocks[-1]])


def _without_prints(block: str) -> str:
    """A block without its top-level prints: what it printed was shown to the model already."""
    lines = block.split("\n")
    return "\n".join(line for line in lines if not TOP_LEVEL_PRINT.match(line))


def shown_output(status: str, stdout: str, stderr: str, tokenizer: Tokenizer | None = None) -> str:
    """What the model is shown of an execution: its output, or the last line of its error, cut in the middle.

    Source: the public evaluation's tool loop: of an output the first and last 50 characters are shown, of an error
    the first and last 50 tokens (characters where no tokenizer is given). Fences are broken up, so that a program
    cannot end the output block that it stands in.
    """
    if status == "ok":
        return _cut(stdout.strip().replace("```", "'''"))

    error = status
    if status == "error":
        error = stderr.strip().split("\n")[-1] or "unknown"
    error = error.replace("```", "'''")

    if tokenizer is None:
        return _cut("Runtime errors: " + error)

    # A token is at most a few characters: the beginning of a huge error is enough to be encoded.
    ids = tokenizer.encode(error[: 100 * SHOWN], add_special_tokens=False)
    if len(ids) > 2 * SHOWN:
        error = f"{tokenizer.decode(ids[:SHOWN])}...{tokenizer.decode(ids[-SHOWN:])}"
    return "Runtime errors: " + error


def _cut(text: str) -> str:
    """The first and last characters of a long text."""
    return text if len(text) <= 2 * SHOWN else f"{text[:SHOWN]}...{text[-SHOWN:]}"


def printed_answer(stdout: str) -> str | None:
    """The answer of a program: its last line that is not empty."""
    lines = [line.strip() for line in stdout.split("\n") if line.strip()]
    return lines[-1] if lines else None
