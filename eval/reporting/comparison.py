"""Several runs on one page: differences on the problems that they share, curves over one another,
the same problem across models, and the settings that differ.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from eval.reporting.language import language_of
from eval.reporting.paired import Difference, Pair, differences, verdicts
from eval.reporting.provenance import commit, read_environment
from eval.reporting.rl_curves import Chart, Lines, curves, reward_names
from eval.reporting.samples import text_html
from eval.reporting.scores import (
    Estimate,
    Rows,
    Summary,
    estimate,
    in_order,
    load_rows,
    load_summary,
    main_task,
    tasks_of,
    title,
)
from eval.reporting.settings import Settings, read_settings, shown
from eval.reporting.training import load_metrics
from pipeline.errors import UserError
from pipeline.report.charts import Interval, Line, interval_chart, line_chart
from pipeline.report.number_format import MISSING
from pipeline.report.page import Section

PROBLEMS = 40  # shown side by side
LONGEST = 1500  # characters of an output there
RL_CURVES = {
    "Total reward": ("reward", "mean over the step's outputs"),
    "Correct outputs": ("right", "share of the step's outputs"),
    "Held-out accuracy": ("heldout_greedy", "share of validation problems, greedy"),
    "KL divergence from the reference model": ("kl", "nats per token"),
    "Entropy": ("entropy", "nats per token"),
    "Response length": ("length", "tokens, mean"),
    "Gradient norm": ("grad_norm", "L2 norm before clipping"),
    "Clipped tokens, ratio too high": ("clipped_high", "share of tokens"),
}
MISSING_SETTING = "not set"


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run, as far as comparisons need it."""

    name: str
    folder: Path
    summary: Summary
    rows: Rows
    metrics: dict[str, Lines]
    settings: Settings


# ---- Reading -------------------------------------------------------------------------------------
def load_runs(folders: Sequence[Path]) -> list[Run]:
    """The runs; a UserError for one that is absent or unfinished, or where nothing is comparable."""
    names = names_of(folders)
    summaries = [load_summary(folder) for folder in folders]
    _check_shared_tasks(names, summaries)

    runs = []
    for name, folder, summary in zip(names, folders, summaries, strict=True):
        rows = load_rows(folder, summary)
        metrics = load_metrics(folder)
        runs.append(Run(name, folder, summary, rows, metrics, read_settings(folder)))
    return runs


def _check_shared_tasks(names: Sequence[str], summaries: Sequence[Summary]) -> None:
    """A UserError unless every run has a benchmark and mode in common with the first one."""
    first, *others = [tasks_of(summary) for summary in summaries]
    for name, tasks in zip(names[1:], others, strict=True):
        if not set(first) & set(tasks):
            raise UserError(
                f"{names[0]} and {name} have no benchmark in common:"
                f" {names[0]} has {', '.join(first) or 'none'}; {name} has {', '.join(tasks) or 'none'}"
            )


def names_of(folders: Sequence[Path]) -> list[str]:
    """Short names that differ: the folders' own, with as many parents as it takes."""
    places = [folder.resolve() for folder in folders]
    for place in places:
        if places.count(place) > 1:
            raise UserError(f"--compare names {place.name} twice; name different runs")

    # The whole paths differ, so that some length is enough.
    length = 1
    while len({place.parts[-length:] for place in places}) < len(places):
        length += 1
    return ["/".join(place.parts[-length:]) for place in places]


def compared_sections(runs: Sequence[Run]) -> list[Section]:
    """All sections of the page."""
    found = differences(_pairs(runs))
    sections = [
        Section("Runs", "compare_runs.html.jinja", overview(runs)),
        Section("Accuracy", "compare_accuracy.html.jinja", accuracy(runs)),
        Section("Paired differences", "compare_differences.html.jinja", paired(found)),
    ]
    charts = drawn_curves(runs)
    if charts:
        sections.append(Section("Curves", "charts.html.jinja", charts))

    problems = side_by_side(runs)
    if problems:
        sections.append(Section("The same problems", "compare_problems.html.jinja", problems))
    return [
        *sections,
        Section("Settings that differ", "compare_settings.html.jinja", changed(runs)),
    ]


# ---- The runs, their scores ----------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class RunRow:
    name: str
    date: str
    commit: str
    models: str


def overview(runs: Sequence[Run]) -> list[RunRow]:
    rows = []
    for run in runs:
        recorded = read_environment(run.folder)
        date = recorded["date"][:16].replace("T", " ") if recorded else MISSING
        made_from = commit(recorded) if recorded else MISSING
        rows.append(RunRow(run.name, date, made_from, ", ".join(in_order(run.summary))))
    return rows


@dataclass(frozen=True, slots=True)
class TaskScores:
    title: str
    chart: Markup
    models: list[str]
    rows: list[tuple[str, list[Estimate]]]  # run, a score for each model


def accuracy(runs: Sequence[Run]) -> list[TaskScores]:
    """Scores of all runs on each benchmark and mode that more than one of them has."""
    found = []
    for task in _shared_tasks(runs):
        models = [model for model in _models(runs) if any(task in _of(run, model) for run in runs)]
        rows = []
        for run in runs:
            rows.append((run.name, [estimate(_of(run, model).get(task)) for model in models]))

        intervals = []
        for place, model in enumerate(models):
            entries = []
            for name, scores in rows:
                score = scores[place]
                if score.value is not None:
                    low, high = 100 * score.low, 100 * score.high
                    entries.append(Interval(name, 100 * score.value, low, high))
            intervals.append((model, entries))
        chart = interval_chart(intervals, "greedy accuracy, %")
        found.append(TaskScores(title(task), chart, models, rows))
    return found


def _of(run: Run, model: str) -> dict[str, Any]:
    return run.summary.get(model, {})


def _models(runs: Sequence[Run]) -> list[str]:
    names: set[str] = set()
    for run in runs:
        names |= set(run.summary)
    return in_order(names)


def _shared_tasks(runs: Sequence[Run]) -> list[str]:
    """Benchmarks and modes that more than one run has, the main one first."""
    counts: dict[str, int] = {}
    for run in runs:
        for task in tasks_of(run.summary):
            counts[task] = counts.get(task, 0) + 1
    shared = [task for task, count in counts.items() if count > 1]
    main = main_task(shared)
    return sorted(shared, key=lambda task: task != main)


# ---- Differences ---------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class PairedSection:
    chart: Markup
    rows: list[Difference]
    unpaired: list[str]  # "task, run: why there is no difference"


def _pairs(runs: Sequence[Run]) -> list[Pair]:
    """Each run beside the first one: the models that both have, else the last model of each."""
    first, *others = runs
    found = []
    for task in _shared_tasks(runs):
        for number, run in enumerate(others, start=2):
            for before, after in _same_models(first, run, task):
                rows = first.rows[before, task], run.rows[after, task]
                label = after if before == after else f"{before} → {after}"
                found.append(Pair(title(task), run.name, number, label, *rows))
    return found


def _same_models(first: Run, other: Run, task: str) -> list[tuple[str, str]]:
    before = [model for model in in_order(first.summary) if task in first.summary[model]]
    after = [model for model in in_order(other.summary) if task in other.summary[model]]
    if not before or not after:
        return []
    both = [(model, model) for model in before if model in after]
    return both or [(before[-1], after[-1])]


def paired(found: Sequence[Difference]) -> PairedSection:
    """The differences as a chart and a table; those without a shared problem by name only."""
    measured = [row for row in found if row.problems]
    without = [row.pair for row in found if not row.problems]
    unpaired = [f"{pair.task}, {pair.model}, {pair.run}" for pair in without]

    by_label: dict[str, list[Interval]] = {}
    for row in measured:
        if row.measure == "greedy":
            pair = row.pair
            points = 100 * row.change, 100 * row.low, 100 * row.high
            interval = Interval(pair.run, *points, colour=pair.place)
            by_label.setdefault(f"{pair.task}, {pair.model}", []).append(interval)

    bounds = [bound for row in measured for bound in (100 * row.low, 100 * row.high)]
    # Zero is always in view: it is what a difference is measured against.
    x_range = min([0.0, *bounds]), max([0.0, *bounds])
    chart = interval_chart(list(by_label.items()), "change, percentage points", x_range)
    return PairedSection(chart, measured, unpaired)


# ---- Curves --------------------------------------------------------------------------------------
def drawn_curves(runs: Sequence[Run]) -> list[Chart]:
    """The same curve of all runs in one chart: reinforcement learning first, then training losses."""
    kinds = [(name, "rl", key, unit) for name, (key, unit) in RL_CURVES.items()]
    for name in _named_rewards(runs):
        kinds.append((f"Reward {name}", "rl", name, "mean over the step's outputs"))
    for model in ("sft", "base"):
        kinds.append((f"Training loss of {model}", model, "loss", "nats per token"))

    charts = []
    for name, model, key, unit in kinds:
        lines = []
        for place, run in enumerate(runs):
            lines += _curve(run, model, key, place + 1)
        # What only one run has is on its own page.
        if len(lines) > 1:
            charts.append(Chart(name, line_chart(lines, "step", unit)))
    return charts


def _named_rewards(runs: Sequence[Run]) -> list[str]:
    names: dict[str, None] = {}
    for run in runs:
        found = reward_names(run.metrics.get("rl", []))
        # A single reward is the total.
        if len(found) > 1:
            names |= dict.fromkeys(found)
    return list(names)


def _curve(run: Run, model: str, key: str, place: int) -> list[Line]:
    lines = run.metrics.get(model, [])
    metric = reward_names(lines).get(key, key)
    return [Line(run.name, line.points, colour=place) for line in curves(lines, {run.name: metric})]


# ---- The same problems ---------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Answer:
    """What a model of a run answered; `text` is HTML."""

    source: str
    right: bool
    text: Markup


@dataclass(frozen=True, slots=True)
class SharedProblem:
    summary: str
    question: Markup
    gold: str
    language: str
    answers: list[Answer]


def side_by_side(runs: Sequence[Run]) -> list[SharedProblem]:
    """Greedy answers to problems that all runs have, those that they answer differently first."""
    for task in _shared_tasks(runs):
        answers = _answers(runs, task)
        shared = set.intersection(*(set(found) for found in answers.values())) if answers else set()
        if shared:
            return _problems(answers, shared)
    return []


def _answers(runs: Sequence[Run], task: str) -> dict[str, dict[Any, dict[str, Any]]]:
    """ "run, model" -> problem -> its greedy sample, of every run and model that has the task."""
    found = {}
    for run in runs:
        for model in in_order(run.summary):
            rows = run.rows.get((model, task), [])
            if rows:
                found[f"{run.name}, {model}"] = verdicts(rows)
    return found


def _problems(
    answers: dict[str, dict[Any, dict[str, Any]]], shared: set[Any]
) -> list[SharedProblem]:
    def most_divided_first(problem: Any) -> tuple[int, Any]:
        right = sum(found[problem]["correct"] for found in answers.values())
        return (-min(right, len(answers) - right), problem)

    problems = []
    for problem in sorted(shared, key=most_divided_first)[:PROBLEMS]:
        rows = {source: found[problem] for source, found in answers.items()}
        row = next(iter(rows.values()))
        right = sum(sample["correct"] for sample in rows.values())

        question = row["question"]
        short = " ".join(question.split())[:100]
        shown_answers = [
            Answer(source, sample["correct"], text_html(sample["output"][:LONGEST]))
            for source, sample in rows.items()
        ]
        problems.append(
            SharedProblem(
                f"{right} of {len(rows)} right: {short}",
                text_html(question[: 2 * LONGEST]),
                row["gold"],
                language_of(question),
                shown_answers,
            )
        )
    return problems


# ---- Settings ------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class ChangedSettings:
    runs: list[str]
    rows: list[tuple[str, list[str]]]  # key, a value for each run


def changed(runs: Sequence[Run]) -> ChangedSettings:
    """Settings that are not the same in all runs."""
    keys: set[str] = set()
    for run in runs:
        keys |= set(run.settings)

    rows = []
    for key in sorted(keys):
        values = [
            shown(run.settings[key]) if key in run.settings else MISSING_SETTING for run in runs
        ]
        if len(set(values)) > 1:
            rows.append((key, values))
    return ChangedSettings([run.name for run in runs], rows)
