"""Nothing that is almost right passes, and a pair has one verdict in either order where its kind has no direction."""

import pytest

from eval.grading.formula.derivative import derivative
from eval.grading.formula.nodes import Symbol
from eval.grading.formula.parser import parse_formula
from eval.grading.formula.same_value import same_value
from eval.grading.formula.tokens import FormulaError, FormulaLimit
from eval.grading.grader import grade
from tests.support.grading_cases import RIGHT, WRONG
from tests.support.hard_inputs import no_hang
from tests.support.near_misses import near_misses

NEAR_MISSES = near_misses()

# Pairs that are right in one order only, each for a reason.
DIRECTED = {
    (
        "1,2",
        "[1, 2]",
    ),  # a program prints a list so, but a gold in square brackets may be an interval
    ("(1,2)", "1,2"),  # a tuple may lose its brackets; a list has no order
    (r"\{1,2,3\}", "[1,2,3]"),
    ("yes", "Yes, it is"),  # an answer may explain itself
    ("Yes", "Yes, it is"),
    ("1011_2", "1011"),
    ("(3,5)", "3,5"),
    ("6:10", "3:5"),  # with two digits behind the colon it may be a time of day
    ("10_2", "10"),  # the question names the base, and an answer may leave it out
    (r"0.5\%", "0.5"),  # "what percent?" may be answered without the sign
}


def _verdict(kind: str, gold: str, answer: str) -> bool:
    return grade(gold, answer, answer_type="choice" if kind.startswith("letter") else "").correct


def test_no_near_miss_is_right():
    passed = [pair for pair in NEAR_MISSES if _verdict(*pair)]
    assert not passed and len(NEAR_MISSES) >= 2_000


def test_a_near_miss_is_decided():
    # A limit or a crash would be "wrong" as well, and prove nothing.
    statuses = {grade(gold, answer).status for _, gold, answer in NEAR_MISSES}
    assert statuses <= {"ok", "no_answer"}


def _is_plain_formula(text: str) -> bool:
    """A formula whose digits say no more than its value: neither a decimal nor words."""
    if "." in text or "text" in text or "boxed" in text:
        return False
    try:
        parse_formula(text)
    except (FormulaError, FormulaLimit):
        return False
    return True


def test_formulas_have_one_verdict_in_either_order():
    pairs = [
        (gold, answer, correct)
        for labelled, correct in ((RIGHT, True), (WRONG, False))
        for kind, of_kind in labelled.items()
        if "choice" not in kind and "option" not in kind
        for gold, answer in of_kind
        if _is_plain_formula(gold) and _is_plain_formula(answer)
    ]
    turned = [
        (gold, answer)
        for gold, answer, correct in pairs
        if grade(answer, gold).correct is not correct and len(gold) > 1 and len(answer) > 1
    ]
    # (gold, answer) of a right pair, or of a wrong one that is right when it is turned round
    unexpected = {pair for pair in turned if pair not in DIRECTED and pair[::-1] not in DIRECTED}
    assert not unexpected and len(pairs) > 1_000


@pytest.mark.parametrize(
    ("gold", "answer", "correct"),
    [
        ("ACD", "故选：A、C、D", True),
        ("ACD", "The correct options are A, C and D.", True),
        ("ACD", "The correct options are A and C.", False),
        ("BD", "The correct answers are B and D.", True),
        ("BD", r"\boxed{ABD}", False),
    ],
)
def test_several_options_are_read_as_a_set(gold, answer, correct):
    assert grade(gold, answer, answer_type="choice").correct is correct


def test_a_letter_beside_a_box_counts_only_where_letters_are_asked_for():
    text = r"The value is $\boxed{12}$, so the answer is B."
    assert grade("B", text, answer_type="choice").correct
    assert grade("12", text).correct
    assert not grade("B", text, answer_type="choice", final_box_only=True).correct


@pytest.mark.parametrize(
    "text",
    [
        r"\binom{5}",
        "binomial(5)",
        r"\begin{vmatrix}\end{vmatrix}",
        r"\begin{pmatrix}\\\end{pmatrix}",
    ],
)
def test_what_misses_a_part_is_no_formula_and_no_crash(text):
    assert grade("5", text).status == "ok"
    with pytest.raises(FormulaError):
        parse_formula(text)


def test_sums_in_each_other_share_one_limit():
    sums = r"\sum_{i=1}^{%d}\sum_{j=1}^{%d}\sum_{k=1}^{%d} (i+j+k)"
    assert grade("162", sums % (3, 3, 3)).correct
    with no_hang(2.0):
        assert grade("5", sums % (200, 200, 200)).status == "limit"


def test_a_tolerance_reaches_the_elements_of_a_named_set():
    assert grade(r"\{1.60, 2.50\}", r"S = \{1.61, 2.49\}", tolerance=0.01).correct
    assert not grade(r"\{1.60, 2.50\}", r"S = \{1.61, 2.49\}").correct
    assert not grade(r"\{1.60, 2.50\}", r"S = \{1.61, 2.69\}", tolerance=0.01).correct


@pytest.mark.parametrize("text", ["(1,2)=2x", "() = (1, 2), (3, 4)", "(n,2,k)=(2,1)", "x = y = x"])
def test_an_equation_that_assigns_nothing_is_decided(text):
    assert grade("3", text).status == grade(text, "(1, 2)").status == "ok"


@pytest.mark.parametrize(
    ("formula", "slope"),
    [
        ("x^3 - 2x + 7", "3x^2 - 2"),
        (r"\sin x \cos x", r"\cos 2x"),
        (r"\frac{1}{x^2}", r"-\frac{2}{x^3}"),
        (r"\sqrt{x}", r"\frac{1}{2\sqrt{x}}"),
        (r"e^{2x}", r"2e^{2x}"),
        (r"\ln(x^2+1)", r"\frac{2x}{x^2+1}"),
        (r"\arctan x", r"\frac{1}{1+x^2}"),
    ],
)
def test_derivatives_by_rule(formula, slope):
    found = derivative(parse_formula(formula), Symbol("x"))
    assert found is not None and same_value(found, parse_formula(slope))


def test_a_power_with_the_variable_in_both_places_has_no_rule():
    assert derivative(parse_formula("x^x"), Symbol("x")) is None
