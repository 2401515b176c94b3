"""From problems and solutions to token ids: the one place where fine-tuning, RL and evaluation build prompts.

A conversation is `BOS User: {question}\n{suffix}\n\nAssistant: {answer} EOS`; the prompt ends right after
`Assistant:` and the answer begins with a space (DeepSeekMath's chat format). The suffix tells the mode apart: step by
step (cot), a program (pot), or both in turns (tool). Ids are built piece by piece and never by re-encoding decoded
text, so a sampled answer keeps the ids that were sampled.

In a tool-integrated answer the model writes its program and then "```output" to ask for it to be run; what follows,
up to the closing fence, comes from the sandbox and carries no loss.
"""

from collections.abc import Sequence

import numpy as np
from transformers import PreTrainedTokenizerBase

from pipeline.artifacts.records import Solution
from pipeline.config.world import Prompts

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


def user_message(question: str, mode: str, language: str, prompts: Prompts) -> str:
    """The user's turn: the question and, on a line of its own, the suffix of mode ("cot", "pot", "tool")."""
    suffixes = getattr(prompts, mode)
    suffix = suffixes.zh if language == "zh" else suffixes.other.get(language, suffixes.en)
    return f"{question.strip()}\n{suffix}" if suffix else question.strip()


def encode_prompt(
    tokenizer: PreTrainedTokenizerBase, question: str, mode: str, language: str, prompts: Prompts
) -> list[int]:
    """Token ids of the prompt, from BOS (once) to `Assistant:`; sampling goes on from here."""
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


def encode_turns(
    tokenizer: PreTrainedTokenizerBase, turns: list[dict]
) -> tuple[list[int], list[bool]]:
    """Token ids of an answer up to and with EOS, and whether the model writes each token (else the sandbox does).

    `turns` are those of a `Solution`; neighbouring pieces of the same writer are encoded together.
    """
    pieces = _pieces(turns)
    return _answer(
        tokenizer,
        _encode(tokenizer, [text for text, _ in pieces]),
        [by_model for _, by_model in pieces],
    )


def encode_output(tokenizer: PreTrainedTokenizerBase, output: str) -> list[int]:
    """Token ids that the tool loop appends after the model wrote "```output": the program's output and the fence."""
    return _encode(tokenizer, [_output_text(output)])[0]


def encode_solution(
    tokenizer: PreTrainedTokenizerBase, solution: Solution, prompts: Prompts
) -> tuple[np.ndarray, np.ndarray]:
    """A whole training example: int32 ids [T] of prompt and answer, and bool [T], true where a token has loss."""
    return encode_solutions(tokenizer, [solution], prompts)[0]


def encode_solutions(
    tokenizer: PreTrainedTokenizerBase, solutions: Sequence[Solution], prompts: Prompts
) -> list[tuple[np.ndarray, np.ndarray]]:
    """`encode_solution` of many at once."""
    heads = encode_prompts(
        tokenizer, [(s.question, s.format, s.language) for s in solutions], prompts
    )
    pieces = [_pieces(solution.turns) for solution in solutions]
    encoded = iter(_encode(tokenizer, [text for parts in pieces for text, _ in parts]))
    examples = []
    for head, parts in zip(heads, pieces, strict=True):
        ids, mask = _answer(
            tokenizer, [next(encoded) for _ in parts], [by_model for _, by_model in parts]
        )
        scored = np.array([False] * len(head) + mask, dtype=bool)
        examples.append((np.array(head + ids, dtype=np.int32), scored))
    return examples


def _answer(
    tokenizer: PreTrainedTokenizerBase, pieces: list[list[int]], by_model: list[bool]
) -> tuple[list[int], list[bool]]:
    ids = [i for piece in pieces for i in piece]
    mask = [writes for piece, writes in zip(pieces, by_model, strict=True) for _ in piece]
    return [*ids, tokenizer.eos_token_id], [*mask, True]


def _encode(tokenizer: PreTrainedTokenizerBase, texts: list[str]) -> list[list[int]]:
    if not texts:
        return []
    return tokenizer(texts, add_special_tokens=False, split_special_tokens=True)["input_ids"]


def _output_text(output: str) -> str:
    return f"\n{output.strip()}\n{FENCE}\n"


def _pieces(turns: list[dict]) -> list[tuple[str, bool]]:
    """The answer's text cut where the writer changes: (text, written by the model)."""
    pieces, written = [], " "
    for turn in turns:
        if turn["role"] == "output":
            pieces += [(written + OUTPUT_FENCE, True), (_output_text(turn["content"]), False)]
            written = ""
        elif turn["role"] == "code":
            written += f"{CODE_FENCE}\n{turn['content'].strip()}\n{FENCE}\n"
        else:
            written += turn["content"].strip() + "\n"
    return [*pieces, (written.rstrip("\n"), True)] if written.strip() else pieces
