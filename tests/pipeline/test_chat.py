import pytest

from pipeline.artifacts.records import Solution
from pipeline.config.prompts import Prompts
from pipeline.model.chat import (
    CHAT_TEMPLATE,
    encode_output,
    encode_prompt,
    encode_solution,
    encode_turns,
)
from tests.support.tiny_model import tiny_tokenizer

PROMPTS = Prompts()


def solution(*turns, mode="cot", language="en"):
    pairs = [{"role": role, "content": content} for role, content in turns]
    return Solution("s", "p", "What is 1+1?", "2", mode, pairs, language)


def written(tokenizer, ids, mask, by_model):
    return tokenizer.decode([i for i, m in zip(ids, mask, strict=True) if m == by_model])


def test_the_prompt_has_one_bos_and_ends_at_the_colon():
    tokenizer = tiny_tokenizer()
    ids = encode_prompt(tokenizer, "What is 1+1?", "cot", "en", PROMPTS)
    assert ids.count(tokenizer.bos_token_id) == 1 and ids[0] == tokenizer.bos_token_id
    assert tokenizer.decode(ids[1:]) == f"User: What is 1+1?\n{PROMPTS.cot.en}\n\nAssistant:"


def test_text_that_spells_a_special_token_does_not_become_one():
    tokenizer = tiny_tokenizer()
    prompt = encode_prompt(tokenizer, "What is <eos> and <bos>?", "cot", "en", PROMPTS)
    assert prompt.count(tokenizer.eos_token_id) == 0 and prompt.count(tokenizer.bos_token_id) == 1
    assert tokenizer.eos_token_id not in encode_output(tokenizer, "<eos>")
    answer, _ = encode_turns(tokenizer, solution(("text", "<eos>")).turns)
    assert answer.count(tokenizer.eos_token_id) == 1


@pytest.mark.parametrize("mode", ["cot", "pot", "tool"])
def test_each_mode_and_language_has_its_own_suffix(mode):
    tokenizer = tiny_tokenizer()
    for language in ("en", "zh"):
        suffix = getattr(getattr(PROMPTS, mode), language)
        text = tokenizer.decode(
            encode_prompt(tokenizer, "q", mode, language, PROMPTS), skip_special_tokens=True
        )
        assert text == f"User: q\n{suffix}\n\nAssistant:"


def test_an_example_is_what_the_chat_template_writes():
    tokenizer = tiny_tokenizer()
    cot = solution(("text", "One and one is \\boxed{2}."))
    ids, _ = encode_solution(tokenizer, cot, PROMPTS)
    messages = [
        {"role": "user", "content": f"What is 1+1?\n{PROMPTS.cot.en}"},
        {"role": "assistant", "content": "One and one is \\boxed{2}."},
    ]
    assert tokenizer.decode(ids) == tokenizer.apply_chat_template(messages, tokenize=False)
    assert tokenizer.chat_template == CHAT_TEMPLATE


def test_loss_falls_on_the_answer_and_eos_only():
    tokenizer = tiny_tokenizer()
    ids, mask = encode_solution(tokenizer, solution(("text", "\\boxed{2}")), PROMPTS)
    prompt = encode_prompt(tokenizer, "What is 1+1?", "cot", "en", PROMPTS)
    assert ids[: len(prompt)].tolist() == prompt and not mask[: len(prompt)].any()
    assert mask[len(prompt) :].all() and ids[-1] == tokenizer.eos_token_id
    assert tokenizer.decode(ids[len(prompt) : -1]) == " \\boxed{2}"


def test_eos_carries_loss_also_where_it_is_the_pad_token():
    tokenizer = tiny_tokenizer()
    tokenizer.pad_token = tokenizer.eos_token
    ids, mask = encode_solution(tokenizer, solution(("text", "2")), PROMPTS)
    assert ids[-1] == tokenizer.pad_token_id and mask[-1]


def test_a_program_is_one_python_fence():
    tokenizer = tiny_tokenizer()
    ids, mask = encode_turns(tokenizer, solution(("code", "print(1 + 1)\n"), mode="pot").turns)
    assert all(mask) and tokenizer.decode(ids[:-1]) == " ```python\nprint(1 + 1)\n```"


def test_tool_output_carries_no_loss_and_asking_for_it_does():
    tokenizer = tiny_tokenizer()
    tool = solution(
        ("text", "Compute."),
        ("code", "print(2)"),
        ("output", "2"),
        ("text", "So \\boxed{2}."),
        mode="tool",
    )
    ids, mask = encode_turns(tokenizer, tool.turns)
    assert written(tokenizer, ids, mask, False) == "\n2\n```\n"
    model_text = " Compute.\n```python\nprint(2)\n```\n```outputSo \\boxed{2}.<eos>"
    assert written(tokenizer, ids, mask, True) == model_text
    start = mask.index(False)
    assert ids[start : start + 7] == encode_output(tokenizer, "2\n")


def test_the_loss_mask_does_not_depend_on_what_the_tool_printed():
    tokenizer = tiny_tokenizer()
    masks = []
    for output in ("7", "\\boxed{2} <eos> ```output"):
        turns = solution(("code", "f()"), ("output", output), ("text", "done"), mode="tool").turns
        ids, mask = encode_turns(tokenizer, turns)
        masks.append([i for i, m in zip(ids, mask, strict=True) if m])
    assert masks[0] == masks[1]
