"""Sections of the results report about scores: accuracy, its break-downs, Maj@K and Pass@K, the paper's numbers."""

from collections import defaultdict
from pathlib import Path

import pyarrow.parquet as pq

from eval.metrics import wilson
from pipeline.charts import line_chart
from pipeline.page import Html, Page, facts, figure, paragraph, percent, table

STAGES = ("coder", "base", "sft", "rl")
MODES = {"cot": "chain of thought", "pot": "program", "tool": "text and programs in turns"}
# DeepSeekMath tables 2, 3 and 5 and the released evaluation results, percent.
PAPER = {
    ("base", "gsm8k.cot"): 64.2, ("base", "math.cot"): 36.2, ("base", "gsm8k.pot"): 66.9, ("base", "math.pot"): 31.4,
    ("sft", "gsm8k.cot"): 82.9, ("sft", "math.cot"): 46.8, ("sft", "gsm8k.tool"): 83.7, ("sft", "math.tool"): 57.4,
    ("rl", "gsm8k.cot"): 88.2, ("rl", "math.cot"): 51.7, ("rl", "gsm8k.tool"): 86.7, ("rl", "math.tool"): 58.8,
    ("sft", "mgsm_zh.cot"): 73.2, ("rl", "mgsm_zh.cot"): 79.6, ("sft", "cmath.cot"): 84.6, ("rl", "cmath.cot"): 88.8,
}  # fmt: skip


def in_order(models) -> list[str]:
    """Pipeline order: coder, base, sft, rl, then anything else by name."""
    return sorted(models, key=lambda name: (STAGES.index(name) if name in STAGES else len(STAGES), name))


def load_rows(results: Path, summary: dict) -> dict[tuple[str, str], list[dict]]:
    """(model, benchmark.mode) -> its sample rows."""
    return {
        (model, name): pq.read_table(results / "eval" / model / f"{name}.parquet").to_pylist()
        for model, scores in summary.items()
        for name in scores
    }


def add_scores(page: Page, summary: dict, rows: dict[tuple[str, str], list[dict]]) -> None:
    models = in_order(summary)
    columns = sorted({name for scores in summary.values() for name in scores})
    page.section(
        "Accuracy",
        facts((f"{model}, greedy {_main(columns)}", _share(summary[model].get(_main(columns)))) for model in models),
        _accuracy(summary, models, columns),
        paragraph(
            "Greedy decoding, 95 % Wilson intervals. Models that were never taught to chat (coder, base) see worked "
            "examples before the question; sft and rl see the question alone."
        ),
        _paper(summary, models, columns),
    )
    page.section("Maj@K and Pass@K", *_curves(summary, models, columns))
    page.section(
        "By kind, level and language",
        *(_break_down(rows, models, columns, field, label) for field, label in
          (("level", "level"), ("kind", "kind"), ("language", "language"))),
    )  # fmt: skip


def _main(columns: list[str]) -> str:
    return next((name for name in columns if name.endswith(".cot")), columns[0])


def _share(scores: dict | None) -> str:
    return percent(scores["greedy"]) if scores else "not run"


def _accuracy(summary: dict, models: list[str], columns: list[str]) -> Html:
    body = []
    for model in models:
        cells = []
        for name in columns:
            scores = summary[model].get(name)
            interval = f" ({percent(scores['greedy_low'])} – {percent(scores['greedy_high'])})" if scores else ""
            cells.append(_share(scores) + interval)
        body.append([model, *cells])
    return table(["model", *(_title(name) for name in columns)], body)


def _title(name: str) -> str:
    benchmark, _, mode = name.rpartition(".")
    return f"{benchmark}, {MODES.get(mode, mode)}"


def _paper(summary: dict, models: list[str], columns: list[str]) -> Html | str:
    """The paper's 7B beside ours, for benchmarks that both have."""
    body = [
        [model, _title(name), percent(summary[model][name]["greedy"]), f"{PAPER[model, name]} %"]
        for model in models
        for name in columns
        if name in summary[model] and (model, name) in PAPER
    ]
    return table(["model", "benchmark", "here", "DeepSeekMath 7B"], body) if body else ""


def _curves(summary: dict, models: list[str], columns: list[str]) -> list[Html]:
    parts = []
    for name in columns:
        series, bands = {}, {}
        for model in models:
            scores = summary[model].get(name, {})
            for kind in ("maj", "pass"):
                ks = sorted(int(key.split("@")[1]) for key in scores if key.startswith(f"{kind}@") and "_" not in key)
                if ks:
                    label = f"{model} {kind}@K"
                    series[label] = [(k, 100 * scores[f"{kind}@{k}"]) for k in ks]
                    ends = [(scores[f"{kind}@{k}_low"], scores[f"{kind}@{k}_high"]) for k in ks]
                    bands[label] = [(k, 100 * low, 100 * high) for k, (low, high) in zip(ks, ends, strict=True)]
        if series:
            caption = (
                f"{_title(name)}: samples at the evaluation's temperature. Maj@K is the share of problems whose most "
                "frequent answer is right (ties count in part, no answer does not vote), Pass@K the unbiased chance "
                "that one of K samples is right. The paper finds that RL lifts Maj@K and leaves Pass@K."
            )
            parts.append(figure(line_chart(series, "K samples", "problems, %", bands=bands), caption))
    return parts


def _break_down(rows: dict, models: list[str], columns: list[str], field: str, label: str) -> Html | str:
    """Greedy accuracy by the value of a field, for the main column."""
    name = _main(columns)
    groups: dict[str, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    for model in models:
        for row in rows.get((model, name), ()):
            if row["greedy"]:
                groups[row[field] or "–"][model].append(row["correct"])
    if len(groups) < 2:
        return ""
    body = []
    for value, by_model in sorted(groups.items()):
        cells = []
        for model in models:
            right, n = sum(by_model[model]), len(by_model[model])
            low, high = wilson(right, n)
            cells.append(f"{percent(right / n)} ({percent(low, 0)} – {percent(high, 0)})" if n else "not run")
        body.append([value, max(map(len, by_model.values())), *cells])
    return table([label, "problems", *models], body)
