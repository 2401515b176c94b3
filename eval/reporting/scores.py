"""Sections of the results report about scores: accuracy beside the paper's, models compared, both graders, curves."""

from collections import defaultdict
from pathlib import Path

import pyarrow.parquet as pq

from eval.reporting.metrics import wilson
from eval.tasks.declarations import TABLE
from eval.tasks.paper_results import COLUMNS, MAJORITY, PAPER
from pipeline.artifacts.write import read_json
from pipeline.report.charts import interval_chart, line_chart
from pipeline.report.page import Html, Page, details, facts, figure, paragraph, percent, table, tag

STAGES = ("coder", "base", "sft", "rl")
MODES = {"cot": "chain of thought", "pot": "program", "tool": "text and programs"}
Rows = dict[tuple[str, str], list[dict]]


def in_order(models) -> list[str]:
    """Pipeline order: coder, base, sft, rl, then anything else by name."""
    return sorted(
        models, key=lambda name: (STAGES.index(name) if name in STAGES else len(STAGES), name)
    )


def title(task: str) -> str:
    """ "gsm8k.cot" as people say it."""
    benchmark, _, mode = task.rpartition(".")
    known = TABLE.get(benchmark)
    return f"{known.title if known else benchmark}, {MODES.get(mode, mode)}"


def load_rows(results: Path, summary: dict) -> Rows:
    """(model, benchmark.mode) -> its sample rows."""
    return {
        (model, name): pq.read_table(results / "eval" / model / f"{name}.parquet").to_pylist()
        for model, scores in summary.items()
        for name in scores
    }


def add_scores(page: Page, results: Path, summary: dict, rows: Rows) -> None:
    models, tasks = in_order(summary), _tasks(summary)
    main = main_task(tasks)
    page.section(
        "Accuracy",
        facts((model, _share(summary[model].get(main))) for model in models),
        paragraph(f"Above: {title(main)}, greedy. Below: everything, with 95 % Wilson intervals."),
        figure(_chart(summary, models, tasks), "Greedy accuracy and its 95 % interval."),
        _accuracy(summary, models, tasks),
        paragraph(
            "Models that were never taught to chat (coder, base) see worked examples before the question; sft and rl "
            "see the question alone. ",
            _paper_note(models, tasks),
        ),
    )
    page.section("Each model against the one before it", *_comparisons(results, models))
    page.section("Maj@K and Pass@K", *_curves(summary, models, tasks))
    page.section("By level, kind and language", *_breakdowns(rows, models, tasks))
    page.section("How answers were read and judged", *_graders(results, summary, models, tasks))


def _tasks(summary: dict) -> list[str]:
    """In the order of the table of benchmarks, then by mode."""
    order = {name: number for number, name in enumerate(TABLE)}
    tasks = {name for scores in summary.values() for name in scores}
    return sorted(tasks, key=lambda task: (order.get(task.rpartition(".")[0], len(order)), task))


def main_task(tasks: list[str]) -> str:
    """The task of the headline: chain of thought where there is one."""
    return next((name for name in tasks if name.endswith(".cot")), tasks[0])


def _share(scores: dict | None) -> str:
    return percent(scores["greedy"]) if scores and "greedy" in scores else "not run"


def _cell(scores: dict | None, name: str = "greedy") -> Html | str:
    if not scores or scores.get(name) is None:
        return "not run" if scores and "not_run" in scores else "–"
    interval = f"{100 * scores[f'{name}_low']:.1f} – {100 * scores[f'{name}_high']:.1f}"
    return Html(percent(scores[name]) + tag("small", interval))


def _chart(summary: dict, models: list[str], tasks: list[str]) -> Html:
    rows = []
    for task in tasks:
        entries = [(model, summary[model].get(task, {})) for model in models]
        entries = [(model, scores) for model, scores in entries if "greedy" in scores]
        numbers = [
            (m, *(100 * s[key] for key in ("greedy", "greedy_low", "greedy_high")))
            for m, s in entries
        ]
        if numbers:
            rows.append((title(task), numbers))
    return interval_chart(rows, "greedy accuracy, %")


def _accuracy(summary: dict, models: list[str], tasks: list[str]) -> Html:
    """Tasks in rows, our models in columns, the paper's behind them where it reports any of the tasks."""
    papers = [name for name in COLUMNS if any(name in PAPER.get(task, {}) for task in tasks)]
    body = []
    for task in tasks:
        n = max(summary[model][task]["n"] for model in models if task in summary[model])
        ours = [_cell(summary[model].get(task)) for model in models]
        theirs = [_number(PAPER.get(task, {}).get(name)) for name in papers]
        body.append([title(task), f"{n:,}", *ours, *theirs])
    heads = ["task", "problems", *models, *(Html(f"paper:<br>{COLUMNS[name]}") for name in papers)]
    return table(heads, body, right=range(1, len(heads)))


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f} %"


def _paper_note(models: list[str], tasks: list[str]) -> str:
    if any(task in PAPER for task in tasks):
        return "The paper's numbers: DeepSeek-Coder-Base-v1.5 before its decay, DeepSeekMath-Base, -Instruct and -RL."
    return "The paper reports none of these benchmarks."


def _comparisons(results: Path, models: list[str]) -> list[Html]:
    path = results / "eval" / "comparisons.json"
    rows = read_json(path) if path.is_file() else []
    body = []
    for row in rows:
        interval = f"{_signed(row['low'])} to {_signed(row['high'])}"
        change = Html(_signed(row["difference"]) + tag("small", interval))
        chance = "< 0.001" if row["p"] < 0.001 else f"{row['p']:.3f}"
        pair = f"{row['first']} → {row['second']}"
        body.append([pair, title(row["task"]), change, row["wins"], row["losses"], chance])
    if not body:
        return []
    heads = ["models", "task", "change, points", "newly right", "newly wrong", "p"]
    return [
        table(heads, body, right=range(2, 6)),
        paragraph(
            "The same problems, greedy. The interval is a paired bootstrap over problems; p is the exact two-sided "
            "McNemar test: how likely a split at least this uneven is between two equally good models."
        ),
    ]


def _signed(share: float) -> str:
    text = f"{100 * share:+.1f}"
    return "0.0" if float(text) == 0 else text.replace("-", "−")


def _curves(summary: dict, models: list[str], tasks: list[str]) -> list[Html]:
    parts = []
    for task in tasks:
        series, bands, body, most = {}, {}, [], 0
        for model in models:
            scores = summary[model].get(task, {})
            ks = sorted(
                int(key.split("@")[1])
                for key in scores
                if key.startswith("maj@") and "_" not in key
            )
            for kind in ("maj", "pass") if ks else ():
                label = f"{model}, {kind.capitalize()}@K"
                series[label] = [(k, 100 * scores[f"{kind}@{k}"]) for k in ks]
                ends = [(scores[f"{kind}@{k}_low"], scores[f"{kind}@{k}_high"]) for k in ks]
                bands[label] = [
                    (k, 100 * low, 100 * high) for k, (low, high) in zip(ks, ends, strict=True)
                ]
                body.append([label, *(_cell(scores, f"{kind}@{k}") for k in ks)])
                most = max(most, *ks)
        if not series:
            continue
        dashed = {label for label in series if "Pass@" in label}
        colours = {label: models.index(label.partition(",")[0]) + 1 for label in series}
        look = {"powers_of_two": True, "dashed": dashed, "colours": colours}
        chart = line_chart(series, "K samples", "problems, %", bands=bands, **look)
        ks = [k for k, _ in next(iter(series.values()))]
        numbers = table(["", *(f"K = {k}" for k in ks)], body, right=range(1, len(ks) + 1))
        said = MAJORITY.get(task)
        paper = f" The paper's {said[0]}: {said[1]} %." if said else ""
        parts += [
            figure(chart, f"{title(task)}, up to {most} samples a problem.{paper}"),
            details("Numbers", numbers),
        ]
    if parts:
        parts.append(
            paragraph(
                "Maj@K is the share of problems whose most frequent answer among K samples is right: equal answers "
                "vote together however they are spelled, tied answers count in part, no answer does not vote. Pass@K "
                "is the unbiased chance that one of K samples is right. 95 % intervals from a bootstrap over problems. "
                "The paper finds that RL lifts Maj@K and leaves Pass@K as it is."
            )
        )
    return parts


def _breakdowns(rows: Rows, models: list[str], tasks: list[str]) -> list[Html]:
    """Greedy accuracy by field, open for the main task and folded for the others."""
    parts = []
    for task in sorted(tasks, key=lambda task: task != main_task(tasks)):
        tables = [
            t
            for field in ("level", "kind", "language")
            if (t := _breakdown(rows, models, task, field))
        ]
        if tables and not parts:
            parts += [paragraph(f"{title(task)}, greedy."), *tables]
        elif tables:
            parts.append(details(title(task), *tables))
    return parts


def _breakdown(rows: Rows, models: list[str], task: str, field: str) -> Html | str:
    groups: dict[str, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    for model in models:
        for row in rows.get((model, task), ()):
            if row["greedy"]:
                groups[row[field] or "–"][model].append(row["correct"])
    if len(groups) < 2:
        return ""
    body = []
    for value, by_model in sorted(groups.items()):
        cells = [_heat(sum(by_model[model]), len(by_model[model])) for model in models]
        body.append([value, max(map(len, by_model.values())), *cells])
    return table([field, "problems", *models], body, right=range(1, len(models) + 2))


def _heat(right: int, n: int) -> Html | str:
    if not n:
        return "–"
    low, high = wilson(right, n)
    colour = f"background:color-mix(in srgb, var(--s3) {45 * right / n:.0f}%, transparent)"
    inside = f"{percent(right / n)}{tag('small', f'{100 * low:.0f} – {100 * high:.0f}')}"
    return tag("span", Html(inside), class_="heat", style=colour)


def _graders(results: Path, summary: dict, models: list[str], tasks: list[str]) -> list[Html]:
    body = []
    for task in tasks:
        for model in (model for model in models if "greedy" in summary[model].get(task, {})):
            s = summary[model][task]
            shares = [percent(s.get(name)) for name in ("greedy", "compat", "program")]
            rest = [percent(s.get(name)) for name in ("no_answer", "undecided", "truncated")]
            body.append([title(task), model, *shares, *rest, s.get("tokens", "–")])
    heads = [
        "task",
        "model",
        "strict",
        "compat",
        "program",
        "no answer",
        "undecided",
        "cut off",
        "tokens",
    ]
    levels = {_isolation(results / "eval" / model / "manifest.json") for model in models} - {""}
    return [
        paragraph(
            "strict is this project's grader and the number everywhere above; compat follows the rules of the public "
            "DeepSeekMath evaluation, bugs included; samples on which they differ can be picked out below. program: "
            "what the last program printed is right. undecided: too large to compare, or the tests did not end. cut "
            "off: ended by the limit on tokens; tokens: a greedy answer's mean."
        ),
        table(heads, body, right=range(2, 9)),
        paragraph(
            f"Isolation of model-written programs: {', '.join(sorted(levels)) or 'not recorded'}."
        ),
    ]


def _isolation(manifest: Path) -> str:
    return str(read_json(manifest)["metrics"].get("isolation", "")) if manifest.is_file() else ""
