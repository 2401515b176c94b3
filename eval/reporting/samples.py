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
    kept = []
    for (model, task), samples in rows.items():
        kept += [_sample(model, task, row) for row in chosen(samples)]
    if not kept:
        return None

    models = in_order({model for model, _ in rows})

    def last_model_first(row: dict[str, Any]) -> tuple[int, bool, bool]:
        place = models.index(row["model"])
        agreed = row["graders"] != "disagree"
        right = row["verdict"] != "wrong"
        return (-place, agreed, right)

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
    """At most KEPT greedy samples, spread over the problems.

    Up to a quarter are samples on which the graders disagree, up to a half these and wrong ones, the
    rest right ones.
    """
    disputed: list[dict[str, Any]] = []
    wrong: list[dict[str, Any]] = []
    right: list[dict[str, Any]] = []
    for row in samples:
        if not row["greedy"]:
            continue
        if _disputed(row):
            disputed.append(row)
        elif row["correct"]:
            right.append(row)
        else:
            wrong.append(row)

    kept = _spread(disputed, KEPT // 4)
    # Where there are too few right ones to fill the rest, more of the wrong ones are shown.
    not_right = max(KEPT // 2, KEPT - len(right))
    kept += _spread(wrong, not_right - len(kept))
    kept += _spread(right, KEPT - len(kept))
    return kept


def _spread(rows: list[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    """`count` of the rows at even distances."""
    total = len(rows)
    if total <= count:
        return rows
    return [rows[place * total // count] for place in range(count)]


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
    # The first group is a formula already and stays as it is.
    text = _BOXED.sub(lambda found: found[1] or f"${found[2]}$", text)
    return with_formulas(text.strip("\n"))
