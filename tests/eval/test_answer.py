"""Finding the final answer in a solution: markers in many languages, boxes, program output, and what is no answer."""

import pytest

from eval.grading.extract.answer import MAX_SOLUTION, extract
from eval.grading.grader import grade
from tests.support.grading_cases import ENDINGS
from tests.support.hard_inputs import no_hang

FOUND = [
    (r"so \boxed{\frac{1}{2}}.", r"\frac{1}{2}"),
    (r"\boxed{\text{a } \{1, 2\}}", r"\text{a } \{1, 2\}"),
    (r"First \boxed{3}. Then we see \boxed{4}.", "4"),
    (r"The roots are $\boxed{3}$ and $\boxed{4}$.", "3, 4"),
    (r"\boxed{3}, \boxed{4}, \boxed{5}", "3, 4, 5"),
    (r"\boxed{5} \boxed{5}", "5"),
    (r"\boxed{\boxed{7}}", "7"),
    (r"it is \boxed 5$.", "5"),
    (r"\fbox{9}", "9"),
    (r"\boxed{50}\%", "50%"),
    (r"The answer is 7. No, wait: \boxed{8}", "8"),
    (r"\boxed{8}. So the answer is 7.", "8"),
    ("Janet sells 16 - 3 = <<16-3=13>>13 eggs.\n#### 26", "26"),
    ("#### 1,234", "1,234"),
    ("#### -5", "-5"),
    ("She makes 18 dollars.\nA: 18", "18"),
    ("The answer is 18.", "18"),
    ("So the answer is 3.5 hours.", "3.5 hours"),
    ("The answer is $\\frac{3}{4}$.", "\\frac{3}{4}"),
    ("The final answer is $x=5$. I hope it is correct.", "x=5"),
    ("Final Answer: The final answer is $6$. I hope it is correct.", "6"),
    ("**Answer:** 42", "42"),
    ("Answer: 3, 5", "3, 5"),
    ("The answer is: \\[ \\sqrt{2} \\]", "\\sqrt{2}"),
    ("The answer is\n\\[\n\\frac{1}{3}\n\\]", "\\frac{1}{3}"),
    ("The answer is (B) 5.", "(B) 5"),
    ("the final answer is (C)", "(C)"),
    ("The answer is the number of eggs, 18.", "18"),
    ("The answer is 18, since 9 * 2 = 18.", "18"),
    ("The answer is 1. Wait. The answer is 2.", "2"),
    ("The answer to the question is 12.", "12"),
    ("答案是 3/5。", "3/5"),
    ("答案为：12", "12"),
    ("所以答案是$\\sqrt{3}$。", "\\sqrt{3}"),
    ("答：一共有 25 个苹果。", "25"),
    ("综上，故选：B.", "B"),
    ("故选 C", "C"),
    ("所以选D。", "D"),
    ("La respuesta es 18.", "18"),
    ("Die Antwort ist 18.", "18"),
    ("La réponse est 18.", "18"),
    ("Ответ — 18.", "18"),
    ("答えは18です。", "18"),
    ("Jibu ni 18.", "18"),
    ("คำตอบคือ 18", "18"),
    ("সুতরাং উত্তর হল 18", "18"),
    ("```python\nprint(42)\n```\n```output\n42\n```", "42"),
    ("```python\nprint(1)\n```\n```output\n1\n2\n\n```\n", "2"),
    ("```output\n1\n```\nso\n```output\n7\n```", "7"),
    ("```python\nprint('\\\\boxed{5}')\n```\n```output\n\\boxed{6}\n```\nThe answer is 7.", "7"),
    ("She makes 16 - 7 = 9, then 9 * 2 = 18 every day", "18"),
    ("He pays $1,234.50 in total for everything he bought", "$1,234.50"),
    ("It falls by 10 - 15 which gives -5 degrees in the end", "-5 degrees"),
    ("5 * 3 = 15\n15 - 4 = 11", "11"),
    ("小明一共有 12 个苹果，吃了 3 个，还剩 9 个", "9"),
    ("答 3/5", "3/5"),
    ("18", "18"),
    ("18 dollars", "18 dollars"),
    (r"\frac{1}{2}", r"\frac{1}{2}"),
    ("x = 5", "x = 5"),
    ("The answer is 5.\n\nQ: Next question? The answer is 6.", "5"),
    (r"\boxed{5}" + "\n\nProblem:\nAnother one\n\\boxed{6}", "5"),
    ("答案是5\n问题：下一个 答案是6", "5"),
    ("<think>perhaps \\boxed{3}</think>It is \\boxed{4}.", "4"),
]

NOTHING = [
    (r"\boxed{}", "empty box"),
    (r"\boxed{ $ $ }", "empty box"),
    (r"\boxed{3} and then \boxed{", "unfinished box"),
    (r"\boxed{3} so \boxed{\frac{1}{2}", "unfinished box"),
    (r"\boxed{5} \boxed{}", "empty box"),
    ("", "empty"),
    ("   \n ", "empty"),
    ("<think>\\boxed{5}", "empty"),
    ("```python\nprint('\\\\boxed{5}')\n```", "empty"),
]


@pytest.mark.parametrize(("text", "answer"), FOUND)
def test_the_final_answer_is_found(text, answer):
    assert extract(text).answer == answer, extract(text)


def test_the_answer_at_the_end_of_a_solution_is_found_whatever_its_form():
    missed = [(text, gold) for text, gold in ENDINGS if not grade(gold, text).correct]
    assert not missed and len(ENDINGS) > 180


@pytest.mark.parametrize(("text", "method"), NOTHING)
def test_what_is_no_answer_is_none_with_the_reason(text, method):
    assert (extract(text).answer, extract(text).method) == (None, method)


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("Both hold, so it must be (D).\nThus (B) is the right option here.", "B"),
        ("选项C正确，其余不对，理由如上所述", "C"),
    ],
)
def test_a_letter_in_the_text_counts_only_when_a_letter_is_asked_for(text, letter):
    assert extract(text, choice=True).answer == letter
    assert extract(text).answer != letter


@pytest.mark.parametrize(
    "text", ["The answer is 5.", "#### 5", "5", "```output\n5\n```", "答案是5"]
)
def test_for_rewards_only_the_box_counts(text):
    assert extract(text, final_box_only=True).answer is None
    assert extract(text + r" \boxed{6}", final_box_only=True).answer == "6"


def test_a_box_that_a_program_prints_is_never_taken():
    text = "```python\nprint(1)\n```\n```output\n\\boxed{5}\n```\n"
    assert extract(text, final_box_only=True).answer is None


@pytest.mark.parametrize(
    "piece",
    [
        "\\boxed{",
        "\\boxed{1} ",
        "the answer is ",
        "####",
        "答案是",
        "A: ",
        "Q: \n",
        "```",
        "$",
        "\\(",
        "选",
        "<think>",
        "1.",
        "{",
        " ",
        "\n",
        " \n",
        "1 ",
        "\\\\\n",
        "A, ",
        "not A ",
        "A错误",
        "is 1 ",
        "उत्तर ",
    ],
)
def test_any_long_text_is_read_to_its_end(piece):
    for before, after in (
        ("", ""),
        ("The answer is 5", "x"),
        ("the solutions are 1", "$"),
        ("\\boxed{5}", "}"),
    ):
        with no_hang():
            grade("B", before + piece * (MAX_SOLUTION // len(piece)) + after)
