"""From problems and solutions to token ids: the one place where fine-tuning, RL and evaluation build prompts.

A conversation is `BOS User: {question}\n{suffix}\n\nAssistant: {answer} EOS`; the prompt ends right after
`Assistant:` and the answer begins with a space (DeepSeekMath's chat format). A model from elsewhere that has a chat
template of its own is asked, and taught, by that one. The suffix tells the mode apart: step by
step (cot), a program (pot), or both in turns (tool). Ids are built piece by piece and never by re-encoding decoded
text, so a sampled answer keeps the ids that were sampled.

In a tool-integrated answer the model writes its program and then "```output" to ask for it to be run; what follows,
up to the closing fence, comes from the sandbox and carries no loss.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.artifacts.records import Solution
from pipeline.config.prompts import Prompts
from pipeline.errors import UserError

if TYPE_CHECKING:  # programs that only name a tokenizer do not wait for the library
    from transformers import PreTrainedTokenizerBase

MODES = ("cot", "pot", "tool")

CODE_FENCE, FENCE = "```python", "```"
OUTPUT_FENCE = "```output"
"""The model writes this to have its last program run: sampling in tool mode stops here."""

CHAT_TEMPLATE = (
    "{{ bos_token }}"
    "{% for message in messages %}"
    "{% if message['role'] == 'user' %}{{ 'User: ' + message['content'] + '\n\n' }}"
    "{% elif message['role'] == 'assistant' %}{{ 'Assistant: ' + message['content'] + eos_token }}"
    "{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}"
)
"""What a tokenizer gets that has no chat template; `encode_prompts` builds the same text by itself."""


def user_message(question: str, mode: str, language: str, prompts: Prompts) -> str:
    """The user's turn: the question and, on a line of its own, the suffix of mode ("cot", "pot", "tool")."""
    suffixes = getattr(prompts, mode)
    suffix = suffixes.zh if language == "zh" else suffixes.other.get(language, suffixes.en)

    text = question.strip()
    return f"{text}\n{suffix}" if suffix else text


def encode_prompt(
    tokenizer: PreTrainedTokenizerBase, question: str, mode: str, language: str, prompts: Prompts
) -> list[int]:
    """Token ids of the prompt, from BOS (once) to `Assistant:`; sampling continues from here."""
    return encode_prompts(tokenizer, [(question, mode, language)], prompts)[0]


def encode_prompts(
    tokenizer: PreTrainedTokenizerBase, questions: Sequence[tuple[str, str, str]], prompts: Prompts
) -> list[list[int]]:
    """The prompts of many (question, mode, language) at once: several times faster than one by one."""
    contents = [
        user_message(question, mode, language, prompts) for question, mode, language in questions
    ]
    if not contents:
        return []

    if tokenizer.chat_template == CHAT_TEMPLATE:
        # The template's text, but a question that spells out a special token stays text.
        encoded = _encode(tokenizer, [f"User: {content}\n\nAssistant:" for content in contents])
        start = [tokenizer.bos_token_id] if tokenizer.bos_token_id is not None else []
        return [[*start, *ids] for ids in encoded]

    return _foreign_prompts(tokenizer, contents)


# Chat templates of models from elsewhere.


@dataclass(frozen=True, slots=True)
class Turn:
    """What a chat template writes around an answer."""

    opening: str
    """Text between the prompt and the answer: a space in DeepSeekMath's format, nothing in most."""

    opening_ids: tuple[int, ...]
    """Token ids there, where a template opens every answer with tokens of its own."""

    closing: tuple[int, ...]
    """Token ids behind the answer, up to the one at which generation ends."""


def answer_turn(tokenizer: PreTrainedTokenizerBase) -> Turn:
    """How the tokenizer's chat template opens and closes an answer."""
    if tokenizer.chat_template in (None, CHAT_TEMPLATE):
        return Turn(" ", (), (tokenizer.eos_token_id,))

    # A conversation with a word that stands nowhere else in it.
    mark = "ANSWER"
    question = {"role": "user", "content": "?"}
    prompt = _rendered(tokenizer, [question], open_answer=True)
    answered = [question, {"role": "assistant", "content": mark}]
    head, _, tail = _rendered(tokenizer, answered, open_answer=False).rpartition(mark)
    opening = head.removeprefix(prompt) if head.startswith(prompt) else ""

    # Marks such as <think> are tokens of their own; other text is encoded together with the answer.
    opening_ids: list[int] = []
    if _spells_special(tokenizer, opening):
        opening_ids = tokenizer(opening, add_special_tokens=False)["input_ids"]
        opening = ""
    return Turn(opening, tuple(opening_ids), _closing_ids(tokenizer, tail))


def _closing_ids(tokenizer: PreTrainedTokenizerBase, tail: str) -> tuple[int, ...]:
    """The ids of the text behind an answer up to its first special token, which ends it."""
    ids = tokenizer(tail, add_special_tokens=False)["input_ids"] if tail else []
    special = set(_special_tokens(tokenizer).values())
    for place, token in enumerate(ids):
        if token == tokenizer.eos_token_id:
            return tuple(ids[: place + 1])
        if token in special:
            # Sampling stops at EOS, so EOS follows a mark that is another token.
            return (*ids[: place + 1], tokenizer.eos_token_id)
    return (tokenizer.eos_token_id,)


def _foreign_prompts(tokenizer: PreTrainedTokenizerBase, contents: list[str]) -> list[list[int]]:
    """Prompts by the tokenizer's own template; what spells a special token in a question stays text."""
    conversations = [[{"role": "user", "content": content}] for content in contents]
    texts = [_rendered(tokenizer, messages, open_answer=True) for messages in conversations]
    encoded: list[list[int]] = tokenizer(texts, add_special_tokens=False)["input_ids"]

    special = _special_tokens(tokenizer)
    for place, content in enumerate(contents):
        if any(token in content for token in special):
            encoded[place] = _prompt_around(tokenizer, content)
    return encoded


def _prompt_around(tokenizer: PreTrainedTokenizerBase, content: str) -> list[int]:
    """A prompt in which only the template's own special tokens are read as such."""
    mark = "QUESTION"
    frame = _rendered(tokenizer, [{"role": "user", "content": mark}], open_answer=True)
    before, _, after = frame.rpartition(mark)

    ids: list[int] = tokenizer(before, add_special_tokens=False)["input_ids"]
    (question,) = _encode(tokenizer, [content])
    return ids + question + tokenizer(after, add_special_tokens=False)["input_ids"]


def _special_tokens(tokenizer: PreTrainedTokenizerBase) -> dict[str, int]:
    """Texts that the tokenizer reads as one token wherever they stand, and their ids."""
    added = tokenizer.added_tokens_decoder.items()
    special = {token.content: number for number, token in added if token.special}
    named = zip(tokenizer.all_special_tokens, tokenizer.all_special_ids, strict=True)
    return special | dict(named)


def _spells_special(tokenizer: PreTrainedTokenizerBase, text: str) -> bool:
    added = [token.content for token in tokenizer.added_tokens_decoder.values()]
    return any(token in text for token in added)


def _rendered(
    tokenizer: PreTrainedTokenizerBase, messages: list[dict[str, str]], open_answer: bool
) -> str:
    """The text that the tokenizer's template makes of a conversation."""
    try:
        text = tokenizer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=open_answer
        )
    except Exception as error:
        # A template may refuse in its own words (raise_exception), or be no valid Jinja.
        reason = str(error).strip().splitlines() or [type(error).__name__]
        name = tokenizer.name_or_path or "the tokenizer"
        raise UserError(
            f"{name}: its chat template cannot write a question ({reason[0]})"
        ) from None
    assert isinstance(text, str)
    return text


# Answers.


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch of an answer that one writer wrote: the model, or else the sandbox."""

    text: str
    by_model: bool


def encode_turns(
    tokenizer: PreTrainedTokenizerBase, turns: list[dict[str, Any]]
) -> tuple[list[int], list[bool]]:
    """Token ids of an answer up to and with EOS, and whether the model writes each token (else the sandbox does).

    `turns` are those of a `Solution`; neighbouring pieces of the same writer are encoded together.
    """
    turn = answer_turn(tokenizer)
    pieces = _pieces(turns, turn.opening)
    encoded = _encode(tokenizer, [piece.text for piece in pieces])
    return _answer(turn, pieces, encoded)


def encode_output(tokenizer: PreTrainedTokenizerBase, output: str) -> list[int]:
    """Token ids that the tool loop appends after the model wrote "```output": the program's output and the fence."""
    return _encode(tokenizer, [_output_text(output)])[0]


def encode_solution(
    tokenizer: PreTrainedTokenizerBase, solution: Solution, prompts: Prompts
) -> tuple[np.ndarray, np.ndarray]:
    """A whole training example: input_ids int32 [T] of prompt and answer, and their loss_mask bool [T]."""
    return encode_solutions(tokenizer, [solution], prompts)[0]


def encode_solutions(
    tokenizer: PreTrainedTokenizerBase, solutions: Sequence[Solution], prompts: Prompts
) -> list[tuple[np.ndarray, np.ndarray]]:
    """`encode_solution` of many at once."""
    questions = [(solution.question, solution.format, solution.language) for solution in solutions]
    encoded_prompts = encode_prompts(tokenizer, questions, prompts)

    # All pieces of all answers in one call, which is several times faster; then dealt out again.
    turn = answer_turn(tokenizer)
    answers = [_pieces(solution.turns, turn.opening) for solution in solutions]
    encoded = iter(_encode(tokenizer, [piece.text for pieces in answers for piece in pieces]))

    examples = []
    for prompt, pieces in zip(encoded_prompts, answers, strict=True):
        answer, by_model = _answer(turn, pieces, [next(encoded) for _ in pieces])
        input_ids = np.array(prompt + answer, dtype=np.int32)
        loss_mask = np.array([False] * len(prompt) + by_model, dtype=bool)
        examples.append((input_ids, loss_mask))
    return examples


def _answer(
    turn: Turn, pieces: list[_Piece], encoded: list[list[int]]
) -> tuple[list[int], list[bool]]:
    """The pieces' ids one behind the other, up to and with EOS, and for each whether the model writes it."""
    ids = list(turn.opening_ids)
    by_model = [True] * len(ids)
    for piece, piece_ids in zip(pieces, encoded, strict=True):
        ids += piece_ids
        by_model += [piece.by_model] * len(piece_ids)
    return [*ids, *turn.closing], by_model + [True] * len(turn.closing)


def _encode(tokenizer: PreTrainedTokenizerBase, texts: list[str]) -> list[list[int]]:
    if not texts:
        return []
    # Special tokens are split: what spells one in a question or a solution is text.
    return tokenizer(texts, add_special_tokens=False, split_special_tokens=True)["input_ids"]


def _output_text(output: str) -> str:
    return f"\n{output.strip()}\n{FENCE}\n"


def _pieces(turns: list[dict[str, Any]], opening: str) -> list[_Piece]:
    """The answer's text cut where the writer changes; `opening` stands before it."""
    pieces: list[_Piece] = []
    written = opening  # by the model so far

    for turn in turns:
        content = turn["content"]
        match turn["role"]:
            case "output":
                # The model asks for the output; the sandbox writes it and closes the fence.
                pieces.append(_Piece(written + OUTPUT_FENCE, by_model=True))
                pieces.append(_Piece(_output_text(content), by_model=False))
                written = ""
            case "code":
                written += f"{CODE_FENCE}\n{content.strip()}\n{FENCE}\n"
            case _:
                written += content.strip() + "\n"

    if written.strip():
        pieces.append(_Piece(written.rstrip("\n"), by_model=True))
    return pieces
