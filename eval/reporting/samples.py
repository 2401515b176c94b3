"""The browser of samples in the results report: filters, search, formulas set; nothing leaves the
file.
"""

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from markupsafe import Markup

from eval.reporting.scores import Rows, in_order, title
from pipeline.report.math_html import with_formulas
from pipeline.report.page import Section

KEPT = 40  # samples shown of each model and task
LONGEST = 2000  # characters of a question and of an output
FILTERS = ("model", "task", "verdict", "graders", "status", "level", "kind", "language")

_FENCED = re.compile(r"```(\w*)[ \t]*\n(.*?)(?:```|\Z)", re.DOTALL)
# A formula between dollar signs stays as it is; a box outside of one (braces nested once) becomes
# one.
_BOXED = re.compile(r"(\$[^$\n]*\$)|(\\boxed\{(?:[^{}]|\{[^{}]*\})*\})")
_TEX_BRACKETS = (
    (re.compile(r"\\\((.+?)\\\)", re.DOTALL), r"$\1$"),
    (re.compile(r"\\\[(.+?)\\\]", re.DOTALL), r"$$\1$$"),
)


@dataclass(frozen=True, slots=True)
class Filter:
    field: str
    values: list[str]


@dataclass(frozen=True, slots=True)
class Browser:
    kept: int  # the most samples of a model and task
    filters: list[Filter]
    samples: Markup  # as JSON, for samples.js


def samples_section(rows: Rows) -> Section | None:
    """Greedy samples of every model, benchmark and mode; None where there are none."""
    kept = [
        _sample(model, task, row)
        for (model, task), samples in rows.items()
        for row in chosen(samples)
    ]
    if not kept:
        return None

    models = in_order({model for model, _ in rows})

    def last_model_first(row: dict[str, Any]) -> tuple[int, bool, bool]:
        disputed, wrong = row["graders"] == "disagree", row["verdict"] == "wrong"
        return (-models.index(row["model"]), not disputed, not wrong)

    kept.sort(key=last_model_first)

    # A filter with a single value would change nothing.
    filters = [Filter(field, _values(kept, field)) for field in FILTERS]
    filters = [entry for entry in filters if len(entry.values) > 1]
    return Section("Samples", "samples.html.jinja", Browser(KEPT, filters, _as_json(kept)))


def _values(samples: list[dict[str, Any]], field: str) -> list[str]:
    values = {str(row[field]) for row in samples}
    return in_order(values) if field == "model" else sorted(values)


def _as_json(samples: list[dict[str, Any]]) -> Markup:
    """JSON that may stand in a script element: without "<" nothing in it can end or nest one."""
    text = json.dumps(samples, ensure_ascii=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c"))


# ---- Which samples -------------------------------------------------------------------------------
def chosen(samples: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """At most KEPT greedy samples: up to a quarter on which the graders disagree, up to half in all
    with the wrong ones, the rest right; spread over the problems.
    """
    greedy = [row for row in samples if row["greedy"]]
    disputed = [row for row in greedy if _disputed(row)]
    wrong = [row for row in greedy if not row["correct"] and not _disputed(row)]
    right = [row for row in greedy if row["correct"] and not _disputed(row)]

    kept = _spread(disputed, KEPT // 4)
    # Where there are too few right ones, more of the wrong ones are shown.
    kept += _spread(wrong, max(KEPT // 2, KEPT - len(right)) - len(kept))
    kept += _spread(right, KEPT - len(kept))
    return kept


def _spread(rows: list[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    """`count` of the rows at even distances."""
    if len(rows) <= count:
        return rows
    return [rows[place * len(rows) // count] for place in range(count)]


def _disputed(row: dict[str, Any]) -> bool:
    return row.get("compat") is not None and row["compat"] != row["correct"]


# ---- How a sample is shown -----------------------------------------------------------------------
def _sample(model: str, task: str, row: dict[str, Any]) -> dict[str, Any]:
    """What samples.js shows of a sample. "question" and "output" are HTML, all else is text."""
    question = row["question"]
    return {
        "model": model,
        "task": title(task),
        "verdict": "right" if row["correct"] else "wrong",
        "graders": "disagree" if _disputed(row) else "agree",
        "status": row["status"],
        "level": row["level"] or "",
        "kind": row["kind"] or "",
        "language": row["language"],
        "short": " ".join(question.split())[:110],
        "question": text_html(question[:LONGEST]),
        "output": text_html(row["output"][:LONGEST]),
        "extracted": row["extracted"],
        "gold": row["gold"],
        "printed": row.get("printed"),
        "program": row["program"],
        "how": row.get("method", ""),
        "tokens": row["tokens"],
    }


@lru_cache(maxsize=4096)
def text_html(text: str) -> Markup:
    """Text as HTML: programs and their outputs set apart, formulas set, all else escaped."""
    parts: list[Markup] = []
    place = 0
    for block in _FENCED.finditer(text):
        parts.append(_prose(text[place : block.start()]))
        place = block.end()

        language, code = block[1], block[2].rstrip("\n")
        pre = '<pre class="out">{}</pre>' if language == "output" else "<pre>{}</pre>"
        parts.append(Markup(pre).format(code))

    parts.append(_prose(text[place:]))
    return Markup("").join(parts)


def _prose(text: str) -> Markup:
    if not text.strip():
        return Markup("")

    for pattern, replacement in _TEX_BRACKETS:
        text = pattern.sub(replacement, text)
    text = _BOXED.sub(lambda found: found[1] or f"${found[2]}$", text)
    return with_formulas(text.strip("\n"))
