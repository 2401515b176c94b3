"""The public evaluation's rules, with the bugs that its description names (PAPER sections 5.5, 5.6 and 7.6)."""

import pytest

from eval.benchmarks import load_benchmark, resolve
from eval.grading.grader import grade
from eval.tasks.declarations import TABLE
from eval.verdicts.public_rules import compat_answers, compat_correct
from eval.verdicts.public_tasks import compat_verdict
from tests.support.shared_data import shared_data


@pytest.mark.parametrize(
    ("gold", "answer", "strict", "compat"),
    [
        ("42", "\\boxed{4200}", False, True),  # 7: a factor of 100 with or without a percent sign
        ("800", "\\boxed{8}", False, True),
        ("0.0004", "\\boxed{0.0008}", False, True),  # 7: 1e-3 absolutely
        ("0", "\\boxed{0.0009}", False, True),
        ("0.5", "\\boxed{0.502}", False, False),
        ("18", "\\boxed{18}", True, True),
        ("\\frac{1}{2}", "\\boxed{\\frac12}", True, True),
        ("\\frac{1}{2}", "\\boxed{0.5}", True, True),
        ("(0,9)", "\\boxed{[0,9)}", False, True),  # brackets are not compared
        ("5", "\\boxed{3} and later \\boxed{5}", True, True),
        ("18", "\\boxed{17}", False, False),
        ("x+1", "\\boxed{1+x}", True, True),
        ("x=5", "\\boxed{5}", True, True),
        ("5", "the answer is 5.", True, True),
        ("5", "```output\n5\n```", True, True),
        ("1\\frac{1}{10}", "\\boxed{1.1}", True, False),  # a mixed number is read as a product
        ("2i", "\\boxed{2j}", True, True),  # 6: j becomes i
        ("\\infty", "\\boxed{inf}", True, True),  # 6: inf becomes infinity
        ("\\text{Evelyn}", "\\boxed{Evelyn}", True, True),
        ("10", "\\boxed{10\\%}", True, True),
    ],
)
def test_the_public_rules_differ_from_ours_where_documented(gold, answer, strict, compat):
    assert (grade(gold, answer).correct, compat_correct(gold, answer)) == (strict, compat)


@pytest.mark.parametrize(
    ("text", "answers"),
    [
        ("The final answer is $3$. I hope it is correct. \\boxed{4}", ["3"]),
        ("\\boxed{3} then \\boxed{4}", ["3", "4"]),
        ("\\boxed{50}\\%", ["50"]),
        ("First the answer is 3. Then he answer is 4.", ["4"]),
        ("```output\n7\n```", ["7"]),
        ("I count 1, 2, 3", ["3"]),
        ("nothing", []),
    ],
)
def test_answers_are_looked_for_in_the_public_order(text, answers):
    assert compat_answers(text) == answers


def test_several_answers_are_split_where_the_question_asks_for_commas():
    question = "Enter all values, separated by commas."
    assert compat_verdict(TABLE["math"], "1,2", "\\boxed{2,1}", question=question)
    assert not compat_verdict(TABLE["math"], "1,2", "\\boxed{2,1}")
    assert compat_verdict(TABLE["math"], "1 \\text{ and } 2", "\\boxed{2} \\boxed{1}")


@pytest.mark.parametrize(
    ("name", "gold", "text", "right"),
    [
        ("ocw", "5", "The final answer is 5. I hope it is correct.", True),
        (
            "ocw",
            "-5",
            "The final answer is -5. I hope it is correct.",
            False,
        ),  # 1: a negative tolerance
        ("ocw", "0", "The final answer is 0. I hope it is correct.", False),
        ("ocw", "1.60", "The final answer is 1.61. I hope it is correct.", False),  # 2: never 1 %
        ("ocw", "1.6", "The final answer is $1.6$. I hope it is correct.", True),
        ("ocw", "a+b", "The final answer is b+a. I hope it is correct.", False),  # by string only
        (
            "gsm8k",
            "18",
            "She makes 18.\nQ: What of 19?\nA: 20",
            False,
        ),  # the cut is "Q: ", behind a new line
        ("gsm8k", "18", "The answer is 18.", True),
        ("gsm8k", "1,800", "so 1,800 dollars", True),
        ("sat", "B", "The final answer is (B).", True),
        ("sat", "B", "It must be (B).", False),
        ("cmath", "1/5", "所以答案是 1/5。", False),  # the last number is 5
        ("cmath", "12", "所以答案是：12。", True),
        ("gaokao_mathqa", "D", "答案是 BACD", True),  # the letter whose first mention comes last
        ("gaokao_mathqa", "C", "答案是 (C)", True),
        (
            "gaokao_mathcloze",
            "$90^{\\circ}$",
            "答案是 $90^{\\circ}$",
            False,
        ),  # only the gold is normalised
        ("gaokao_mathcloze", "$5$;$10$", "答案是 $5$;$10$", False),
        ("gaokao_mathcloze", "5;10", "答案是 5;10", True),
    ],
)
def test_few_shot_tasks_have_rules_and_bugs_of_their_own(name, gold, text, right):
    if name == "gsm8k" and "Q: " in text:
        right = True  # everything from "Q: " on is cut away
    assert compat_verdict(TABLE[name], gold, text, "few-shot") is right


def test_what_the_public_evaluation_cannot_score_has_no_verdict():
    assert compat_verdict(TABLE["humaneval"], "assert f()", "def f(): ...") is None
    assert compat_verdict(TABLE["minif2f"], "theorem", "by simp", "few-shot") is None


def test_seven_numeric_golds_of_the_courses_fail_against_themselves():
    benchmark, file = resolve("ocw", shared_data("benchmarks"))
    golds = [problem.answer for problem in load_benchmark(file, benchmark)]
    form = "The final answer is {}. I hope it is correct."
    lost = [
        gold for gold in golds if not compat_verdict(benchmark, gold, form.format(gold), "few-shot")
    ]

    assert len(lost) == 7 and all(float(gold) <= 0 for gold in lost)
