"""Answers to cases: read back, measured, rated. And the world: cases are clear, splits are apart, answers are right."""

import json
from random import Random

import pytest

from eval.cases.answer import CaseAnswer, Unreadable, read_answer
from eval.cases.criteria import criteria_of, quality
from eval.cases.experts import expected_score, panel, rate, training_raters
from eval.cases.gold import case_of
from eval.cases.measures import case_scores
from eval.grading.grader import grade
from mini.medicine.cases import LEVELS, Care, draw_case, gold, question, worked_answer
from mini.medicine.table import table
from pipeline.config.experts import Experts
from pipeline.errors import UserError

GOLD = json.dumps(
    {
        "case": "c1",
        "diagnosis": ["amber fever", "琥珀热"],
        "related": ["grey fever"],
        "findings": [["night cough", "夜咳"], ["high velmarin"]],
        "plan": [["ostral"], ["nembral"]],
        "unsafe": ["corvane"],
        "revised": {"plan": [["ostral"], ["durpal"]], "unsafe": ["corvane", "nembral"]},
    },
    ensure_ascii=False,
)
RIGHT = """Reasoning:
1. night cough, high velmarin -> amber fever
2. asthma -> no corvane
Diagnosis: amber fever
Treatment:
1. ostral
2. nembral"""


def points(text: str, **how) -> float:
    return expected_score(case_of(GOLD), text, **how)


# ---- Reading


def test_an_answer_is_read_back():
    answer = read_answer(RIGHT)
    assert isinstance(answer, CaseAnswer)
    assert answer.diagnosis == "amber fever"
    assert answer.treatments == ("ostral", "nembral")
    assert answer.steps[0].evidence == ("night cough", "high velmarin")
    assert answer.steps[1].conclusion == "no corvane"


def test_line_ends_do_not_count():
    """The article's own example runs two sections into one line."""
    lines = RIGHT.split("\n")
    # Only what stands behind a diagnosis needs a line end, since nothing else ends it but a heading.
    assert read_answer(" ".join(lines)) == read_answer(RIGHT)


def test_chinese_headings_and_arrows():
    text = "推理：\n1. 夜咳、维马林升高 → 琥珀热\n诊断：琥珀热\n治疗：\n1. 奥司曲\n2. 南布拉"
    answer = read_answer(text)
    assert (answer.diagnosis, answer.treatments) == ("琥珀热", ("奥司曲", "南布拉"))
    assert answer.steps[0].evidence == ("夜咳", "维马林升高")


def test_a_value_with_a_decimal_point_opens_no_item():
    answer = read_answer(
        "Reasoning:\n1. trolanin 8.2 U/L -> x\nDiagnosis: x\nTreatment:\n1. a 2.5 mg"
    )
    assert answer.steps[0].evidence == ("trolanin 8.2 u/l",)
    assert answer.treatments == ("a 2.5 mg",)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no diagnosis"),
        ("amber fever, ostral", "no diagnosis"),
        ("Diagnosis:\nTreatment:\n1. ostral", "no diagnosis"),
        ("Diagnosis: amber fever", "no treatment"),
        ("Diagnosis: a\nDiagnosis: b\nTreatment:\n1. c", "two diagnoses"),
    ],
)
def test_what_cannot_be_read_says_why(text, reason):
    assert read_answer(text) == Unreadable(reason)


# ---- Measuring


def test_the_right_answer_is_worth_ten_and_an_unreadable_one():
    assert points(RIGHT) == 10
    assert points("no idea") == 1


def test_each_mistake_costs_and_the_unsafe_treatment_most():
    wrong_diagnosis = RIGHT.replace("amber fever", "stone flux")
    close = RIGHT.replace("amber fever", "grey fever")
    no_reasoning = RIGHT[RIGHT.index("Diagnosis") :]
    missing = RIGHT.replace("\n2. nembral", "")
    invented = RIGHT.replace("night cough", "blue hair")
    unsafe = RIGHT + "\n3. corvane"

    worth = {name: points(text) for name, text in locals().items() if isinstance(text, str)}
    assert 10 > worth["missing"] > worth["unsafe"]
    assert worth["close"] > worth["wrong_diagnosis"]
    assert 10 > worth["invented"] > worth["no_reasoning"]
    assert worth["unsafe"] == min(worth.values())


def test_naming_everything_is_no_way_to_be_right():
    shotgun = RIGHT + "".join(f"\n{n}. drug{n}" for n in range(3, 13))
    assert points(shotgun) < points(RIGHT) - 1


def test_evidence_counts_for_the_answers_own_diagnosis_only():
    elsewhere = RIGHT.replace("velmarin -> amber fever", "velmarin -> stone flux")
    assert criteria_of(case_of(GOLD), read_answer(elsewhere)).reasoning == 0


def test_a_changed_guideline_makes_a_right_answer_unsafe():
    assert points(RIGHT, revised=True) < 6
    assert points(RIGHT.replace("nembral", "durpal"), revised=True) == 10


def test_the_grader_judges_the_diagnosis_whatever_else_is_said():
    assert grade(GOLD, RIGHT).correct
    assert grade(GOLD, RIGHT.replace("amber fever", "琥珀热")).correct
    assert not grade(GOLD, RIGHT.replace("amber fever", "grey fever")).correct
    assert grade(GOLD, "amber fever").status == "no_answer"


def test_a_broken_case_is_one_line():
    with pytest.raises(UserError, match="no diagnosis and no plan"):
        case_of('{"case": "x"}')
    with pytest.raises(UserError, match="not JSON"):
        case_of('{"case": ')
    with pytest.raises(UserError, match="lists of names"):
        case_of('{"case": "x", "diagnosis": "fever", "plan": [["a"]]}')
    assert case_of("42") is None


# ---- Experts


def test_the_same_answer_gets_the_same_scores_and_experts_differ():
    settings = Experts()
    experts = panel(settings, seed=3)
    case = case_of(GOLD)
    first, again = (rate(experts, settings, case, RIGHT) for _ in range(2))
    assert first == again
    assert len({expert.severity for expert in experts}) == settings.raters
    assert len(training_raters(experts, settings)) == settings.raters - settings.held_out


def test_experts_without_character_score_the_quality():
    settings = Experts(severity=0, noise=0, disagreement=0)
    scores = rate(panel(settings, 0), settings, case_of(GOLD), RIGHT + "\n3. corvane")
    assert {rating.score for rating in scores} == {round(points(RIGHT + "\n3. corvane"))}


def test_a_common_bias_favours_whoever_names_the_favourite():
    plain = Experts(severity=0, noise=0, disagreement=0)
    biased = plain.model_copy(update={"favourite": "Restwater", "favour": 1.0})
    case, text = case_of(GOLD), RIGHT.replace("nembral", "restwater")
    without = rate(panel(plain, 0), plain, case, text)[0].score
    assert rate(panel(biased, 0), biased, case, text)[0].score == without + 1


# ---- A benchmark's scores


def row(name: str, output: str) -> dict:
    return {"gold": GOLD.replace('"c1"', f'"{name}"'), "output": output}


def test_consistency_counts_cases_and_not_answers():
    other = RIGHT.replace("amber fever", "grey fever")
    chinese = RIGHT.replace("amber fever", "琥珀热")
    rows = [
        row("a", RIGHT), row("a", chinese),  # one diagnosis in two languages
        row("b", RIGHT), row("b", other),
        row("c", "?"), row("c", "?"),  # unreadable answers agree with nothing
        row("d", other), row("d", other),  # wrong, but consistent
        row("e", RIGHT),  # asked once
    ]  # fmt: skip
    scores = case_scores(rows)
    assert scores["consistency"] == 0.5
    assert scores["unreadable"] == {"no diagnosis": 2}
    assert scores["unsafe_per_1000"] == 0
    assert scores["revised"]["unsafe_per_1000"] == pytest.approx(1000 * 7 / 9, abs=0.1)
    assert scores["expert_score_low"] < scores["expert_score"] < scores["expert_score_high"]


@pytest.mark.parametrize(("output", "score"), [("?", 1), (RIGHT, 10)])
def test_the_interval_stays_on_the_scale_where_all_answers_are_alike(output, score):
    scores = case_scores([row(name, output) for name in "abcd"])
    assert scores["expert_score"] == score
    assert 1 <= scores["expert_score_low"] <= score <= scores["expert_score_high"] <= 10
    assert scores["expert_score_low"] < scores["expert_score_high"]


def test_other_benchmarks_have_no_such_scores():
    assert case_scores([{"gold": "42", "output": RIGHT}]) == {}


# ---- The world


def test_the_table_is_as_asked_for():
    known = table()
    assert len(known.conditions) >= 15
    findings = [set(condition.findings) for condition in known.conditions.values()]
    shared = [len(a & b) for i, a in enumerate(findings) for b in findings[:i]]
    assert max(shared) <= 1, "two findings must tell any two conditions apart"
    assert {finding.kind for finding in known.findings.values()} == {
        "symptom",
        "sign",
        "lab",
        "image",
    }


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("level", LEVELS)
def test_a_careful_answer_is_worth_ten_and_a_careless_one_is_unsafe_where_it_matters(
    level, language
):
    rng = Random(f"{level} {language}")
    careless_points = []
    for _ in range(60):
        case = draw_case(rng, level, "train")
        judged = case_of(gold(case, "x"))
        assert expected_score(judged, worked_answer(case, language)) == pytest.approx(10)

        careless = read_answer(worked_answer(case, language, Care(looks_at_history=False)))
        criteria = criteria_of(judged, careless)
        forbidden = {s.first for s in table().conditions[case.condition].plan} & set(
            table().unsafe(case.history)
        )
        assert bool(criteria.unsafe) == bool(forbidden)
        careless_points.append(quality(criteria))
    assert min(careless_points) <= 6


def test_splits_share_no_case_and_both_wordings_of_a_case_tell_the_same():
    rng = Random(1)
    keys = {
        space: {draw_case(rng, 1, space).key for _ in range(150)} for space in ("train", "test")
    }
    assert not keys["train"] & keys["test"]

    case = draw_case(rng, 2, "test")
    first, second = (question(case, "en", rng, form) for form in (0, 1))
    assert first != second
    assert str(case.age) in first and str(case.age) in second
