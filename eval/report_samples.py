"""The browser of samples in the results report: filter by model, mode and verdict; nothing leaves the file."""

import json

from pipeline.page import Html, Page, paragraph, tag

KEPT = 40  # samples shown of each model, benchmark and mode: half wrong ones, half right ones, in problem order

SCRIPT = """
const rows = JSON.parse(document.getElementById('samples').textContent);
const list = document.getElementById('list');
function element(name, text, kind) {
  const e = document.createElement(name); e.textContent = text; if (kind) e.className = kind; return e;
}
function show() {
  const wanted = {};
  for (const s of document.querySelectorAll('select[data-field]')) if (s.value) wanted[s.dataset.field] = s.value;
  list.replaceChildren();
  const found = rows.filter(r => Object.entries(wanted).every(([k, v]) => String(r[k]) === v));
  for (const r of found.slice(0, 100)) {
    const d = document.createElement('details');
    d.append(element('summary', `${r.verdict === 'right' ? '✓' : '✗'} ${r.model}, ${r.mode}: ${r.question}`));
    d.append(element('pre', r.output));
    const program = r.program ? `, program ${r.program}` : '';
    d.append(element('p', `answer ${r.extracted ?? 'none'}, right answer ${r.gold}, ${r.tokens} tokens${program}`,
                     r.verdict === 'right' ? 'good' : 'bad'));
    list.append(d);
  }
  document.getElementById('found').textContent = `${found.length} samples`;
}
for (const s of document.querySelectorAll('select[data-field]')) s.addEventListener('change', show);
show();
"""


def add_samples(page: Page, rows: dict[tuple[str, str], list[dict]]) -> None:
    """Greedy samples of every model, benchmark and mode."""
    kept = []
    for (model, name), samples in rows.items():
        greedy = [row for row in samples if row["greedy"]]
        wrong = [row for row in greedy if not row["correct"]][: KEPT // 2]
        right = [row for row in greedy if row["correct"]][: KEPT - len(wrong)]
        kept += [_sample(model, name, row) for row in wrong + right]
    choices = [_select(field, sorted({str(row[field]) for row in kept})) for field in ("model", "mode", "verdict")]
    # "</" would end the script element in which the data lies
    data = json.dumps(kept, ensure_ascii=False).replace("</", "<\\/")
    page.section(
        "Samples",
        paragraph(f"Greedy answers, at most {KEPT} of each model and mode."),
        tag("p", *choices, tag("span", "", id="found", class_="soft")),
        tag("div", id="list"),
        Html(f'<script type="application/json" id="samples">{data}</script>'),
    )


def _sample(model: str, name: str, row: dict) -> dict:
    question = row["prompt"].rsplit("Problem:", 1)[-1].rsplit("User:", 1)[-1]
    question = question.removesuffix("Assistant:").split("Solution:")[0].strip()
    return {
        "model": model, "mode": name, "verdict": "right" if row["correct"] else "wrong", "question": question[:400],
        "output": row["output"][:2000], "extracted": row["extracted"], "gold": row["gold"], "tokens": row["tokens"],
        "program": row["program"],
    }  # fmt: skip


def _select(field: str, values: list[str]) -> Html:
    options = [tag("option", f"any {field}", value="")] + [tag("option", value, value=value) for value in values]
    return Html(tag("select", *options, data_field=field) + " ")
