"""The browser of samples in the results report: filters, search, formulas set; nothing leaves the file."""

import json
import re
from functools import lru_cache

from eval.reporting.scores import Rows, in_order, title
from pipeline.report.math_html import with_formulas
from pipeline.report.page import Html, Page, html, paragraph, tag

KEPT = 40  # samples shown of each model and task: what the graders disagree on, then wrong ones, then right ones
LONGEST = 2000  # characters of an output
FILTERS = ("model", "task", "verdict", "graders", "status", "level", "kind", "language")
_FENCED = re.compile(r"```(\w*)[ \t]*\n(.*?)(?:```|\Z)", re.DOTALL)
_BOXED = re.compile(r"(\$[^$\n]*\$)|(\\boxed\{(?:[^{}]|\{[^{}]*\})*\})")
_TEX_BRACKETS = (
    (re.compile(r"\\\((.+?)\\\)", re.DOTALL), r"$\1$"),
    (re.compile(r"\\\[(.+?)\\\]", re.DOTALL), r"$$\1$$"),
)

SCRIPT = """
const rows = JSON.parse(document.getElementById('samples').textContent);
const list = document.getElementById('list'), more = document.getElementById('more');
const filters = [...document.querySelectorAll('[data-field]')], search = document.getElementById('search');
let shown = 0, found = [];
const names = {model: 'model', task: 'task', extracted: 'answer read', gold: 'right answer', printed: 'program printed',
  graders: 'graders', status: 'status', how: 'found by', program: 'program', tokens: 'tokens', level: 'level',
  kind: 'kind'};
function element(name, kind, text) {
  const e = document.createElement(name);
  if (kind) e.className = kind;
  if (text !== undefined) e.textContent = text;
  return e;
}
function sample(r) {
  const d = element('details', 'sample'), s = element('summary');
  s.append(element('span', r.verdict === 'right' ? 'good' : 'bad', r.verdict === 'right' ? '✓ ' : '✗ '));
  s.append(`${r.model}, ${r.task}: ${r.short}`);
  d.append(s);
  d.addEventListener('toggle', () => {
    if (d.childElementCount > 1) return;
    for (const [label, content] of [['Question', r.question], ['Output', r.output]]) {
      const text = element('div', 'text');
      text.innerHTML = content;  // escaped where it was made
      d.append(element('span', 'soft', label), text);
    }
    const facts = element('dl');
    for (const key in names) if (r[key] !== null && r[key] !== '')
      facts.append(element('dt', '', names[key]), element('dd', '', r[key]));
    d.append(facts);
  });
  return d;
}
function next() {
  list.append(...found.slice(shown, shown + 50).map(sample));
  shown = Math.min(found.length, shown + 50);
  more.hidden = shown >= found.length;
  document.getElementById('found').textContent = `${found.length} of ${rows.length} samples`;
}
function plain(r) {  // what is seen, without the markup; made once, when first searched
  if (r.plain === undefined) {
    const e = document.createElement('template');
    e.innerHTML = r.question + ' ' + r.output;
    r.plain = `${e.content.textContent} ${r.gold} ${r.extracted}`.toLowerCase();
  }
  return r.plain;
}
function choose() {
  const text = search.value.toLowerCase();
  found = rows.filter(r => filters.every(f => !f.value || String(r[f.dataset.field]) === f.value)
    && (!text || plain(r).includes(text)));
  shown = 0;
  list.replaceChildren();
  next();
}
for (const f of [...filters, search]) f.addEventListener('input', choose);
more.addEventListener('click', next);
choose();
"""


def add_samples(page: Page, rows: Rows) -> None:
    """Greedy samples of every model, benchmark and mode."""
    kept = [
        _sample(model, task, row)
        for (model, task), samples in rows.items()
        for row in chosen(samples)
    ]
    if not kept:
        return
    last_first = {name: -place for place, name in enumerate(in_order({model for model, _ in rows}))}
    kept.sort(
        key=lambda row: (
            last_first[row["model"]],
            row["graders"] != "disagree",
            row["verdict"] != "wrong",
        )
    )
    values = {field: sorted({str(row[field]) for row in kept}) for field in FILTERS}
    values["model"] = in_order(set(values["model"]))
    controls = [_select(field, values[field]) for field in FILTERS]
    search = tag("input", id="search", type="search", placeholder="search", aria_label="search")
    # "</" would end the script element in which the data lies
    data = json.dumps(kept, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
    page.section(
        "Samples",
        paragraph(
            f"Greedy answers, at most {KEPT} of each model and task, the last model first; those on which the two "
            "graders disagree come before wrong ones, and those before right ones. All samples lie in the Parquet "
            "files beside summary.json."
        ),
        tag("p", *controls, search, tag("span", "", id="found", class_="soft"), class_="filters"),
        tag("div", id="list"),
        tag("button", "more", id="more", class_="more", hidden=""),
        Html(f'<script type="application/json" id="samples">{data}</script>'),
    )


def chosen(samples: list[dict]) -> list[dict]:
    """At most KEPT greedy samples: up to a quarter disputed, half wrong, the rest right; spread over the problems."""
    greedy = [row for row in samples if row["greedy"]]
    disputed = [row for row in greedy if _disputed(row)]
    wrong = [row for row in greedy if not row["correct"] and not _disputed(row)]
    right = [row for row in greedy if row["correct"] and not _disputed(row)]
    kept = _spread(disputed, KEPT // 4)
    kept += _spread(wrong, max(KEPT // 2, KEPT - len(right)) - len(kept))
    return kept + _spread(right, KEPT - len(kept))


def _spread(rows: list[dict], count: int) -> list[dict]:
    if len(rows) <= count:
        return rows
    return [rows[i * len(rows) // count] for i in range(count)]


def _disputed(row: dict) -> bool:
    return row.get("compat") is not None and row["compat"] != row["correct"]


def _sample(model: str, task: str, row: dict) -> dict:
    question, printed = row["question"], row.get("printed")
    graders = "agree" if not _disputed(row) else "disagree"
    return {
        "model": model, "task": title(task), "verdict": "right" if row["correct"] else "wrong", "graders": graders,
        "status": row["status"], "level": row["level"] or "", "kind": row["kind"] or "", "language": row["language"],
        "short": " ".join(question.split())[:110], "question": _shown(question[:LONGEST]),
        "output": _shown(row["output"][:LONGEST]), "extracted": row["extracted"], "gold": row["gold"],
        "printed": printed, "program": row["program"], "how": row.get("method", ""), "tokens": row["tokens"],
    }  # fmt: skip


@lru_cache(maxsize=4096)
def _shown(text: str) -> str:
    """Text as HTML: programs and their outputs set apart, formulas set, all else escaped."""
    parts, place = [], 0
    for block in _FENCED.finditer(text):
        parts.append(_prose(text[place : block.start()]))
        kind = "out" if block[1] == "output" else None
        parts.append(tag("pre", block[2].rstrip("\n"), class_=kind))
        place = block.end()
    return "".join([*parts, _prose(text[place:])])


def _prose(text: str) -> Html:
    for pattern, replacement in _TEX_BRACKETS:
        text = pattern.sub(replacement, text)
    text = _BOXED.sub(lambda found: found[1] or f"${found[2]}$", text)
    return with_formulas(text.strip("\n")) if text.strip() else html("")


def _select(field: str, values: list[str]) -> Html:
    if len(values) < 2:
        return Html("")
    options = [tag("option", f"any {field}", value="")] + [
        tag("option", value or "–", value=value) for value in values
    ]
    return tag("select", *options, data_field=field, aria_label=field)
