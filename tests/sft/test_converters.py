import json
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.artifacts.datasets import read_rows
from pipeline.artifacts.records import Solution
from sft.checks import reason_against
from sft.converters import CONVERTERS, Reject, braced, convert, language_of, prints_last_value
from tests.support.shared_data import shared_data

GSM8K = "She sold 48/2 = <<48/2=24>>24 clips.\nIn all 48+24 = <<48+24=72>>72 clips.\n#### 72"
TORA = "We compute.\n```python\nprint(1 + 1)\n```\n```output\n2\n```\nThe answer is $\\boxed{2}$."


def roles(solution):
    return [turn["role"] for turn in solution.turns]


def test_our_own_record_comes_through_unchanged():
    turns = [{"role": "text", "content": "1+1=2\n\\boxed{2}"}]
    row = Solution("a-cot", "a", "What is 1+1?", "2", "cot", turns, "en", "minimath").to_json()
    assert convert(row, "x", "y").to_json() == row


@pytest.mark.parametrize(
    "row",
    [
        {"question": "How many clips?", "answer": GSM8K},
        {"question": "How many clips?", "solution": GSM8K, "answer": "72", "format": "cot"},
    ],
)
def test_gsm8k_loses_calculator_marks_and_gets_a_box(row):
    solution = convert(row, "g-1", "gsm8k")
    assert (solution.answer, solution.format) == ("72", "cot")
    text = solution.turns[0]["content"]
    assert "<<" not in text and "####" not in text and text.endswith("\\boxed{72}$.")
    assert reason_against(solution) is None


def test_gsm8k_answers_lose_their_commas():
    assert convert({"question": "q", "answer": "so\n#### 1,234"}, "i", "s").answer == "1234"


@pytest.mark.parametrize("name", ["problem", "question"])
def test_the_answer_of_a_math_solution_is_in_its_last_box(name):
    row = {
        name: "Simplify.",
        "solution": "First \\boxed{3}, no: $\\boxed{\\frac{1}{2}}$.",
        "level": "Level 1",
    }
    solution = convert(row, "m-1", "math")
    assert solution.answer == "\\frac{1}{2}" and reason_against(solution) is None


def test_numina_math_tir_is_a_tool_solution():
    messages = [{"role": "user", "content": "1+1?"}, {"role": "assistant", "content": TORA}]
    solution = convert({"problem": "1+1?", "solution": TORA, "messages": messages}, "n-1", "numina")
    assert solution.format == "tool" and roles(solution) == ["text", "code", "output", "text"]
    assert solution.answer == "2" and reason_against(solution) is None


def test_tora_messages_become_turns():
    row = {
        "messages": [{"role": "user", "content": "1+1?"}, {"role": "assistant", "content": TORA}],
        "gt": "2",
    }
    solution = convert(row, "t-1", "tora")
    assert (
        roles(solution) == ["text", "code", "output", "text"]
        and solution.turns[2]["content"] == "2"
    )
    assert solution.turns[1]["content"] == "print(1 + 1)"


def test_a_trajectory_drops_the_repeated_answer_and_prints_what_the_notebook_showed():
    steps = [
        {"role": "text", "content": "Compute."},
        {"role": "code", "content": "x = 2\r\nx"},
        {"role": "execution", "content": "2"},
        {"role": "text", "content": "It is \\( \\boxed{2} \\)."},
        {"role": "text", "content": "2"},
    ]
    row = {"question": "1+1?", "steps": steps, "completion": "2", "answer": "2.0", "correct": True}
    solution = convert(row, "c-1", "mathcoder")
    assert roles(solution) == ["text", "code", "output", "text"]
    assert solution.turns[1]["content"] == "x = 2\nprint(x)"
    assert (
        solution.turns[-1]["content"] == "It is \\( \\boxed{2} \\)."
        and reason_against(solution) is None
    )


def test_a_table_and_choices_belong_to_the_question_and_ans_is_printed():
    row = {
        "question": "Which day?",
        "table": "Day | n\nMon | 1",
        "choices": ["Mon", "Tue"],
        "program": "ans = 'Mon'",
        "answer": "Mon",
        "correct": True,
    }
    solution = convert(row, "p-1", "tabmwp")
    assert solution.question == "Day | n\nMon | 1\n\nWhich day?\nChoices: Mon, Tue"
    assert solution.turns == [{"role": "code", "content": "ans = 'Mon'\nprint(ans)"}]


def test_math_instruct_programs_come_without_an_answer_and_texts_with_a_stated_one():
    program = {
        "source": "data/PoT/gsm_gpt4.json",
        "instruction": "1+1?",
        "output": "x = 1 + 1\nprint(x)",
    }
    assert convert(program, "i", "s").format == "pot" and convert(program, "i", "s").answer == ""
    text = {
        "source": "data/CoT/aqua_rat.json",
        "instruction": "1+1?",
        "output": "Add them.\nThe answer is 2.",
    }
    solution = convert(text, "i", "s")
    assert (solution.format, solution.answer) == ("cot", "2") and reason_against(solution) is None


def test_lila_programs_take_their_first_program():
    row = {
        "input": "1+1?",
        "output_program": ["print(1+1)", "print(2)"],
        "output_answer": "2",
        "dataset": "add",
    }
    solution = convert(row, "l-1", "lila")
    assert (solution.format, solution.answer, solution.source) == ("pot", "2", "add")


@pytest.mark.parametrize(
    "row, reason",
    [
        ({"a": 1}, "fields of no known"),
        ({"question": "q", "program": "ans=1", "answer": 1, "correct": False}, "marked as wrong"),
        ({"question": "q", "answer": "just 2"}, "no answer"),
        ({"turns": [], "format": "essay"}, "none of cot, pot, tool"),
        (
            {"messages": [{"role": "user", "content": "hello"}], "gt": "1"},
            "not one question and one answer",
        ),
    ],
)
def test_what_cannot_be_converted_has_a_reason(row, reason):
    with pytest.raises(Reject, match=reason):
        convert(row, "i", "s")


@pytest.mark.parametrize(
    "solution, reason",
    [
        (("q", "3", "cot", [("text", "so \\boxed{2}")]), "states another answer"),
        (("q", "", "cot", [("text", "so \\boxed{2}")]), "no answer"),
        (("", "2", "cot", [("text", "so \\boxed{2}")]), "no question"),
        (("q", "2", "cot", [("text", " ")]), "empty solution"),
        (
            ("q", "2", "tool", [("text", "a"), ("code", "print(2)"), ("output", "2")]),
            "no final answer",
        ),
        (
            ("q", "2", "tool", [("code", "print(2)"), ("text", "\\boxed{2}")]),
            "a program without output",
        ),
        (("q", "2", "pot", [("text", "2")]), "a program solution is not one program"),
    ],
)
def test_each_flaw_of_a_solution_is_named(solution, reason):
    question, answer, form, turns = solution
    turns = [{"role": role, "content": content} for role, content in turns]
    assert reason_against(Solution("s", "p", question, answer, form, turns)) == reason


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="a{}\\ ", max_size=30))
def test_braces_are_matched_or_there_is_no_answer(text):
    inner = braced("{" + text, 0)
    if inner is not None:
        assert inner.count("{") == inner.count("}") and ("{" + text).startswith("{" + inner + "}")


def test_notebook_code_is_left_alone_when_it_prints_or_does_not_parse():
    for code in ("print(1)", "x = 1", "for", "'''doc'''", ""):
        assert prints_last_value(code) == code


def test_language_is_told_by_the_share_of_chinese_letters():
    assert (
        language_of("小明有3个苹果") == "zh"
        and language_of("What does 中 mean in English?") == "en"
    )


def test_every_record_of_the_real_files_is_converted_or_rejected_for_a_known_reason():
    reasons, kept = Counter(), Counter()
    for file in sorted(shared_data("sft").glob("*.jsonl")):
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines()[:60]):
            try:
                solution = convert(json.loads(line), f"{file.stem}-{number}", file.stem)
            except Reject as reject:
                reasons[str(reject)] += 1
                continue
            reason = reason_against(solution)
            kept[file.stem] += reason is None
            reasons[reason] += reason is not None
    assert "fields of no known data set" not in reasons
    assert (
        kept["cot_gsm8k_train"] >= 58
        and kept["cot_math_train"] >= 55
        and kept["tool_tora_examples"] >= 25
    )
    assert kept["tool_simuleq_mathcoder"] >= 45 and kept["pot_tabmwp_codex"] >= 30


# The records below have the exact columns of the public sets; the contents are ours.
HUB_RECORDS = {
    "MathInstruct": [
        {
            "source": "data/CoT/aqua_rat.json",
            "instruction": "What is 3 + 4?\nAnswer Choices: (A) 6 (B) 7",
            "output": "Three and four are seven.\nThe answer is B",
        },
        {
            "source": "data/PoT/TheoremQA.json",
            "instruction": "What is 3 + 4? Let's write a Python program to solve it.",
            "output": "def solve():\n  return 3 + 4\nprint(solve())",
        },
        {
            "source": "data/PoT/gsm_gpt4.json",
            "instruction": "Two boxes hold 4 pens each. How many pens? Please write a program to solve it",
            "output": "boxes = 2\npens = boxes * 4\npens",
        },
    ],
    "lila_ood": [
        {"input": "3 + 4?", "output_program": "answer = 3 + 4\nprint(answer)", "output_answer": "7", "split": "train",
         "dataset": "addsub"},
        {"input": "1 + 1?", "output_program": "print(2)", "output_answer": "2", "split": "test", "dataset": "addsub"},
    ],
    "numina_cot": [
        {
            "source": "cn_k12",
            "problem": "Solve $x+3=7$.",
            "solution": "Subtract 3: $x=\\boxed{4}$.",
            "messages": [
                {"content": "Solve $x+3=7$.", "role": "user"},
                {"content": "Subtract 3: $x=\\boxed{4}$.", "role": "assistant"},
            ],
        }
    ],
    "numina_1_5": [
        {"problem": "Solve $x+3=7$.", "solution": "Subtract 3: $x=4$.", "answer": "4", "problem_type": "Algebra",
         "question_type": "math-word-problem", "problem_is_valid": "Yes", "solution_is_valid": "Yes",
         "source": "olympiads", "synthetic": False},
        {"problem": "Show that 2 is even.", "solution": "It is 2 times 1.", "answer": "proof",
         "problem_type": "Number Theory", "question_type": "proof", "problem_is_valid": "Yes",
         "solution_is_valid": "Yes", "source": "olympiads", "synthetic": False},
        {"problem": "Solve it.", "solution": "4", "answer": "4", "problem_type": "Algebra",
         "question_type": "math-word-problem", "problem_is_valid": "Yes", "solution_is_valid": "Incomplete",
         "source": "olympiads", "synthetic": False},
    ],
    "tora": [
        {
            "dataset": "tora-corpus-math", "level": "Level 5", "id": "math-train-1-0", "gt": "2", "gt_cot": "…",
            "messages": [{"role": "user", "content": "1+1?"}, {"role": "assistant", "content": TORA}],
        }
    ],
}  # fmt: skip


def outcome(row, name):
    try:
        solution = convert(row, f"{name}-1", name)
    except Reject as reject:
        return str(reject)
    return reason_against(solution) or (
        solution.question,
        solution.answer,
        solution.format,
        roles(solution),
    )


@pytest.mark.parametrize(
    "name, outcomes",
    [
        (
            "MathInstruct",
            [
                ("What is 3 + 4?\nAnswer Choices: (A) 6 (B) 7", "B", "cot", ["text"]),
                ("What is 3 + 4?", "", "pot", ["code"]),
                ("Two boxes hold 4 pens each. How many pens?", "", "pot", ["code"]),
            ],
        ),
        ("lila_ood", [("3 + 4?", "7", "pot", ["code"]), "not a training record"]),
        ("numina_cot", [("Solve $x+3=7$.", "4", "cot", ["text"])]),
        (
            "numina_1_5",
            [
                ("Solve $x+3=7$.", "4", "cot", ["text"]),
                "no answer that could be checked",
                "marked as not valid",
            ],
        ),
        ("tora", [("1+1?", "2", "tool", ["text", "code", "output", "text"])]),
    ],
)
def test_records_with_the_exact_columns_of_public_sets_become_solutions_or_named_rejects(
    name, outcomes
):
    assert [outcome(row, name) for row in HUB_RECORDS[name]] == outcomes


def test_lilas_own_files_are_read_instance_by_instance(tmp_path):
    instances = [
        {
            "Input": "3 + 4?",
            "Output Program": ["x = 3 + 4\nx", "print(7)"],
            "Output Answer": ["7"],
            "split": "train",
        },
        {"Input": "1 + 1?", "Output Program": [], "Output Answer": ["2"], "split": "train"},
        {"Input": "1 + 2?", "Output Program": ["print(3)"], "Output Answer": ["3"], "split": "dev"},
    ]
    (tmp_path / "addsub.json").write_text(json.dumps({"Contributors": [], "Instances": instances}))
    rows = list(read_rows(str(tmp_path / "addsub.json")))
    assert [outcome(row, "addsub") for row in rows] == [
        ("3 + 4?", "7", "pot", ["code"]),
        "no program",
        "not a training record",
    ]
    assert convert(rows[0], "a-1", "addsub").turns[0]["content"] == "x = 3 + 4\nprint(x)"


def test_a_sets_own_words_of_a_question_stay_when_they_do_not_ask_for_a_program():
    row = {
        "source": "data/PoT/x.json",
        "instruction": "Let's say a program runs 3 times. How often?",
        "output": "3",
    }
    assert convert(row, "i", "s").question == row["instruction"]


def chat(*turns, **fields):
    return {"messages": [{"role": role, "content": content} for role, content in turns]} | fields


def sharegpt(*turns, **fields):
    return {"conversations": [{"from": role, "value": text} for role, text in turns]} | fields


@pytest.mark.parametrize(
    ("row", "answer"),
    [
        (chat(("user", "2+3?"), ("assistant", "It is \\boxed{5}.")), "5"),
        (chat(("system", "Be kind."), ("user", "2+3?"), ("assistant", "So 5\n#### 5")), "5"),
        (chat(("user", "2+3?"), ("assistant", "Five."), answer="5"), "5"),
        (
            chat(("user", "2+3?"), ("assistant", [{"type": "text", "text": "The answer is 5."}])),
            "5",
        ),
        (sharegpt(("human", "2+3?"), ("gpt", "The answer is: 5")), "5"),
        (sharegpt(("system", "x"), ("user", "2+3?"), ("assistant", "\\boxed{5}")), "5"),
        ({"query": "2+3?", "response": "It is 5.\n#### 5\nThe answer is: 5"}, "5"),
        ({"problem": "2+3?", "generated_solution": "\\boxed{5}", "expected_answer": "5"}, "5"),
        ({"prompt": "2+3?", "completion": "It is $\\boxed{5}$."}, "5"),
    ],
)
def test_chats_and_pairs_of_other_names_become_solutions(row, answer):
    solution = convert(row, "x-1", "x")
    assert (solution.question, solution.answer, solution.format) == ("2+3?", answer, "cot")
    assert reason_against(solution) is None


def test_what_an_instruction_is_about_belongs_to_the_question():
    row = {"instruction": "Add the numbers.", "input": "2 and 3", "output": "The answer is 5."}
    assert convert(row, "x-1", "x").question == "Add the numbers.\n2 and 3"


@pytest.mark.parametrize(
    "row",
    [
        {"question": "2+3?", "steps": 5},
        {"question": "2+3?", "steps": [5]},
        {"question": "2+3?", "steps": [{"role": "text"}]},
        {"messages": [{"role": "user"}, {"role": "assistant"}], "gt": "5"},
        {"messages": [{"role": "user"}, {"role": "assistant"}]},
        {"messages": 5},
        {"messages": ["hello", "world"]},
        {"conversations": [{"from": "human", "value": None}, {"from": "gpt", "value": "5"}]},
        {"turns": [5], "format": "cot", "question": "2+3?"},
        {"turns": None, "format": "cot"},
        {"question": "2+3?", "program": 5, "choices": 7},
        {"question": "2+3?", "program": "ans=5", "table": 7},
        {"question": "2+3\ud800?", "answer": "#### 5"},
        {"question": "2+3?", "answer": "so \udfff #### 5"},
        {"question": "2+3?", "answer": "5 " * 600_000 + "#### 5"},
        {"input": 5, "output_program": {"a": 1}, "output_answer": []},
    ],
    ids=lambda row: str(row)[:60],
)
def test_fields_that_are_not_what_they_should_be_are_rejects_and_no_tracebacks(row):
    try:
        solution = convert(row, "x-1", "x")
    except Reject as reject:
        assert str(reject)
    else:
        json.dumps(solution.to_json(), ensure_ascii=False).encode()
        reason_against(solution)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_values_in_the_fields_of_a_known_form_are_a_solution_or_a_reject(data):
    fields, _ = data.draw(st.sampled_from(CONVERTERS))
    row = {name: data.draw(JSON) for name in fields}
    try:
        solution = convert(row, "x-1", "x")
    except Reject:
        return
    assert all(isinstance(turn["content"], str) for turn in solution.turns)
    reason_against(solution)
