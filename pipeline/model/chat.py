"""From problems and solutions to token ids: the one place where fine-tuning, RL and evaluation build prompts.

A conversation is `BOS User: {question}\n{suffix}\n\nAssistant: {answer} EOS`; the prompt ends right after
`Assistant:` and the answer begins with a space (DeepSeekMath's chat format). The suffix tells the mode apart: step by
step (cot), a program (pot), or both in turns (tool). Ids are built piece by piece and never by re-encoding decoded
text, so a sampled answer keeps the ids that were sampled.

In a tool-integrated answer the model writes its program and then "```output" to ask for it to be run; what follows,
up to the closing fence, comes from the sandbox and carries no loss.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from transformers import PreTrainedTokenizerBase

from pipeline.artifacts.records import Solution
from pipeline.config.prompts import Prompts

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

    if tokenizer.chat_template == CHAT_TEMPLATE:
        # The template's text, but a question that spells out a special token stays text.
        encoded = _encode(tokenizer, [f"User: {content}\n\nAssistant:" for content in contents])
        return [[tokenizer.bos_token_id, *ids] for ids in encoded]

    conversations = [[{"role": "user", "content": content}] for content in contents]
    texts = tokenizer.apply_chat_template(conversations, tokenize=False, add_generation_prompt=True)
    return tokenizer(texts, add_special_tokens=False)["input_ids"]


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
    pieces = _pieces(turns)
    encoded = _encode(tokenizer, [piece.text for piece in pieces])
    return _answer(tokenizer, pieces, encoded)


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
    answers = [_pieces(solution.turns) for solution in solutions]
    encoded = iter(_encode(tokenizer, [piece.text for pieces in answers for piece in pieces]))

    examples = []
    for prompt, pieces in zip(encoded_prompts, answers, strict=True):
        answer, by_model = _answer(tokenizer, pieces, [next(encoded) for _ in pieces])
        input_ids = np.array(prompt + answer, dtype=np.int32)
        loss_mask = np.array([False] * len(prompt) + by_model, dtype=bool)
        examples.append((input_ids, loss_mask))
    return examples


def _answer(
    tokenizer: PreTrainedTokenizerBase, pieces: list[_Piece], encoded: list[list[int]]
) -> tuple[list[int], list[bool]]:
    """The pieces' ids one behind the other, up to and with EOS, and for each whether the model writes it."""
    ids: list[int] = []
    by_model: list[bool] = []
    for piece, piece_ids in zip(pieces, encoded, strict=True):
        ids += piece_ids
        by_model += [piece.by_model] * len(piece_ids)
    return [*ids, tokenizer.eos_token_id], [*by_model, True]


def _encode(tokenizer: PreTrainedTokenizerBase, texts: list[str]) -> list[list[int]]:
    if not texts:
        return []
    # Special tokens are split: what spells one in a question or a solution is text.
    return tokenizer(texts, add_special_tokens=False, split_special_tokens=True)["input_ids"]


def _output_text(output: str) -> str:
    return f"\n{output.strip()}\n{FENCE}\n"


def _pieces(turns: list[dict[str, Any]]) -> list[_Piece]:
    """The answer's text cut where the writer changes."""
    pieces: list[_Piece] = []
    written = " "  # by the model so far; an answer begins with a space

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
