"""The results report: what it shows, and that model text stays text."""

import json
import re

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from eval.report import build
from eval.reporting.samples import KEPT, chosen, text_html
from eval.summary import compare_models, read_model, summarise
from eval.tasks.declarations import TABLE
from eval.verdicts.graded_samples import SAMPLES, graded_rows
from pipeline.artifacts.records import Problem
from pipeline.artifacts.write import write_json

EVIL = "</script><img src=x onerror=alert(1)> <b>bold</b> \\boxed{4}"
# In a script element "<!--<script>" would keep "</script>" from ending it.
EVIL_QUESTION = "What is $2+2$? <!--<script> </script>"


def _rows(answers, mode="cot"):
    """Rows of as many problems with gold 4 as there are answers, level by turns."""
    problems = [
        Problem(f"p{i}", f"{EVIL_QUESTION} ({i})", "4", level=str(1 + i % 2))
        for i in range(len(answers))
    ]
    usual = {
        "printed": None,
        "program": "",
        "prompt": "?",
        "tokens": 7,
        "finish": "stop",
        "logprob": -1.0,
    }
    usual |= {"seconds": 0.1, "sample": 0}
    rows = [
        {"id": f"p{i}", "output": answer, "greedy": True} | usual
        for i, answer in enumerate(answers)
    ]
    rows += [row | {"greedy": False, "sample": k} for row in rows for k in range(2)]
    return graded_rows(rows, problems, TABLE["gsm8k"], mode, None)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results") / "small"
    for model, answers in {
        "sft": ["\\boxed{5}", EVIL, "\\boxed{400}"],
        "rl": ["\\boxed{4}"] * 3,
    }.items():
        (folder / "eval" / model).mkdir(parents=True)
        table = pa.Table.from_pylist(_rows(answers), schema=SAMPLES)
        pq.write_table(table, folder / "eval" / model / "gsm8k.cot.parquet")
        write_json(
            folder / "eval" / model / "manifest.json",
            {"metrics": {"isolation": "namespaces+seccomp"}},
        )
    models = {name: read_model(folder / "eval" / name) for name in ("sft", "rl")}
    summary = {
        m: {task: summarise(rows) for task, rows in tasks.items()} for m, tasks in models.items()
    }
    write_json(folder / "eval" / "summary.json", summary)
    write_json(folder / "eval" / "comparisons.json", compare_models(models))
    return folder


def test_the_page_needs_nothing_but_itself(results):
    page = build(results)
    assert not re.search(r"""(?:src|href)=["'](?!#|corpus\.html)""", page) and "@import" not in page
    assert (
        page.startswith("<!doctype html>")
        and "prefers-color-scheme: dark" in page
        and "@media print" in page
    )


def test_the_papers_numbers_stand_beside_ours_where_it_has_the_benchmark(results):
    page = build(results)
    assert "paper:<br>RL 7B" in page and "88.2 %" in page and "82.9 %" in page
    assert "33.3 %" in page and "100.0 %" in page, "our own accuracy of sft and rl"


def test_the_isolation_and_both_graders_are_named(results):
    page = build(results)
    assert "Isolation of model-written programs: namespaces+seccomp." in page
    assert "66.7 %" in page, "the public rules take 400 for 4"


def test_models_are_compared_problem_by_problem(results):
    page = build(results)
    assert "sft → rl" in page and "+66.7" in page


def test_text_of_a_model_stays_text(results):
    page = build(results)
    assert "<img" not in page and "<b>bold" not in page
    assert "<!--" not in page and page.count("<script") == page.count("</script>") == 2

    element = r'<script type="application/json" id="samples">(.*?)</script>'
    samples = json.loads(re.search(element, page, re.DOTALL)[1])
    assert len(samples) == 6
    assert any("&lt;img" in sample["output"] for sample in samples)
    assert all(sample["short"].startswith(EVIL_QUESTION) for sample in samples)


def test_formulas_are_set_and_programs_are_set_apart():
    shown = text_html(
        "So $\\frac12$ or \\(x\\).\n```python\nprint('<a>')\n```\n```output\n3\n```\n\\boxed{\\frac{1}{2}}"
    )
    assert shown.count("<math") == 3 and "menclose" in shown
    assert "<pre>print(&#39;&lt;a&gt;&#39;)</pre>" in shown
    assert '<pre class="out">3</pre>' in shown


def test_the_browser_keeps_what_the_graders_disagree_on():
    rows = _rows(["\\boxed{4}"] * 100 + ["\\boxed{400}"] * 3 + ["\\boxed{9}"] * 100)
    kept = chosen(rows)
    assert len(kept) == KEPT and sum(row["compat"] != row["correct"] for row in kept) == 3
    assert (
        10 < sum(row["correct"] for row in kept) < 30 and len({row["id"] for row in kept}) == KEPT
    )


def test_a_browser_of_few_samples_keeps_them_all():
    assert len(chosen(_rows(["\\boxed{4}", "\\boxed{9}"]))) == 2
