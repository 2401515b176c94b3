"""Grading: labelled pairs of every kind, properties, bounds on work, and agreement with real labelled outputs."""

import builtins
import io
import json
import random
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.grade import main as grade_main
from eval.grading.extract.answer import extract
from eval.grading.formula.nodes import BoundVariable, Series, map_children, replaced, symbols, walk
from eval.grading.formula.parser import parse_formula
from eval.grading.formula.tokens import FormulaError, FormulaLimit
from eval.grading.grader import grade, grade_many
from eval.verdicts.public_rules import compat_correct
from pipeline.artifacts.records import read_jsonl
from pipeline.errors import run_main
from tests.support.grading_cases import RIGHT, WRONG
from tests.support.hard_inputs import HARD_INPUTS, no_hang
from tests.support.shared_data import shared_data

ALL = [(kind, gold, answer, True) for kind, pairs in RIGHT.items() for gold, answer in pairs]
ALL += [(kind, gold, answer, False) for kind, pairs in WRONG.items() for gold, answer in pairs]


@pytest.mark.parametrize(("kind", "gold", "answer", "correct"), ALL)
def test_a_labelled_pair_has_its_verdict(kind, gold, answer, correct):
    assert grade(gold, answer).correct is correct, grade(gold, answer)


@pytest.mark.parametrize(("kind", "gold", "answer"), [case[:3] for case in ALL if case[3]])
def test_an_answer_is_found_right_again_in_a_box_and_in_a_sentence(kind, gold, answer):
    if "\\boxed" in answer or "$" in answer or kind in ("choices", "malformed") or "选" in answer:
        return  # these bring delimiters or words of their own
    assert grade(gold, f"We compute and find $\\boxed{{{answer}}}$.").correct
    assert (
        grade(gold, answer).correct
        == grade(gold, f"\\boxed{{{answer}}}", final_box_only=True).correct
    )


def test_the_suite_of_pairs_is_large_and_holds_both_verdicts():
    assert (
        len(ALL) >= 1000
        and min(sum(case[3] for case in ALL), sum(not case[3] for case in ALL)) > 100
    )


@settings(max_examples=200, deadline=None)
@given(st.fractions(max_denominator=10_000))
def test_a_fraction_is_equal_to_itself_in_every_spelling_and_to_no_neighbour(value):
    above, below = value.numerator, value.denominator
    spellings = [
        f"{above}/{below}",
        f"\\frac{{{above}}}{{{below}}}",
        f"\\dfrac{{{2 * above}}}{{{2 * below}}}",
        f"({above})/{below}",
    ]
    assert all(grade(str(value), spelling).correct for spelling in spellings)
    assert not grade(str(value), str(value + Fraction(1, below))).correct
    assert not value or not grade(str(value), str(-value)).correct


@settings(max_examples=200, deadline=None)
@given(st.integers(-(10**15), 10**15))
def test_an_integer_is_equal_to_itself_with_separators_units_and_boxes_only(value):
    spellings = [
        f"{value:,}",
        f"{value}.00",
        f"\\boxed{{{value}}}",
        f"${value}$",
        f"{value} dollars",
        f"#### {value:,}",
    ]
    assert all(grade(str(value), spelling).correct for spelling in spellings)
    assert not any(grade(str(value), str(value + step)).correct for step in (-1, 1, 10**6))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(-99, 99), min_size=2, max_size=5), st.randoms())
def test_a_list_has_no_order_and_a_tuple_has(values, rng):
    shuffled = rng.sample(values, len(values))
    gold, other = ", ".join(map(str, values)), ", ".join(map(str, shuffled))
    assert grade(gold, other).correct
    assert grade(f"({gold})", f"({other})").correct is (values == shuffled)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60), st.text(max_size=60))
def test_any_text_gets_a_verdict_and_only_status_ok_can_be_correct(gold, prediction):
    verdict = grade(gold, prediction)
    assert verdict.status in {"ok", "no_answer", "limit"} and (
        verdict.status == "ok" or not verdict.correct
    )
    assert verdict == grade(gold, prediction)


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="\\{}()[]^_/+-*=<>,.;:|%$!&0123456789xyefracsqtpinl \n", max_size=80))
def test_any_soup_of_latex_gets_a_verdict(text):
    assert grade("x^2+1", text).status in {"ok", "no_answer", "limit"}
    compat_correct("x^2+1", text)


@pytest.mark.parametrize("text", HARD_INPUTS, ids=lambda text: f"{text[:20]!r}…{len(text)}")
def test_the_hardest_input_ends_in_both_modes(text):
    with no_hang():
        for gold in ("5", "x^2+1", "\\{1,2\\}", "(1,2)", "B", text[:-1] + "2"):
            grade(gold, text)
        compat_correct("x^2+1", text)


def test_what_is_too_large_to_decide_has_a_status_of_its_own():
    assert grade("1", "9^{9^{9^9}}").status == "limit"
    assert grade("9^{9^{9^9}}", "9^{9^{9^9}}").correct
    assert grade("5", "").status == "no_answer" and grade("5", "\\boxed{").status == "no_answer"


def test_no_text_is_ever_evaluated(monkeypatch):
    def refuse(*_args, **_named):
        raise AssertionError("text was evaluated")

    monkeypatch.setattr(builtins, "eval", refuse)
    monkeypatch.setattr(builtins, "exec", refuse)
    for attack in (
        "__import__('os').getpid()",
        "().__class__",
        "exec('1')",
        "lambda: 1",
        "[x for x in (1,)]",
        "open('a')",
    ):
        for gold in ("5", attack + " ", "x^2"):
            grade(gold, attack)
            compat_correct(gold, attack)
    assert "sympy" not in _modules_after(
        "from eval.grading.grader import grade; grade('x^2', 'x*x')"
    )


def _modules_after(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


def test_the_ordinary_answer_needs_neither_parser_nor_arithmetic_library():
    loaded = _modules_after(
        r"from eval.grading.grader import grade; grade('1,234', 'so \\boxed{1234}'); grade('1/2', '0.5')"
    )
    assert not loaded & {
        "sympy",
        "mpmath",
        "eval.grading.formula.parser",
        "eval.grading.equality.compare",
        "numpy",
        "torch",
    }


def test_equal_sums_and_integrals_with_other_letters_are_equal_trees():
    first = parse_formula(r"\sum_{k=1}^{n} k^2 + \int_0^1 x^2 dx")
    second = parse_formula(r"\sum_{j=1}^{n} j^2 + \int_0^1 t^2 dt")
    assert first == second and hash(first) == hash(second)
    assert first != parse_formula(r"\prod_{k=1}^{n} k^2 + \int_0^1 x^2 dx")

    nested = parse_formula(r"\sum_{a=1}^{3}\sum_{b=1}^{a} a b^2")
    indices = [node.index for node in walk(nested) if isinstance(node, Series)]
    assert sorted(indices) == [0, 1] and not symbols(nested)


def test_a_walk_that_changes_nothing_gives_the_same_tree():
    trees = 0
    for _, gold, answer, _ in ALL:
        for text in (gold, answer):
            try:
                node = parse_formula(text)
            except (FormulaError, FormulaLimit):
                continue
            trees += 1
            assert map_children(node, lambda child: child) is node
            assert replaced(node, BoundVariable(99), BoundVariable(98)) is node
    assert trees > 1000


def test_the_word_pm_is_no_sign():
    assert grade(r"6x\text{ pm}", r"6.0x \text{pm}").status == "ok"
    assert grade(r"6 \pm x", r"6+x, 6-x").correct


def test_threads_and_processes_give_the_same_verdicts():
    pairs = [(gold, answer) for _, gold, answer, _ in ALL]
    alone = [grade(*pair) for pair in pairs]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(lambda pair: grade(*pair), pairs)) == alone
    assert grade_many(pairs, workers=2) == alone
    assert grade_many(pairs[:1]) == alone[:1]


def test_a_relative_tolerance_is_used_only_when_given():
    assert not grade("1.60", "1.61").correct and grade("1.60", "1.61", tolerance=0.01).correct
    assert (
        not grade("1.60", "1.63", tolerance=0.01).correct
        and grade("-1.5", "-1.5", tolerance=0.01).correct
    )


def test_a_gold_may_be_a_whole_solution():
    assert grade("16 - 3 - 4 = <<16-3-4=9>>9\n9 * 2 = 18\n#### 18", "A: 18").correct
    assert grade("Thus the answer is $\\boxed{\\frac{1}{2}}$.", "0.5").correct


def test_the_command_keeps_order_and_reports_bad_input_in_one_line(tmp_path):
    rows = [
        {"id": 3, "gold": "1/2", "prediction": r"so \boxed{0.5}"},
        {"id": "a", "gold": 18, "prediction": "no idea"},
    ]
    (tmp_path / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    command = [sys.executable, "-m", "eval.grade"]
    done = subprocess.run(
        [*command, str(tmp_path / "pairs.jsonl"), "--compat"], capture_output=True, text=True
    )
    first, second = map(json.loads, done.stdout.splitlines())
    assert (first["id"], first["extracted"], first["correct"], first["compat"]) == (
        3,
        "0.5",
        True,
        True,
    )
    assert (second["id"], second["correct"]) == ("a", False)
    (tmp_path / "bad.jsonl").write_text('{"id": 1, "gold": "1"}\n')
    for path in ("bad.jsonl", "missing.jsonl"):
        failed = subprocess.run([*command, str(tmp_path / path)], capture_output=True, text=True)
        assert failed.returncode == 2 and failed.stderr.count("\n") == 1 and path in failed.stderr


@pytest.mark.parametrize(
    ("lines", "where"),
    [
        ('\n{"gold": "1", "prediction": "1"}\n\nnonsense\n', "stdin, line 4: not JSON"),
        ('{"gold": "1", "prediction": "1"}\n\n{"gold": "1"}\n', "stdin, line 3: no 'prediction'"),
        ('{"gold": ["1"], "prediction": "1"}\n', "stdin, line 1: 'gold' is list"),
        ("[1]\n", "stdin, line 1: expected a JSON object"),
    ],
)
def test_a_bad_line_of_the_standard_input_is_named_with_its_number(
    lines, where, monkeypatch, capsys
):
    monkeypatch.setattr(sys, "stdin", io.StringIO(lines))
    with pytest.raises(SystemExit) as stopped:
        run_main(grade_main, ["-"])
    assert stopped.value.code == 2 and where in capsys.readouterr().err


@pytest.mark.parametrize("flags", [["--tolerance", "2"], ["--compat-task", "nothing"], []])
def test_bad_usage_is_exit_code_two(flags):
    done = subprocess.run(
        [sys.executable, "-m", "eval.grade", *flags, *(["-"] if flags else [])],
        capture_output=True,
        input=b"",
    )
    assert done.returncode == 2 and b"Traceback" not in done.stderr


def test_odd_values_are_graded_as_text_and_any_text_can_be_written(monkeypatch, capsys):
    rows = [
        '{"gold": 5, "prediction": "5"}',
        '{"gold": true, "prediction": "True"}',
        '{"gold": 0.5, "prediction": null}',
    ]
    rows.append('{"id": "\\ud800", "gold": "5", "prediction": "\\ud800"}')
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n".join(rows)))
    grade_main(["-", "--compat-task", "gsm8k"])
    verdicts = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [v["correct"] for v in verdicts] == [True, True, False, False]
    assert [v["id"] for v in verdicts] == [1, 2, 3, "\ud800"] and verdicts[0]["compat"] is True


def test_no_module_of_the_grader_evaluates_text_or_leaves_it_to_a_library():
    forbidden = re.compile(
        r"\b(?:eval|exec|sympify|parse_expr|parse_latex|literal_eval|compile|__import__)\s*\("
    )
    sources = list((Path(__file__).parents[2] / "eval" / "grading").rglob("*.py"))
    assert len(sources) > 20
    for path in sources:
        code = re.sub(r"re\.compile\(", "", path.read_text("utf-8"))
        code = re.sub(r'r?""".*?"""|#[^\n]*', "", code, flags=re.S)
        assert not forbidden.search(code), path


# --- real data


def test_verdicts_agree_with_the_labels_of_real_model_outputs():
    agree = total = 0
    for row in read_jsonl(shared_data("grading/gsm8k_openai_model_solutions.jsonl")):
        agree += grade(row["gold_solution"], row["generation"]).correct == row["upstream_correct"]
        total += 1
    assert agree == total > 5000
    agree = total = 0
    form = {"text": "{}", "code": "\n```python\n{}\n```\n", "execution": "\n```output\n{}\n```\n"}
    for row in read_jsonl(shared_data("grading/gsm8k_mathcoder_cl_34b.jsonl")):
        text = "".join(form[step["role"]].format(step["content"]) for step in row["steps"])
        agree += grade(row["gold"], text).correct == row["upstream_correct"]
        total += 1
    assert agree / total > 0.99


def test_every_gold_of_math_is_right_against_its_own_solution_and_wrong_with_another_digit():
    rng = random.Random(0)
    for row in read_jsonl(shared_data("benchmarks/math/test.jsonl")):
        solution = row["solution"]
        gold = extract(solution).answer
        assert grade(gold, solution).correct
        places = [match.start() for match in re.finditer(r"\d", gold)]
        if places and "text" not in gold and "mbox" not in gold:  # not the power of a unit
            place = rng.choice(places)
            other = (
                gold[:place] + str((int(gold[place]) + rng.randint(1, 9)) % 10) + gold[place + 1 :]
            )
            assert not grade(gold, other).correct, (gold, other)
