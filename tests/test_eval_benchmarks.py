"""Benchmark files in the shapes they are published in."""

import json

import pytest

from eval.benchmarks import load_benchmark
from pipeline.errors import UserError
from tests.shared_data import shared_data


def write(tmp_path, *rows):
    path = tmp_path / "bench.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return path


@pytest.mark.parametrize(
    ("row", "answer"),
    [
        ({"question": "q", "answer": "Two.\n#### 1,234"}, "1234"),
        ({"problem": "q", "solution": r"so $\boxed{\frac{1}{2}}$."}, r"\frac{1}{2}"),
        ({"question": "q", "answer": 3}, "3"),
        ({"input": "q", "target": -2.5}, "-2.5"),
        ({"Question": "q", "Answer": True}, "True"),
        ({"question": "q", "options": ["A)x", "B)y"], "correct": "B"}, "B"),
        ({"question": "q", "choices": ["x", "y"], "answer": 1}, "B"),
        ({"question": "q", "options": "A) x B) y C) z", "Answer": "C"}, "C"),
        ({"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": ""}], "answer": "5"}, "5"),
    ],
)
def test_a_row_becomes_a_problem_with_its_gold_answer(tmp_path, row, answer):
    (problem,) = load_benchmark(write(tmp_path, row))
    assert problem.answer == answer and problem.question.startswith("q")


def test_options_are_shown_with_their_letters(tmp_path):
    (problem,) = load_benchmark(write(tmp_path, {"question": "q", "options": ["(A)$x$", "(B)$y$"], "label": "B"}))
    assert problem.question == "q\n(A) $x$\n(B) $y$"


def test_chinese_is_recognised(tmp_path):
    (problem,) = load_benchmark(write(tmp_path, {"question": "小明有 3 个苹果", "answer": "3"}))
    assert problem.language == "zh"


@pytest.mark.parametrize(
    "row", [{"question": "q"}, {"answer": "1"}, {"question": "q", "options": ["x", "y"], "answer": "Z"}]
)
def test_a_row_without_question_or_answer_is_left_out_and_named(tmp_path, row, capsys):
    assert len(load_benchmark(write(tmp_path, {"question": "q", "answer": "1"}, row))) == 1
    assert "1 of 2 records left out (record 2: no " in capsys.readouterr().err


def test_a_benchmark_without_answers_is_an_error(tmp_path):
    with pytest.raises(UserError, match=r"bench\.jsonl: no usable problem \(record 1: no answer"):
        load_benchmark(write(tmp_path, {"question": "q"}))


@pytest.mark.parametrize(
    ("file", "rows"),
    [("gsm8k/test.jsonl", 1319), ("math/test.jsonl", 5000), ("math500/test.jsonl", 500), ("sat/test.jsonl", 32),
     ("mmlu_stem/test.jsonl", 3018), ("gaokao_mathqa/test.jsonl", 351), ("gaokao_mathcloze/test.jsonl", 118),
     ("ocw/test.jsonl", 272), ("aqua/test.jsonl", 254), ("mgsm_zh_deepseek/test.jsonl", 250),
     ("cn_middle_school/test.jsonl", 101), ("gaokao2023en/test.jsonl", 383), ("aime24/test.jsonl", 30),
     ("theoremqa/test.jsonl", 800), ("gsm_hard/test.jsonl", 1319), ("mathqa/test.jsonl", 1000)],
)  # fmt: skip
def test_published_files_are_read_whole(file, rows):
    problems = load_benchmark(shared_data("benchmarks") / file)
    assert len(problems) == rows and len({p.id for p in problems}) == rows
    assert all(p.question and p.answer for p in problems)
