"""Rated answers as labels of a reward model: a score, freed of its raters' severities, at the last token."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from eval.cases.criteria import HIGHEST, LOWEST
from eval.cases.experts import panel, rate, training_raters
from eval.cases.gold import case_of
from pipeline.artifacts.records import Problem
from pipeline.config.prompts import Prompts
from pipeline.config.rl import Reward
from pipeline.errors import UserError
from pipeline.model.chat import encode_prompt
from rl.ratings.agreement import krippendorff_alpha, rank_correlation, within_correlation
from rl.ratings.effects import RaterEffects, fit_raters, no_effects
from rl.ratings.records import Rated, Scores, read_ratings
from rl.ratings.scale import Scale, ordinal_cuts, scale_of, set_scale
from rl.reward_model_metrics import calibration_table
from rl.step_labels import LabelledSolution

SCALE = Scale(LOWEST, HIGHEST)


@dataclass(frozen=True, slots=True)
class RatedSolutions:
    """Solutions with what each rater scored them, side by side."""

    solutions: list[LabelledSolution]
    rated: list[Rated]

    def scores(self, raters: set[str] | None = None) -> list[Scores]:
        """Of each solution, only from `raters` where they are named."""
        found = []
        for each in self.rated:
            kept = {r: s for r, s in each.scores.items() if raters is None or r in raters}
            found.append(kept)
        return found

    def where(self, keep: Callable[[LabelledSolution], bool]) -> "RatedSolutions":
        """Those whose solution is kept."""
        pairs = zip(self.solutions, self.rated, strict=True)
        kept = [(solution, rated) for solution, rated in pairs if keep(solution)]
        return RatedSolutions([solution for solution, _ in kept], [rated for _, rated in kept])

    def scored_by(self, raters: set[str]) -> "RatedSolutions":
        """Those that at least one of the raters has scored."""
        is_scored = iter([bool(scores) for scores in self.scores(raters)])
        return self.where(lambda _: next(is_scored))

    def labelled(self, effects: RaterEffects, raters: set[str]) -> list[LabelledSolution]:
        """The solutions with their quality as the label of the last token; those without a score are left out."""
        labelled = []
        for solution, scores in zip(self.solutions, self.scores(raters), strict=True):
            if not scores:
                continue
            place = SCALE.place(effects.quality(scores))
            labelled.append(replace(solution, labels=[place]))
        return labelled


def ask_experts(
    solutions: Sequence[LabelledSolution],
    problems: Mapping[str, Problem],
    tokenizer: PreTrainedTokenizerBase,
    settings: Reward,
    iteration: int = 0,
) -> RatedSolutions:
    """Let the simulated experts score solutions of cases. `iteration` decides whose guideline holds."""
    changed_from = settings.experts.revised_from
    revised = changed_from is not None and iteration >= changed_from
    experts = panel(settings.experts, settings.seed)

    rated = []
    for solution in solutions:
        problem = problems[solution.problem_id]
        case = case_of(problem.answer)
        if case is None:
            raise UserError(
                f"reward.labels = experts: problem {problem.id} is no case; the simulated experts know cases only, "
                "give scores of your own with labels = ratings"
            )
        text = str(tokenizer.decode(solution.ids, skip_special_tokens=True))
        given = rate(experts, settings.experts, case, text, revised=revised)
        scores = {rating.rater: float(rating.score) for rating in given}
        rated.append(Rated(problem.question, text, scores, problem.id, problem.language))
    return RatedSolutions(list(solutions), rated)


def read_rated(
    paths: Sequence[Path],
    tokenizer: PreTrainedTokenizerBase,
    prompts: Prompts,
    settings: Reward,
    context: int,
) -> RatedSolutions:
    """Answers that people rated, as solutions; those that do not fit into the model's context are left out."""
    solutions, kept = [], []
    end = tokenizer.eos_token_id
    for each in read_ratings(paths, LOWEST, HIGHEST, settings.known_raters):
        prompt = encode_prompt(tokenizer, each.question, "cot", each.language, prompts)
        ids = [*tokenizer.encode(each.response, add_special_tokens=False), end]
        if len(prompt) + len(ids) > context:
            continue
        middle = float(np.mean(list(each.scores.values()))) > (LOWEST + HIGHEST) / 2
        name = each.problem_id or each.question
        solutions.append(LabelledSolution(name, prompt, ids, [len(ids) - 1], [0.0], middle))
        kept.append(each)

    if not kept:
        raise UserError(f"{paths[0]}: no rated answer fits into {context} tokens")
    return RatedSolutions(solutions, kept)


def raters_of(rated: Sequence[Rated], settings: Reward) -> tuple[set[str], set[str]]:
    """Names of the raters who train, and of those who are held out."""
    if settings.labels == "experts":
        experts = panel(settings.experts, settings.seed)
        training = training_raters(experts, settings.experts)
        return training, {expert.name for expert in experts} - training

    # Of people the last ones by name, as long as two are left.
    names = sorted({rater for each in rated for rater in each.scores})
    kept = max(min(2, len(names)), len(names) - settings.experts.held_out)
    return set(names[:kept]), set(names[kept:])


def effects_of(rated: RatedSolutions, raters: set[str], settings: Reward) -> RaterEffects:
    """What the raters' scores say about the raters, if the settings want to know it."""
    return fit_raters(rated.scores(raters)) if settings.rater_effects else no_effects()


def rating_metrics(
    judged: RatedSolutions,
    shares: Sequence[np.ndarray],
    effects: RaterEffects,
    training: set[str],
    held_out: set[str],
) -> dict[str, Any]:
    """How a reward model's values go with the scores of answers that it was not trained on.

    Returns:
        agreement: Krippendorff's alpha of all raters.
        rank_correlation: of the values with the training raters' mean quality.
        rank_correlation_held_out: with the mean of the held-out raters; experts is what one held-out rater reaches
            against the others, for comparison.
        rank_correlation_within: among answers to one question, with the mean of all raters.
        error: mean absolute distance in points.
        rating_calibration: predicted and observed points by bin.
        raters: severity and noise of each.
    """
    values = np.array([share[0] for share in shares])
    everyone = training | held_out
    means = np.array([_mean(scores) for scores in judged.scores(everyone)])
    quality = np.array([effects.quality(scores) for scores in judged.scores(training)])
    groups = [solution.problem_id for solution in judged.solutions]

    metrics: dict[str, Any] = {
        "agreement": krippendorff_alpha(judged.scores()),
        "rank_correlation": rank_correlation(values, quality),
        "rank_correlation_within": within_correlation(values, means, groups),
        "error": float(np.abs(SCALE.points(values) - quality).mean()),
        "rating_calibration": _calibration(values, quality),
        "raters": {
            rater: {
                "severity": round(effects.severity[rater], 3),
                "noise": round(float(np.sqrt(effects.variance[rater])), 3),
            }
            for rater in sorted(effects.severity)
        },
    }
    if held_out:
        theirs = np.array([_mean(scores) for scores in judged.scores(held_out)])
        metrics["rank_correlation_held_out"] = rank_correlation(values, theirs)
        metrics["experts_rank_correlation"] = _between_experts(judged, everyone)
    return metrics


def _between_experts(judged: RatedSolutions, raters: set[str]) -> float | None:
    """Mean rank correlation of one rater with the mean of the others."""
    found = []
    for rater in sorted(raters):
        own = [scores.get(rater, np.nan) for scores in judged.scores()]
        others = [_mean(scores) for scores in judged.scores(raters - {rater})]
        both = ~np.isnan(own) & ~np.isnan(others)
        value = rank_correlation(np.array(own)[both], np.array(others)[both])
        if value is not None:
            found.append(value)
    return float(np.mean(found)) if found else None


def _calibration(shares: np.ndarray, quality: np.ndarray) -> list[dict[str, float]]:
    places = np.array([SCALE.place(points) for points in quality])
    table = calibration_table(shares, places)
    for row in table:
        row["predicted"] = float(SCALE.points(np.array(row["predicted"])))
        row["observed"] = float(SCALE.points(np.array(row["observed"])))
    return table


def _mean(scores: Scores) -> float:
    return float(np.mean(list(scores.values()))) if scores else float("nan")


@dataclass(frozen=True, slots=True)
class RatedLabels:
    """What a reward model learns from ratings, and what it is judged by."""

    training: list[LabelledSolution]
    held_out: list[LabelledSolution]
    judged: RatedSolutions
    """The held-out solutions with all their scores."""
    rated: list[Rated]
    """All scored answers, of training and held out."""
    effects: RaterEffects
    raters: set[str]
    held_out_raters: set[str]

    def metrics(self, shares: Sequence[np.ndarray]) -> dict[str, Any]:
        """See `rating_metrics`; `shares` are the model's values of the held-out solutions."""
        return rating_metrics(self.judged, shares, self.effects, self.raters, self.held_out_raters)


def rated_labels(
    training: RatedSolutions, judged: RatedSolutions, model: PreTrainedModel, settings: Reward
) -> RatedLabels:
    """Labels from scores. Sets the scale that `model` will learn; of a model that has one already it stays.

    The raters are fitted on the training solutions only. Held-out solutions without a score of a training rater cannot
    be judged and are left out.
    """
    raters, held_out_raters = raters_of([*training.rated, *judged.rated], settings)
    training = _drawn_share(training, settings)
    effects = effects_of(training, raters, settings)
    labelled = training.labelled(effects, raters)
    if not labelled:
        raise UserError("ratings: no answer is scored by a rater who is not held out")

    if scale_of(model) == Scale():
        cuts: tuple[float, ...] = ()
        if settings.rating_loss == "ordinal":
            places = np.array([solution.labels[0] for solution in labelled])
            cuts = ordinal_cuts(places, round(HIGHEST - LOWEST))
        set_scale(model, replace(SCALE, cuts=cuts))

    judged = judged.scored_by(raters)
    return RatedLabels(
        training=labelled,
        held_out=judged.labelled(effects, raters),
        judged=judged,
        rated=[*training.rated, *judged.rated],
        effects=effects,
        raters=raters,
        held_out_raters=held_out_raters,
    )


def split_rated(rated: RatedSolutions, settings: Reward) -> tuple[RatedSolutions, RatedSolutions]:
    """Rated solutions to train on, and those of the held-out problems."""
    names = sorted({solution.problem_id for solution in rated.solutions})
    order = np.random.default_rng([settings.seed, 3]).permutation(len(names))
    count = max(1, round(settings.held_out * len(names)))
    held_out = {names[place] for place in order[:count]}

    training = rated.where(lambda solution: solution.problem_id not in held_out)
    if not training.solutions:
        raise UserError(
            f"ratings: of {len(names)} question(s) none is left to train on; give at least 2"
        )
    return training, rated.where(lambda solution: solution.problem_id in held_out)


def _drawn_share(rated: RatedSolutions, settings: Reward) -> RatedSolutions:
    """The ratings of a share of the problems (`ratings_share`)."""
    if settings.ratings_share == 1:
        return rated
    names = sorted({solution.problem_id for solution in rated.solutions})
    order = np.random.default_rng([settings.seed, 4]).permutation(len(names))
    count = max(1, round(settings.ratings_share * len(names)))
    drawn = {names[place] for place in order[:count]}
    return rated.where(lambda solution: solution.problem_id in drawn)
