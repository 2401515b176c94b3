"""The pages in Chromium: nothing is cut off on a phone, and hostile samples leave the browser of
samples working."""

import pytest

from benchmarks.chromium import Chromium, chromium_path
from benchmarks.screenshots import LARGEST, Picture, take
from eval.report import build, build_comparison
from pipeline.artifacts.write import write_json, write_jsonl
from pipeline.errors import UserError
from pipeline.report import charts
from pipeline.report.page import Section, render_page
from tests.support.evaluated_run import EVIL, LONG_WORD, write_run
from tests.support.page_checks import flaws

pytestmark = pytest.mark.skipif(chromium_path() is None, reason="needs Chromium (apt: chromium)")


@pytest.fixture(scope="module")
def browser():
    with Chromium() as started:
        yield started


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    place = tmp_path_factory.mktemp("results")
    answers = {"sft": ["\\boxed{5}", EVIL, LONG_WORD], "rl": ["\\boxed{4}"] * 3}
    runs = [write_run(place / name, answers) for name in ("first", "second")]
    for run in runs:
        (run / "models" / "rl").mkdir(parents=True)
        write_jsonl(run / "models" / "rl" / "metrics.jsonl", [_line(step) for step in range(200)])
        setting = {"rewards": {f"module_{LONG_WORD}:function": 1.0 if run is runs[0] else 2.0}}
        write_json(run / "config" / "rl.json", setting)

    results, comparison = place / "results.html", place / "comparison.html"
    results.write_text(build(runs[0]), encoding="utf-8")
    comparison.write_text(build_comparison(runs), encoding="utf-8")
    return results, comparison


def _line(step: int) -> dict:
    counts = {"0": 100 + step, "0.25": 3, "1": 250 - step}
    numbers = {"reward": step / 1e3, "kl": step * 1e-6, "grad_norm": 12345.6, "length": 1500 + step}
    recorded = {"reward_counts": counts, "length_counts": {"100": 5, "2000": 9}}
    return {"step": step, **numbers, "heldout_greedy/1": 0.5, "heldout_greedy/2": 0.1, **recorded}


@pytest.mark.parametrize("width", [390, 768, 1280])
def test_nothing_is_cut_off_or_covered(browser, pages, width):
    for page in pages:
        assert flaws(browser, page, width) == []


@pytest.mark.parametrize("width", [390, 1280])
def test_charts_of_long_names_and_large_numbers_are_whole(browser, tmp_path, width):
    name = "a name that is far too long for any line of a chart, and goes on"
    stages = [
        charts.Stage(name, 12_345_678),
        charts.Stage("kept", 1_234_567, f"−11,111,111: {name}, {name}"),
    ]
    steps = [(step * 123_456, step * 1e-5) for step in range(50)]
    drawn = [
        charts.funnel(stages),
        charts.bar_chart([(name, 123_456_789.0), ("b", 1.0)], " formulas"),
        charts.growth([charts.Growth("round 1", 1e9, 2e9)], "tokens"),
        charts.sizes([(name, 12.0), ("large", 1.2e11)], "large"),
        charts.line_chart([charts.Line(name, steps), charts.Line("b", steps[:9])], "step", "nats"),
        charts.line_chart([charts.Line("a", [(1, -1234.5), (2, 98765.4)])], "step", "reward"),
        charts.shares([("a", [1, 2, 3, 4]), ("b", [9, 0, 0, 1])], [(0, "100"), (1, "1,000,000")], "x"),
        charts.score_histogram([10_000, 3, 0, 7], [0, 0, 0, 7], 0.51),
        charts.interval_chart([(name[:44], [charts.Interval("m", 99.9, 99, 100)])], "%"),
    ]  # fmt: skip
    (tmp_path / "all.html.jinja").write_text(
        "{% for one in data %}<figure>{{ one }}</figure>{% endfor %}"
    )
    page = tmp_path / "charts.html"
    page.write_text(render_page("Charts", "", [Section("All", "all.html.jinja", drawn)], tmp_path))
    assert flaws(browser, page, width) == []


def test_a_picture_of_a_section_is_small_and_one_of_none_is_refused(browser, pages, tmp_path):
    reports = pages[0].parent
    file = take(browser, Picture("rl", "results.html", "Reinforcement learning"), reports, tmp_path)
    assert file.read_bytes()[8:12] == b"WEBP" and file.stat().st_size < LARGEST
    with pytest.raises(UserError, match="no section"):
        take(browser, Picture("x", "results.html", "None"), reports, tmp_path)
    with pytest.raises(UserError, match="no such report"):
        take(browser, Picture("x", "absent.html"), reports, tmp_path)


def test_hostile_samples_are_listed_opened_and_found(browser, pages):
    browser.open(pages[0], 1280)
    assert browser.evaluate("document.querySelectorAll('#list details').length") == 6
    browser.evaluate(
        "for (const one of document.querySelectorAll('#list details')) one.open = true"
    )

    browser.evaluate("search.value = 'onerror'; search.dispatchEvent(new Event('input'))")
    assert browser.evaluate("document.getElementById('found').textContent") == "1 of 6 samples"
    assert browser.evaluate("document.querySelectorAll('#list img, #list b').length") == 0
