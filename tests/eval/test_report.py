"""The results report: what it shows, and that model text stays text."""

import json
import re

import pytest

from eval.report import build, main
from eval.reporting.cost import by_stage, read_jobs
from eval.reporting.language import language_of
from eval.reporting.markdown import results_markdown
from eval.reporting.provenance import current_environment, facts
from eval.reporting.samples import KEPT, chosen, text_html
from eval.reporting.settings import differences
from pipeline.artifacts.write import read_json, write_json
from pipeline.config.load import load_preset
from pipeline.config.rl import RL
from tests.support.evaluated_run import EVIL, EVIL_QUESTION, graded, write_run


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    answers = {"sft": ["\\boxed{5}", EVIL, "\\boxed{400}"], "rl": ["\\boxed{4}"] * 3}
    return write_run(tmp_path_factory.mktemp("results") / "small", answers)


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
    assert "Isolation of the programs that models wrote: namespaces+seccomp." in page
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
    rows = graded(["\\boxed{4}"] * 100 + ["\\boxed{400}"] * 3 + ["\\boxed{9}"] * 100)
    kept = chosen(rows)
    assert len(kept) == KEPT and sum(row["compat"] != row["correct"] for row in kept) == 3
    assert (
        10 < sum(row["correct"] for row in kept) < 30 and len({row["id"] for row in kept}) == KEPT
    )


def test_a_browser_of_few_samples_keeps_them_all():
    assert len(chosen(graded(["\\boxed{4}", "\\boxed{9}"]))) == 2


def test_the_markdown_holds_scores_with_intervals_and_no_markup(results):
    text = results_markdown(results, read_json(results / "eval" / "summary.json"))
    (row,) = [line for line in text.splitlines() if line.startswith("| GSM8K")][:1]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[1:] == ["3", "33.3 [6.2, 79.2]", "100.0 [43.9, 100.0]"]
    assert "<" not in text


def test_the_markdown_is_written_beside_the_page(results, tmp_path):
    main(["--results", str(results), "--out", str(tmp_path / "reports" / "results.html")])
    names = sorted(path.name for path in (tmp_path / "reports").iterdir())
    assert names == ["results.html", "results.md"]


def test_only_settings_that_differ_from_the_preset_are_named(tmp_path):
    usual = load_preset("mini").model_dump(mode="json")["rl"]
    write_json(tmp_path / "mini" / "config" / "rl.json", usual | {"group_size": 7})
    found = differences(tmp_path / "mini")
    assert [row.key for row in found.changed] == ["rl.group_size"]
    assert found.changed[0].value == "7" and found.baseline == "preset mini"

    # A run of another name is measured against the paper.
    write_json(tmp_path / "own" / "config" / "rl.json", RL().model_dump(mode="json"))
    assert differences(tmp_path / "own").changed == []


def test_the_page_says_what_the_run_recorded_of_itself_and_nothing_else(results):
    assert facts(results) == [] and "made-with" not in re.sub(
        "<style>.*</style>", "", build(results), flags=re.S
    )

    recorded = current_environment()
    recorded |= {"commit": "a" * 40, "uncommitted_changes": True, "accelerators": ["GPU"] * 2}
    write_json(results / "benchmarks" / "environment.json", recorded)
    page = build(results)
    assert page == build(results), "equal inputs, equal bytes"
    assert "aaaaaaaaaaaa, with uncommitted changes" in page and "2 × GPU" in page
    (results / "benchmarks" / "environment.json").unlink()


def test_chinese_texts_are_marked_as_such():
    assert language_of("小明有3个苹果") == "zh" and language_of("りんごが3つ") == "ja"
    assert language_of("Ann has 3 apples → 3") == "en"


def test_jobs_are_added_up_by_stage(tmp_path):
    (tmp_path / "benchmarks").mkdir()
    for name, seconds, memory in (
        ("train_rl", 5, "10"), ("mine_round.1", 2, "30"), ("mine_round.2", 3, "-"), ("own", 1, "1")
    ):  # fmt: skip
        (tmp_path / "benchmarks" / f"{name}.tsv").write_text(f"s\tmax_rss\n{seconds}\t{memory}\n")
    stages = [(job.name, job.seconds, job.memory_mb) for job in by_stage(read_jobs(tmp_path))]
    assert stages == [
        ("corpus", 5.0, 30.0),
        ("reinforcement learning", 5.0, 10.0),
        ("other", 1.0, 1.0),
    ]
