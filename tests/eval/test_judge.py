"""Functions scored by their tests, proofs by a checker, and the worked examples that prompts show."""

import os
import stat

import pytest

from eval.benchmarks import load_benchmark, resolve
from eval.grading.grader import grade
from eval.programs.code_blocks import printed_answer
from eval.programs.unit_tests import candidate
from eval.sampling.few_shot import SHOTS, declared_shots
from eval.sandbox import Sandbox
from eval.tasks.declarations import TABLE
from eval.verdicts.isabelle import check_proof, proof_text, theory_of
from eval.verdicts.judge import Submission, judge
from pipeline.artifacts.records import Problem, read_jsonl
from tests.support.shared_data import shared_data

PROMPT = 'def double(x: int) -> int:\n    """Twice x."""\n'
TESTS = "def check(candidate):\n    assert candidate(2) == 4\n    assert candidate(-1) == -2\n\n\ncheck(double)\n"
FUNCTION = Problem("HumanEval/x", PROMPT, TESTS, kind="completion")
TASK = Problem(
    "1", "Write a function to double a number.", "assert double(2) == 4\n", kind="function"
)
THEORY = 'theory easy imports Complex_Main\nbegin\n\ntheorem easy: "(1::nat) + 1 = 2"'
PROOF = Problem("easy", "(*### Problem ... *)", THEORY, kind="other")


@pytest.fixture(scope="module")
def box():
    with Sandbox(timeout=4, memory_mb=1024) as sandbox:
        yield sandbox


@pytest.mark.parametrize(
    ("problem", "output", "correct", "status"),
    [
        (FUNCTION, "    return 2 * x\n", True, "ok"),
        (FUNCTION, "    return 2 * x\n\nprint(double(1))\ndef other():\n", True, "ok"),
        (FUNCTION, "Here it is.\n```python\ndef double(x):\n    return x + x\n```", True, "ok"),
        (FUNCTION, "    return x\n", False, "ok"),
        (FUNCTION, "    syntax error\n", False, "ok"),
        (FUNCTION, "    raise SystemExit(0)\n", False, "ok"),
        (FUNCTION, "    import os\n    os._exit(0)\n", False, "ok"),
        (FUNCTION, "    while True: pass\n", False, "timeout"),
        (TASK, "```python\ndef double(x):\n    return 2 * x\n```", True, "ok"),
        (TASK, "def double(x):\n    return 2 * x\n[DONE]\nTask: another", True, "ok"),
        (TASK, "I do not know.", False, "ok"),
    ],
)
def test_a_function_passes_when_its_tests_run_to_their_end(problem, output, correct, status, box):
    (verdict,) = judge(TABLE["humaneval"], [Submission(problem, output)], box)
    assert (verdict.correct, verdict.status) == (correct, status)


def test_of_several_blocks_the_last_that_defines_the_function_is_the_candidate():
    blocks = ("def double(x):\n    return 0", "print(1)", "def double(x): return 2*x")
    text = "\n".join(f"```python\n{block}\n```" for block in blocks)

    assert candidate(FUNCTION, text).endswith("def double(x): return 2*x")


@pytest.mark.parametrize("name", ["humaneval", "mbpp"])
def test_published_solutions_pass_their_published_tests(name, box):
    benchmark, file = resolve(name, shared_data("benchmarks"))
    rows = list(read_jsonl(file))[::5]
    problems = load_benchmark(file, benchmark)[::5]
    written = [row.get("canonical_solution") or row["code"] for row in rows]

    assert all(
        v.correct
        for v in judge(
            benchmark, [Submission(p, w) for p, w in zip(problems, written, strict=True)], box
        )
    )


# --- worked examples


@pytest.mark.parametrize(
    "name", sorted(path.stem for path in SHOTS.glob("*_*.yaml") if path.stem != "functions_en")
)
def test_every_worked_example_reaches_its_answer_in_text_and_as_a_program(name, box):
    import yaml

    rows = yaml.safe_load((SHOTS / f"{name}.yaml").read_text("utf-8"))
    programs = box.run_many([row["pot"] for row in rows if "pot" in row])
    printed = iter(printed_answer(run.stdout) or run.stderr for run in programs)
    for row in rows:
        if "cot" in row:
            assert grade(row["answer"], row["cot"]).correct, row["cot"]
        if "pot" in row:
            assert grade(row["answer"], shown := next(printed)).correct, (row["pot"], shown)


def test_worked_functions_pass_the_tests_they_show(box):
    for shot in declared_shots("functions_en", "pot"):
        tests = shot.question.partition("tests:\n\n")[2]
        assert box.run(f"{shot.text}\n{tests}").status == "ok"


def test_no_worked_example_is_a_problem_of_a_benchmark():
    shown = {
        s.question
        for path in SHOTS.glob("*.yaml")
        for mode in ("cot", "pot")
        for s in declared_shots(path.stem, mode)
    }
    for name in (
        "gsm8k",
        "math",
        "sat",
        "ocw",
        "mmlu",
        "gaokao_mathqa",
        "gaokao_mathcloze",
        "mgsm_zh",
        "mbpp",
    ):
        benchmark, file = resolve(name, shared_data("benchmarks"))
        assert not shown & {problem.question for problem in load_benchmark(file, benchmark)}


# --- proofs


def test_without_isabelle_a_proof_is_not_run_and_neither_right_nor_wrong(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: None)
    with_proof, without = judge(
        TABLE["minif2f"], [Submission(PROOF, "by simp"), Submission(PROOF, "no idea")]
    )

    assert (with_proof.status, with_proof.correct, with_proof.tier) == ("not_run", False, "none")
    assert without.status == "no_answer"


@pytest.mark.parametrize(("code", "status"), [(0, "proved"), (1, "failed")])
def test_an_installed_isabelle_decides(tmp_path, monkeypatch, code, status):
    command = tmp_path / "isabelle"
    command.write_text(
        f'#!/bin/sh\ncat "$4"/*.thy > {tmp_path}/seen || cat *.thy > {tmp_path}/seen\nexit {code}\n'
    )
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    (verdict,) = judge(
        TABLE["minif2f"],
        [Submission(PROOF, "proof -\n  show ?thesis sledgehammer\nqed\n\nInformal:\nmore")],
    )

    assert (verdict.correct, verdict.status, verdict.tier) == (status == "proved", "ok", "checker")

    seen = (tmp_path / "seen").read_text()

    assert (
        seen.startswith(THEORY)
        and "(auto; fail)" in seen
        and "sledgehammer" not in seen
        and "Informal" not in seen
    )


def test_proofs_that_prove_anything_are_refused():
    assert (
        theory_of(PROOF, "by simp") and proof_text("Sure:\n```isabelle\nby simp\n```") == "by simp"
    )

    for cheat in (
        "proof -\n  show ?thesis sorry\nqed",
        "oops",
        "by simp\nend\ntheory x imports Main begin",
    ):
        assert check_proof(None, PROOF, cheat) == "no_answer"
