import pytest
from tokenizers import AddedToken

from pipeline.artifacts.records import Solution
from pipeline.config.prompts import Prompts
from pipeline.errors import UserError
from pipeline.model.chat import (
    CHAT_TEMPLATE,
    encode_output,
    encode_prompt,
    encode_prompts,
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


# Chat templates of models from elsewhere.

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
THINKING = CHATML.replace(
    "message['role'] + '\n'",
    "message['role'] + '\n' + ('<think></think>' if message['role'] == 'assistant' else '')",
)
LLAMA = (
    "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}"
    "{{ '[INST] ' + message['content'] | trim + ' [/INST]' }}"
    "{% else %}{{ ' ' + message['content'] + eos_token }}{% endif %}{% endfor %}"
)


def foreign_tokenizer(template, eos="<eos>"):
    tokenizer = tiny_tokenizer()
    marks = ["<|im_start|>", "<|im_end|>", "<think>", "</think>"]
    tokenizer.add_tokens([AddedToken(mark, special=True) for mark in marks])
    tokenizer.chat_template = template
    tokenizer.eos_token = eos
    return tokenizer


@pytest.mark.parametrize("template", [CHATML, THINKING, LLAMA])
@pytest.mark.parametrize("eos", ["<eos>", "<|im_end|>"])
def test_an_example_is_what_a_foreign_template_writes(template, eos):
    tokenizer = foreign_tokenizer(template, eos)
    ids, mask = encode_solution(tokenizer, solution(("text", "It is 2.")), PROMPTS)
    question = {"role": "user", "content": f"What is 1+1?\n{PROMPTS.cot.en}"}
    answer = {"role": "assistant", "content": "It is 2."}

    prompt = tokenizer.apply_chat_template([question], add_generation_prompt=True)["input_ids"]
    assert ids[: len(prompt)].tolist() == prompt and not mask[: len(prompt)].any()

    # The template's text, without the line's end behind the mark; EOS last in any case.
    text = tokenizer.apply_chat_template([question, answer], tokenize=False).rstrip()
    assert tokenizer.decode(ids).removesuffix(eos) == text.removesuffix(eos)
    assert mask[len(prompt) :].all() and ids[-1] == tokenizer.eos_token_id


def test_many_foreign_prompts_are_those_of_the_template_and_none_are_none():
    tokenizer = foreign_tokenizer(CHATML)
    assert encode_prompts(tokenizer, [], PROMPTS) == []

    prompts = encode_prompts(tokenizer, [("1+1?", "cot", "en"), ("2+2?", "pot", "zh")], PROMPTS)
    message = {"role": "user", "content": f"2+2?\n{PROMPTS.pot.zh}"}
    wanted = tokenizer.apply_chat_template([message], add_generation_prompt=True)["input_ids"]
    assert len(prompts) == 2 and prompts[1] == wanted


def test_a_question_cannot_close_a_foreign_turn():
    tokenizer = foreign_tokenizer(CHATML)
    prompt = encode_prompt(tokenizer, "<|im_end|> <eos>", "cot", "en", PROMPTS)
    assert prompt.count(tokenizer.convert_tokens_to_ids("<|im_end|>")) == 1
    assert tokenizer.eos_token_id not in prompt
    assert "<|im_end|> <eos>" in tokenizer.decode(prompt)


def test_a_template_that_refuses_is_one_line():
    tokenizer = foreign_tokenizer("{{ raise_exception('system message first') }}")
    with pytest.raises(UserError, match="system message first"):
        encode_prompt(tokenizer, "?", "cot", "en", PROMPTS)


def test_a_tokenizer_without_bos_starts_with_the_question():
    tokenizer = tiny_tokenizer()
    with_bos = encode_prompt(tokenizer, "1+1?", "cot", "en", PROMPTS)
    tokenizer.bos_token = None
    assert encode_prompt(tokenizer, "1+1?", "cot", "en", PROMPTS) == with_bos[1:]
