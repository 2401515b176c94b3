"""Parts of studies: edits of leaked problems, corpora, doses, tuned settings, evaluated samples."""

from pathlib import Path
from random import Random

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from findings.studies.leak_doses import copies, dealt
from findings.studies.leak_removal import EDITS, Planted, between
from findings.studies.runs import merged, nested
from findings.studies.samples import measures_of
from mini.problems import draw_problems
from pipeline.artifacts.records import Problem
from pipeline.config.world import MiniWorld

DRAWN = list(draw_problems(MiniWorld(seed=3), "test"))[:80]
PLANTED = [Planted(problem, case, "One. Two words. Three?") for problem, case in DRAWN]


def edited(name: str) -> list[str]:
    rng = Random(1)
    return [EDITS[name](leak, rng) for leak in PLANTED]


def test_copies_that_keep_the_words_keep_them():
    questions = [leak.problem.question for leak in PLANTED]
    assert edited("verbatim") == questions
    plain = [
        text.replace("\\$", "\0").replace("$", "").replace("\0", "$") for text in edited("retexed")
    ]
    assert plain == questions
    assert sum("$" in text for text in edited("retexed")) > 70
    for question, text in zip(questions, edited("split"), strict=True):
        left = text
        for sentence in ("One.", "Two words.", "Three?"):
            left = left.replace(sentence, "")
        assert left.split() == question.split() or "。" in question


def test_edited_copies_ask_another_question_or_in_other_words():
    for leak, text in zip(PLANTED, edited("numbers"), strict=True):
        assert text != leak.problem.question
    different = [
        t != p.problem.question for t, p in zip(edited("paraphrased"), PLANTED, strict=True)
    ]
    assert all(different)
    for leak, text in zip(PLANTED, edited("translated"), strict=True):
        has_chinese = any("\u4e00" <= character <= "\u9fff" for character in text)
        assert has_chinese == (leak.problem.language == "en")


def test_a_copy_stands_inside_the_page_which_stays_whole():
    text = between("the problem", "a\nb\nc\nd")
    assert text == "a\nb\nthe problem\nc\nd"


def test_doses_share_the_problems_evenly_and_count_their_copies():
    problems = [Problem(f"p{i:02}", f"question {i}", str(i)) for i in range(23)]
    groups = dealt(problems, [0, 1, 4], Random(0))
    assert sorted(p.id for group in groups.values() for p in group) == [p.id for p in problems]
    assert {len(group) for group in groups.values()} <= {7, 8}

    texts = list(copies(groups))
    for dose, group in groups.items():
        for problem in group:
            assert sum(text.startswith(f"{problem.question}\n") for text in texts) == dose


def test_settings_of_an_arm_lie_on_top_as_in_presets():
    base = {"rl": {"steps": 3, "drops": {"0.5": 0.1}}}
    assert merged(base, nested("rl.learning_rate", 0.1)) == {
        "rl": {"steps": 3, "drops": {"0.5": 0.1}, "learning_rate": 0.1}
    }
    assert merged(base, {"rl": {"drops": {}}})["rl"]["drops"] == {}
    assert base == {"rl": {"steps": 3, "drops": {"0.5": 0.1}}}


def test_samples_become_values_for_each_problem(tmp_path: Path):
    """Two problems of four samples: Maj@4 and Pass@2 by hand."""
    rows = []
    for problem, language, greedy, answers in (
        ("b", "en", "1", ["1", "1", "2", None]),
        ("a", "zh", "2", ["2", "3", "3", "3"]),
    ):
        gold = {"b": "1", "a": "2"}[problem]
        for sample, answer in enumerate([greedy, *answers]):
            rows.append(
                {
                    "id": problem,
                    "question": f"{problem}?",
                    "gold": gold,
                    "language": language,
                    "greedy": sample == 0,
                    "sample": sample,
                    "extracted": answer,
                    "correct": answer == gold,
                }
            )
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "set.cot.parquet")

    found = {name: sample.values.tolist() for name, sample in measures_of(tmp_path).items()}
    assert found["cot.greedy"] == [1, 1]
    assert found["cot.greedy.zh"] == [1] and found["cot.greedy.en"] == [1]
    assert found["cot.maj@4"] == [0, 1]  # a: three votes for 3; b: two of three for 1
    assert found["cot.pass@2"] == pytest.approx([1 / 2, 5 / 6])
    assert found["cot.pass@1"] == pytest.approx([1 / 4, 1 / 2])

    # Problems are named by what was asked: another world's problem of the same id is another problem.
    for row in rows:
        row["question"] += " Really?"
    other = tmp_path / "other"
    other.mkdir()
    pq.write_table(pa.Table.from_pylist(rows), other / "set.cot.parquet")
    names = [measures_of(folder)["cot.greedy"].problems for folder in (tmp_path, other)]
    assert names[0] != names[1]
    assert np.array_equal(
        measures_of(other)["cot.greedy"].values, measures_of(tmp_path)["cot.greedy"].values
    )
