"""MiniMath: problems are disjoint across splits, solutions are right, and the same seed gives the same bytes."""

import json
import re
from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mini.problems import check, draw_problems, main, solve
from mini.text.mathematics import KINDS, math_document, math_paragraphs
from mini.word_problems.registry import LEVELS, draw_case, templates, templates_of_level
from mini.word_problems.template import (
    LANGUAGES,
    LARGEST,
    SPACES,
    Case,
    draw,
    equations,
    page_question,
    program,
    question,
    space_of,
)
from pipeline.artifacts.records import read_problems, read_solutions
from pipeline.config.load import load_preset
from pipeline.config.world import MiniWorld
from pipeline.errors import UserError

SMALL = MiniWorld(
    train_problems=1500, validation_problems=100, test_problems=200, chinese_share=0.3
)
any_template = st.sampled_from(templates())
seeds = st.integers(0, 10**6)


def some_case(template, seed: int) -> Case:
    rng = Random(seed)
    while (case := draw(template, rng)) is None:
        pass
    return case


def run_main_into(folder, world: MiniWorld) -> None:
    config = folder / "mini.json"
    config.write_text(json.dumps(world.model_dump(mode="json")), encoding="utf-8")
    main(["--config", str(config), "--out", str(folder / "world")])


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mini")
    run_main_into(folder, SMALL)
    return folder / "world"


@pytest.fixture(scope="module")
def splits():
    return {split: list(draw_problems(SMALL, split)) for split in ("train", "validation", "test")}


def test_splits_share_no_problem_and_no_question(splits):
    keys = {split: {case.key for _, case in drawn} for split, drawn in splits.items()}
    questions = {
        split: {problem.question for problem, _ in drawn} for split, drawn in splits.items()
    }
    for first, second in (("train", "validation"), ("train", "test"), ("validation", "test")):
        assert not keys[first] & keys[second]
        assert not questions[first] & questions[second]


def test_held_out_problems_are_all_different(splits):
    for split in ("validation", "test"):
        assert len({case.key for _, case in splits[split]}) == len(splits[split])


def test_the_split_of_a_problem_does_not_depend_on_the_seed():
    other = SMALL.model_copy(update={"seed": 7, "test_problems": 400})
    train = {case.key for _, case in draw_problems(SMALL, "train")}
    assert not train & {case.key for _, case in draw_problems(other, "test")}


@given(any_template, seeds)
@settings(max_examples=100, deadline=None)
def test_a_key_is_the_same_in_every_wording_and_names_only_numbers_that_are_told(template, seed):
    case = some_case(template, seed)
    told = Counter(re.findall(r"\d+", case.key.split(":")[1].replace("=", " = ")))
    for language in LANGUAGES:
        assert told == Counter(re.findall(r"\d+", question(case, language, Random(seed))))
        assert told == Counter(re.findall(r"\d+", page_question(case, language, Random(seed))))


@given(any_template, seeds)
@settings(max_examples=100, deadline=None)
def test_equations_are_true_and_end_in_the_answer(template, seed):
    case = some_case(template, seed)
    lines = equations(case)
    assert len(lines) == template.level in LEVELS
    for line, result in zip(lines, case.results, strict=True):
        left, right = line.split("=")
        assert eval(left) == int(right) == result
        assert 0 <= result <= LARGEST
    assert case.results[-1] == case.answer


@given(any_template, seeds)
@settings(max_examples=100, deadline=None)
def test_the_program_prints_the_answer(template, seed):
    case = some_case(template, seed)
    printed = []
    exec(program(case), {"print": printed.append})
    assert printed == [case.answer]


def test_a_worked_case_by_hand():
    template = next(t for t in templates() if (t.family, t.name) == ("shop", "change"))
    case = Case(template, {"n": 3, "p": 12, "m": 50}, (36, 14))
    assert equations(case) == ["3*12=36", "50-36=14"]
    assert program(case) == "a = 3*12\nb = 50-a\nprint(b)"
    assert case.key == "shop.change:n=3,p=12,m=50"


def test_a_wrong_answer_is_noticed(splits):
    problem, case = splits["train"][0]
    problem.answer, right = str(case.answer + 1), problem.answer
    with pytest.raises(AssertionError, match="the program printed"):
        check(problem, case)
    problem.answer = right


def test_every_solution_of_every_format_is_right_in_both_languages(splits):
    full = SMALL.model_copy(update={"pot_share": 1.0, "tool_share": 1.0})
    drawn = splits["train"][:300]
    solutions = list(solve(drawn, full))
    assert len(solutions) == 3 * len(drawn)
    assert {(s.language, s.format) for s in solutions} == {
        (lang, f) for lang in LANGUAGES for f in ("cot", "pot", "tool")
    }
    for solution in solutions:
        code = [turn["content"] for turn in solution.turns if turn["role"] == "code"]
        assert len(code) == (solution.format != "cot")
        printed = []
        for text in code:
            exec(text, {"print": lambda value, printed=printed: printed.append(str(value))})
        assert printed == [solution.answer] * len(code)
        if solution.format != "pot":
            assert solution.turns[-1]["content"].endswith(f"\\boxed{{{solution.answer}}}")
        if solution.format == "tool":
            assert [turn["role"] for turn in solution.turns] == ["text", "code", "output", "text"]
            assert solution.turns[2]["content"] == solution.answer


def test_two_runs_write_the_same_bytes(world, tmp_path):
    run_main_into(tmp_path, SMALL)
    names = sorted(path.relative_to(world) for path in world.rglob("*") if path.is_file())
    assert {str(name) for name in names} == {
        "solutions.jsonl",
        *(
            f"problems/{name}"
            for name in ("manifest.json", "test.jsonl", "train.jsonl", "validation.jsonl")
        ),
    }
    for name in names:
        assert (world / name).read_bytes() == (tmp_path / "world" / name).read_bytes()


def test_files_hold_what_the_settings_ask_for(world):
    train = read_problems(world / "problems/train.jsonl")
    assert len(train) == SMALL.train_problems == len({p.question for p in train})
    assert len({p.kind for p in train}) >= 8
    for level, share in zip("1234", SMALL.level_shares, strict=True):
        assert abs(sum(p.level == level for p in train) / len(train) - share) < 0.05
    assert abs(sum(p.language == "zh" for p in train) / len(train) - SMALL.chinese_share) < 0.05
    solutions = read_solutions(world / "solutions.jsonl")
    forms = Counter(s.format for s in solutions)
    assert forms["cot"] == len(train) and abs(forms["pot"] / len(train) - SMALL.pot_share) < 0.04
    assert {s.problem_id for s in solutions} == {p.id for p in train}


def test_too_many_held_out_problems_are_refused_in_one_line(monkeypatch):
    monkeypatch.setattr("mini.problems.MOST_DRAWS", 3)
    greedy = MiniWorld(test_problems=5000, level_shares=(1, 0, 0, 0))
    with pytest.raises(UserError, match=r"only \d+ different problems found"):
        list(draw_problems(greedy, "test"))


def test_shares_of_levels_must_add_up(tmp_path):
    with pytest.raises(UserError, match="add up to 1"):
        load_preset("mini", {"mini": {"level_shares": [0.5, 0.5, 0.5, 0.5]}})


def test_every_level_has_several_families_and_every_template_every_space():
    assert all(len({t.family for t in templates_of_level(level)}) >= 4 for level in LEVELS)
    for template in templates():
        spaces = Counter(space_of(some_case(template, seed).key) for seed in range(400))
        assert set(spaces) == set(SPACES), template


def _grams(text: str, n: int) -> set[tuple[str, ...]]:
    """n words in a row, or n characters in Chinese; numbers, names and objects count as equal."""
    found = re.findall(r"[a-z]+|\d+|[\u4e00-\u9fff]", text.lower())
    found = ["0" if gram.isdigit() else gram for gram in found]
    return {tuple(found[i : i + n]) for i in range(len(found) - n + 1)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_repeat_no_ten_words_of_any_problem(language):
    rng = Random(1)
    problems, pages = set(), set()
    for _ in range(1500):
        problems |= _grams(question(draw_case(rng, rng.choice(LEVELS), "test"), language, rng), 10)
    for _ in range(150):
        pages |= _grams(math_document(rng, language, 12), 10)
    assert len(problems) > 1000 and len(pages) > 1000
    assert not problems & pages


@given(seeds, st.sampled_from(LANGUAGES), st.integers(2, 20))
@settings(max_examples=40, deadline=None)
def test_mathematical_paragraphs_pair_dollar_signs_and_follow_examples_by_solutions(
    seed, language, n
):
    blocks = math_paragraphs(Random(seed), language, n)
    assert n - 1 <= len(blocks) <= n and blocks == math_paragraphs(Random(seed), language, n)
    for block, following in zip(blocks, [*blocks[1:], None], strict=True):
        assert block.kind in KINDS and block.text.strip()
        assert block.text.count("$") % 2 == 0
        if block.kind == "example":
            assert following is not None and following.kind == "solution"


@given(seeds, st.sampled_from(LANGUAGES))
@settings(max_examples=40, deadline=None)
def test_every_plain_equation_on_a_page_is_true(seed, language):
    text = math_document(Random(seed), language, 14)
    found = re.findall(r"(?<![\w\\^_=}])(\d+)([-+*/%])(\d+)=(\d+)(?![\d*/%+-])", text)
    for left, operator, right, result in found:
        assert eval(f"{left}{operator}{right}") == int(result)
