"""Ratings: what raters are like is found again, agreement has its known values, mistakes name file and line."""

import json

import numpy as np
import pytest
import torch

from pipeline.config.load import load_preset
from pipeline.errors import UserError
from rl.ratings.agreement import krippendorff_alpha, rank_correlation, within_correlation
from rl.ratings.effects import fit_raters
from rl.ratings.first_rows import check_ratings
from rl.ratings.records import read_ratings
from rl.ratings.scale import Scale, ordinal_cuts

# ---- What raters are like


def rated_answers(severity, noise, answers=800, missing=0.0, seed=0):
    """Scores of raters with known characters, and what the answers deserve."""
    rng = np.random.default_rng(seed)
    quality = rng.uniform(2, 9, answers)
    rated = []
    for points in quality:
        scores = {}
        for name in severity:
            if rng.random() >= missing:
                scores[name] = points + severity[name] + noise[name] * rng.standard_normal()
        rated.append(scores or {"a": points})
    return rated, quality


def test_severity_and_noise_are_found_again_though_ratings_are_missing():
    severity = {"a": -1.0, "b": 0.2, "c": 0.8}
    noise = {"a": 0.4, "b": 1.5, "c": 0.8}
    rated, _ = rated_answers(severity, noise, missing=0.3)

    effects = fit_raters(rated)

    for name in severity:
        assert effects.severity[name] == pytest.approx(severity[name], abs=0.15)
        assert effects.variance[name] ** 0.5 == pytest.approx(noise[name], abs=0.25)


def test_quality_is_nearer_to_the_truth_than_the_plain_mean():
    severity = {"strict": -2.0, "mild": 1.5, "fair": 0.5}
    noise = {"strict": 0.3, "mild": 2.5, "fair": 0.5}
    # Whoever happens to rate an answer shifts its mean.
    rated, quality = rated_answers(severity, noise, missing=0.4)
    effects = fit_raters(rated)

    plain = np.array([np.mean(list(scores.values())) for scores in rated])
    freed = np.array([effects.quality(scores) for scores in rated])

    assert np.abs(freed - quality).mean() < 0.6 * np.abs(plain - quality).mean()


def test_a_bias_in_common_cannot_be_seen():
    rated, quality = rated_answers({"a": 2.0, "b": 2.0}, {"a": 0.1, "b": 0.1})
    effects = fit_raters(rated)
    found = np.mean([effects.quality(scores) for scores in rated])
    assert found == pytest.approx(quality.mean() + 2, abs=0.05)


# ---- Agreement


def test_krippendorffs_alpha_of_a_worked_example():
    # Krippendorff (2011), "Computing Krippendorff's alpha-reliability", the data of section C; interval: 0.849.
    missing = None
    table = [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, missing, missing, missing],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, missing, 3],
        [missing, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, missing],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, missing],
    ]
    units = []
    for column in zip(*table, strict=True):
        scores = {f"r{row}": float(v) for row, v in enumerate(column) if v is not None}
        units.append(scores)
    assert krippendorff_alpha(units) == pytest.approx(0.849, abs=0.001)


def test_alpha_is_one_where_all_agree_and_none_where_nothing_can_be_compared():
    assert krippendorff_alpha([{"a": 3, "b": 3}, {"a": 8, "b": 8}]) == 1
    assert krippendorff_alpha([{"a": 3}, {"b": 8}]) is None
    assert krippendorff_alpha([{"a": 5, "b": 5}]) is None


def test_rank_correlation_with_ties():
    assert rank_correlation(np.array([1, 2, 3]), np.array([10, 20, 400])) == pytest.approx(1)
    assert rank_correlation(np.array([1, 2, 2, 3]), np.array([1, 2, 3, 4])) == pytest.approx(
        0.9487, abs=1e-4
    )
    assert rank_correlation(np.array([1, 1]), np.array([1, 2])) is None


def test_correlation_within_questions_does_not_see_differences_between_them():
    scores = np.array([1.0, 2.0, 11.0, 12.0])
    values = np.array([2.0, 1.0, 12.0, 11.0])
    groups = ["x", "x", "y", "y"]
    assert rank_correlation(scores, values) > 0.5
    assert within_correlation(scores, values, groups) == pytest.approx(-1)


# ---- The scale


def test_the_ordinal_value_is_the_expected_score():
    scale = Scale(1, 10, cuts=tuple(range(-4, 5)))
    shares = scale.share(np.array([-30.0, 0.0, 30.0]))
    assert scale.points(shares) == pytest.approx([1, 5.5, 10], abs=1e-6)


@pytest.mark.parametrize("cuts", [(), (-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0)])
def test_the_loss_is_least_where_the_value_is_the_label(cuts):
    """With one parameter, the logit, gradient descent must end at the score itself."""
    scale = Scale(1, 10, cuts)
    labels = torch.tensor([scale.place(4.0), scale.place(8.0)])
    columns = {"label": labels, "weight": torch.ones(2)}
    logits = torch.zeros(2, requires_grad=True)
    optimiser = torch.optim.Adam([logits], lr=0.1)
    for _ in range(300):
        optimiser.zero_grad()
        scale.loss(logits, columns).sum().backward()
        optimiser.step()

    points = scale.points(scale.share(logits.detach().numpy()))
    assert points == pytest.approx([4, 8], abs=0.05 if not cuts else 0.8)


def test_ordinal_cuts_follow_the_scores():
    scale = Scale(1, 10)
    places = np.array([scale.place(p) for p in [1, 1, 1, 5, 5, 9, 10, 10]])
    cuts = ordinal_cuts(places, 9)
    assert list(cuts) == sorted(cuts)
    assert cuts[0] == pytest.approx(np.log((8 + 2 - 6) / 6))
    assert cuts[3] == cuts[0], "nobody scores between 1 and 5"


def test_without_ratings_the_value_is_a_probability():
    logits = np.array([-1.0, 0.0, 2.0], dtype=np.float32)
    scale = Scale()
    assert scale.points(scale.share(logits)) == pytest.approx(1 / (1 + np.exp(-logits)))


# ---- Files


GOOD = {"question": "q", "response": "r", "ratings": [{"rater": "anna", "score": 7}]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"ratings": [{"rater": "anna", "score": 11}]},
            "line 2: rater 'anna': score 11 is out of 1 to 10",
        ),
        (
            {"ratings": [{"rater": "anna", "score": True}]},
            "line 2: rater 'anna': score True is no number",
        ),
        ({"ratings": [{"rater": "anna", "score": float("nan")}]}, "is no number"),
        (
            {"ratings": [{"rater": "zoe", "score": 3}]},
            "line 2: unknown rater 'zoe'; known are anna, ben",
        ),
        ({"ratings": []}, "line 2: no ratings"),
        ({"ratings": [7]}, "line 2: a rating is"),
        ({"ratings": [{"score": 7}]}, "line 2: a rating without rater"),
        ({"response": " "}, "line 2: no response"),
        ({"question": None}, "line 2: no question"),
        (
            {"ratings": [{"rater": "anna", "score": 7}, {"rater": "anna", "score": 8}]},
            "line 2: rater 'anna' scores twice",
        ),
    ],
)
def test_a_mistake_in_a_ratings_file_names_file_and_line(tmp_path, change, message):
    path = tmp_path / "ratings.jsonl"
    path.write_text(json.dumps(GOOD) + "\n" + json.dumps(GOOD | change) + "\n")
    with pytest.raises(UserError) as error:
        read_ratings([path], 1, 10, ["anna", "ben"])
    assert str(path) in str(error.value)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_ratings_are_written_as_they_are_read(tmp_path):
    path = tmp_path / "ratings.jsonl"
    path.write_text(json.dumps(GOOD) + "\n")
    [rated] = read_ratings([path], 1, 10)
    path.write_text(json.dumps(rated.to_json()) + "\n")
    assert read_ratings([path], 1, 10) == [rated]


def test_a_mistake_in_ratings_ends_the_run_before_any_job(tmp_path):
    path = tmp_path / "ratings.jsonl"
    path.write_text(json.dumps(GOOD | {"ratings": [{"rater": "anna", "score": 0}]}) + "\n")
    settings = {"reward": {"labels": "ratings"}, "sources": {"ratings": str(path)}}
    with pytest.raises(UserError, match="line 1: rater 'anna': score 0 is out of 1 to 10"):
        check_ratings(load_preset("mini", settings))

    with pytest.raises(UserError, match=r"sources\.ratings names no file"):
        check_ratings(load_preset("mini", {"reward": {"labels": "ratings"}}))
