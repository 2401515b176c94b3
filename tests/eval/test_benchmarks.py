"""Benchmark files in the shapes they are published in."""

import json
from unittest.mock import Mock

import pytest

from eval.benchmarks import load_benchmark, main, resolve
from eval.sampling.few_shot import Shot, chat_question, few_shot
from eval.tasks import fetch
from eval.tasks.declarations import MGSM_LANGUAGES, TABLE
from eval.verdicts.judge import Submission, judge
from pipeline.artifacts.records import Problem
from pipeline.config.prompts import Prompts
from pipeline.errors import UserError
from pipeline.model.chat import user_message
from tests.support.shared_data import shared_data


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
        (
            {
                "messages": [
                    {"role": "user", "content": "q"},
                    {"role": "assistant", "content": ""},
                ],
                "answer": "5",
            },
            "5",
        ),
    ],
)
def test_a_row_becomes_a_problem_with_its_gold_answer(tmp_path, row, answer):
    (problem,) = load_benchmark(write(tmp_path, row))
    assert problem.answer == answer and problem.question.startswith("q")


def test_options_are_shown_with_their_letters(tmp_path):
    (problem,) = load_benchmark(
        write(tmp_path, {"question": "q", "options": ["(A)$x$", "(B)$y$"], "label": "B"})
    )
    assert problem.question == "q\n(A) $x$\n(B) $y$"


def test_chinese_is_recognised(tmp_path):
    (problem,) = load_benchmark(write(tmp_path, {"question": "小明有 3 个苹果", "answer": "3"}))
    assert problem.language == "zh"


@pytest.mark.parametrize(
    "row",
    [{"question": "q"}, {"answer": "1"}, {"question": "q", "options": ["x", "y"], "answer": "Z"}],
)
def test_a_row_without_question_or_answer_is_left_out_and_named(tmp_path, row, capsys):
    assert len(load_benchmark(write(tmp_path, {"question": "q", "answer": "1"}, row))) == 1
    assert "1 of 2 records left out (record 2: no " in capsys.readouterr().err


def test_a_benchmark_without_answers_is_an_error(tmp_path):
    with pytest.raises(UserError, match=r"bench\.jsonl: no usable problem \(record 1: no answer"):
        load_benchmark(write(tmp_path, {"question": "q"}))


# --- declarations


def declared(name):
    return resolve(name, shared_data("benchmarks"))


def test_a_name_is_a_declaration_and_any_other_file_needs_none(tmp_path):
    path = write(tmp_path, {"question": "q", "answer": "1"})
    benchmark, file = resolve(str(path))

    assert (benchmark.name, benchmark.metric, file) == ("bench", "answer", path)

    benchmark, file = resolve(f"ocw={path}")

    assert benchmark is TABLE["ocw"] and file == path

    (tmp_path / "sat").mkdir()
    (tmp_path / "sat/test.jsonl").write_text("")

    assert resolve("sat", tmp_path)[1] == tmp_path / "sat/test.jsonl"


@pytest.mark.parametrize("text", ["nothing.jsonl", "gsm9k", "math=nothing.jsonl"])
def test_a_benchmark_that_is_not_there_is_one_clear_line(text):
    with pytest.raises(UserError, match=r"no such file"):
        resolve(text)


def test_a_set_that_cannot_be_fetched_says_where_its_file_belongs(tmp_path, monkeypatch):
    monkeypatch.setattr(fetch, "_rows", Mock(side_effect=OSError("no network")))
    with pytest.raises(
        UserError, match=r"sat: cannot be fetched \(no network\); put the rows .*sat/test\.jsonl"
    ):
        resolve("sat", tmp_path)
    assert not (tmp_path / "sat/test.jsonl").exists()


def test_a_set_is_fetched_once_and_read_from_its_file_afterwards(tmp_path, monkeypatch):
    monkeypatch.setattr(fetch, "_download", lambda source, path: "question\t1,000\nother\t5\n")
    benchmark, file = resolve("mgsm_de", tmp_path)

    assert [p.answer for p in load_benchmark(file, benchmark)] == ["1,000", "5"]

    monkeypatch.setattr(fetch, "_download", Mock(side_effect=OSError))

    assert resolve("mgsm_de", tmp_path)[1] == file


def test_every_benchmark_of_the_paper_is_declared_once_with_the_papers_counts():
    counts = {
        "gsm8k": 1319,
        "math": 5000,
        "ocw": 272,
        "sat": 32,
        "mmlu_stem": 3018,
        "mgsm_zh": 250,
        "cmath": 1098,
    }
    counts |= {
        "gaokao_mathcloze": 118,
        "gaokao_mathqa": 351,
        "minif2f": 244,
        "minif2f_valid": 244,
        "mmlu": 14042,
    }
    counts |= {"bbh": 6511, "humaneval": 164, "mbpp": 500, "math500": 500}

    assert {name: TABLE[name].rows for name in counts} == counts

    shots = {
        name: TABLE[name].shots
        for name in ("gsm8k", "math", "ocw", "sat", "cmath", "gaokao_mathqa", "mbpp")
    }

    assert [next(iter(s.values())) for s in shots.values()] == [8, 4, 4, 4, 6, 5, 3]


@pytest.mark.parametrize(
    "name", [name for name in TABLE if name not in ("cmath", "minimath", "medicine")]
)
def test_a_declared_set_loads_whole_and_has_prompts_for_its_modes(name):
    benchmark, file = declared(name)
    problems = load_benchmark(file, benchmark)

    assert len(problems) == {"gaokao2023en": 383}.get(
        name, benchmark.rows
    )  # two golds are empty upstream
    assert all(p.question and p.answer for p in problems) and len({p.id for p in problems}) == len(
        problems
    )

    problem = problems[-1]
    for mode in set(benchmark.modes) & {"cot", "pot"}:
        shown = few_shot(benchmark, mode, [], 4, problem.language, file)
        text = shown.prompt(problem)
        assert problem.question.strip() in text and shown.layout.stop
        assert len(shown.shots) == benchmark.shots.get(mode, 0) or shown.heads
        assert (
            text.count(shown.layout.before) == len(shown.shots) + 1
            or shown.heads
            or not benchmark.examples
        )

    assert problem.question.strip() in chat_question(benchmark, problem)


def test_worked_examples_of_logic_tasks_come_from_the_data_without_their_warning_line():
    benchmark, file = declared("bbh")
    problem = load_benchmark(file, benchmark, 1)[0]
    text = few_shot(benchmark, "cot", [], 0, "en", file).prompt(problem)

    assert "canary" not in text and text.count("Let's think step by step") == 4
    assert text.endswith(f"Q: {problem.question}\nA: Let's think step by step.\n")


def test_every_gold_is_right_against_itself_by_its_own_declaration():
    for name in (
        "gsm8k",
        "math500",
        "ocw",
        "sat",
        "mgsm_zh",
        "gaokao_mathcloze",
        "gaokao_mathqa",
        "bbh",
        "theoremqa",
    ):
        benchmark, file = declared(name)
        problems = list({p.answer: p for p in load_benchmark(file, benchmark)}.values())
        for form in ("{}", "So the answer is {}."):
            verdicts = judge(benchmark, [Submission(p, form.format(p.answer)) for p in problems])
            wrong = [
                p.answer
                for p, verdict in zip(problems, verdicts, strict=True)
                if not verdict.correct
            ]
            assert not wrong, (name, form, wrong)


def test_a_model_that_writes_only_zeros_has_not_solved_the_problems_whose_answer_is_zero():
    problem = Problem(
        id="z", question="Ben packs 8 eggs into bags of 4. How many are left over?", answer="0"
    )
    declared = TABLE["minimath"]
    babble, boxed = judge(
        declared, [Submission(problem, "0000000000"), Submission(problem, r"8%4=0 \boxed{0}")]
    )

    assert (babble.correct, babble.status, boxed.correct) == (False, "no_answer", True)

    (printed,) = judge(declared, [Submission(problem, "```python\nprint(8 % 4)\n```", printed="0")])

    assert printed.correct, "what a program prints needs no box"


def test_the_built_in_world_shows_base_models_its_problems_as_its_pages_do():
    declared = TABLE["minimath"]
    given = [Shot("1+1?", "2", "cot", "en"), Shot("一加一？", "2", "cot", "zh")]
    for language, start, middle in (
        ("en", "Example. ", "\n\nSolution. "),
        ("zh", "例题：", "\n\n解："),
    ):
        prompt = few_shot(declared, "cot", given, 1, language).prompt(
            Problem(id="p", question="Q", answer="1")
        )
        assert prompt.startswith(start) and prompt.endswith(f"{start}Q{middle}")


# --- languages


@pytest.mark.parametrize("code", [code for code in MGSM_LANGUAGES if code not in ("en", "zh")])
def test_a_language_of_mgsm_is_asked_in_its_own_words(code):
    benchmark = TABLE[f"mgsm_{code}"]
    problem = Problem("p", "?", "1", language=benchmark.language)
    asked = user_message("?", "cot", problem.language, Prompts())

    assert asked != user_message("?", "cot", "en", Prompts()) and "\\boxed{}" in asked

    shown = few_shot(benchmark, "cot", [], 4, problem.language)
    prompt = shown.prompt(problem)

    assert len(shown.shots) == 4 and "Problem:" not in prompt and "answer is" not in prompt


@pytest.mark.parametrize("digits", ["৪১", "౪౧", "๔๑", "٤١", "４１"])
def test_digits_of_every_script_are_digits(digits):
    text = f"উত্তর হল {digits}।"
    right, wrong = judge(
        TABLE["mgsm_bn"],
        [Submission(Problem("p", "?", "41"), text), Submission(Problem("p", "?", "14"), text)],
    )

    assert right.correct
    assert not wrong.correct


@pytest.mark.parametrize(
    "text",
    [
        "উত্তর হল 41 টাকা।",
        "సమాధానం 41 రూపాయలు.",
        "คำตอบคือ 41 บาท",
        "Ответ: 41 рубль.",
        "答えは41円です。",
        "Jibu ni 41.",
    ],
)
def test_a_unit_in_another_script_is_no_part_of_the_number(text):
    assert judge(TABLE["mgsm_ru"], [Submission(Problem("p", "?", "41"), text)])[0].correct


# --- sets in their exact published schema


def test_mmlu_of_the_hub_names_the_right_option_by_its_index(tmp_path):
    row = {
        "question": "2+2?",
        "subject": "abstract_algebra",
        "choices": ["1", "4", "3", "2"],
        "answer": 1,
    }
    (problem,) = load_benchmark(write(tmp_path, row), TABLE["mmlu"])

    assert (
        problem.answer == "B"
        and problem.question.endswith("(D) 2")
        and problem.kind == "abstract_algebra"
    )

    verdicts = judge(
        TABLE["mmlu"],
        [Submission(problem, text) for text in ("The answer is (B).", "So B.", "B. 4", "(A)")],
    )

    assert [v.correct for v in verdicts] == [True, True, True, False]


def test_big_bench_hard_is_graded_in_the_words_of_its_tasks(tmp_path):
    golds = {"boolean_expressions": "True", "date_understanding": "(B)", "formal_fallacies": "invalid",
             "dyck_languages": "] ) >", "word_sorting": "apple pear zoo",
             "object_counting": "8", "navigate": "No"}  # fmt: skip
    path = write(
        tmp_path,
        *(
            {"task": t, "idx": i, "input": "q", "target": g}
            for i, (t, g) in enumerate(golds.items())
        ),
    )
    problems = load_benchmark(path, TABLE["bbh"])
    right = judge(
        TABLE["bbh"],
        [Submission(p, f"We look at it. So the answer is {p.answer}.") for p in problems],
    )

    assert all(v.correct for v in right), right

    others = ["False", "(C)", "valid", "] >", "apple zoo pear", "9", "Yes"]
    wrong = [Submission(p, f"So the answer is {o}.") for p, o in zip(problems, others, strict=True)]

    assert not any(v.correct for v in judge(TABLE["bbh"], wrong))


def test_cmath_of_the_hub_has_grades_and_golds_with_fractions(tmp_path):
    rows = [
        {
            "grade": 1,
            "reasoning_step": 1,
            "num_digits": 1,
            "question": "3 个苹果又买了 4 个，一共几个？",
            "golden": "7",
        },
        {
            "grade": 6,
            "reasoning_step": 2,
            "num_digits": 1,
            "question": "用去五分之四，还剩几分之几？",
            "golden": "1/5",
        },
    ]
    problems = load_benchmark(write(tmp_path, *rows), TABLE["cmath"])

    assert [(p.answer, p.level, p.language) for p in problems] == [
        ("7", "1", "zh"),
        ("1/5", "6", "zh"),
    ]

    texts = ["一共有 3 + 4 = 7 个苹果。所以答案是 7。", "还剩五分之一，即 1 - 4/5 = 1/5。"]

    assert all(
        v.correct
        for v in judge(
            TABLE["cmath"], [Submission(p, t) for p, t in zip(problems, texts, strict=True)]
        )
    )


def test_a_set_is_copied_with_the_worked_examples_beside_it(tmp_path, monkeypatch, capsys):
    texts = {
        "bbh/navigate.json": '{"examples": [{"input": "q", "target": "No"}]}',
        "cot-prompts/navigate.txt": "x\n-----\nQ: a",
    }
    monkeypatch.setattr(fetch, "_BBH_TASKS", ["navigate"])
    monkeypatch.setattr(fetch, "_download", lambda source, path: texts[path])
    target = tmp_path / "run" / "bbh.jsonl"
    main(["--fetch", "bbh", "--folder", str(tmp_path / "all"), "--to", str(target)])
    problems = load_benchmark(target, TABLE["bbh"])

    assert (
        few_shot(TABLE["bbh"], "cot", [], 3, "en", target)
        .prompt(problems[0])
        .startswith("Q: a\n\nQ: q")
    )
    with pytest.raises(UserError, match="--to FILE needs"):
        main(["--fetch", "bbh", "gsm8k", "--to", str(target)])


@pytest.mark.parametrize(
    "fields",
    [
        {"options": {"A": "1", "B": "5", "C": "7"}, "answer": "B"},
        {"options": {"C": "7", "B": "5", "A": "1"}, "answer": "b"},
        {"options": [{"label": "A", "text": "1"}, {"label": "B", "text": "5"}], "answer": "B"},
        {"choices": {"text": ["1", "5"], "label": ["A", "B"]}, "answerKey": "B"},
        {"choices": {"text": ["1", "5"], "label": ["1", "2"]}, "answerKey": "2"},
        {"options": ["1", "5"], "answer": "5"},
        {"options": ["1", "5"], "answer": 1},
        {"options": [{"A": "1"}, {"B": "5"}], "answer": "B"},
    ],
)
def test_options_keep_their_texts_in_every_form(tmp_path, fields):
    (problem,) = load_benchmark(write(tmp_path, {"question": "2+3?"} | fields))
    assert problem.answer == "B"
    assert "(A) 1" in problem.question and "(B) 5" in problem.question


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"question": "2+3?", "options": 5, "answer": "A"}, "no list, mapping or text"),
        ({"question": "2+3?", "options": [[1], [2]], "answer": "A"}, "no list, mapping or text"),
        (
            {"question": "2+3?", "options": [str(n) for n in range(40)], "answer": "A"},
            "40 options, at most 18",
        ),
        ({"question": "2+3\ud800?", "answer": "5"}, "lone surrogate"),
        ({"question": "2+3? " * 300_000, "answer": "5"}, "longer than"),
        ({"messages": [{"role": "user"}], "answer": "5"}, "no question"),
        ({"messages": 5, "answer": "5"}, "no question"),
    ],
)
def test_rows_that_cannot_be_asked_are_left_out_with_the_reason(tmp_path, row, said, capsys):
    path = tmp_path / "bench.jsonl"
    # Half a character can be written as an escape only.
    path.write_text("".join(json.dumps(r) + "\n" for r in (row, {"question": "1+1?", "answer": 2})))
    assert len(load_benchmark(path)) == 1
    assert said in capsys.readouterr().err
