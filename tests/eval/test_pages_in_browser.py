"""The pages in Chromium: nothing is cut off on a phone, and hostile samples leave the browser of
samples working."""

import pytest

from benchmarks.chromium import Chromium, chromium_path
from eval.report import build, build_comparison
from pipeline.artifacts.write import write_json, write_jsonl
from tests.support.evaluated_run import EVIL, LONG_WORD, write_run

pytestmark = pytest.mark.skipif(chromium_path() is None, reason="needs Chromium (apt: chromium)")

# Elements that reach beyond the window, unless a box of their own scrolls or hides what is beyond.
OVERFLOWING = """
(() => {
  const width = document.documentElement.clientWidth;
  const contained = (element) => {
    for (let box = element.parentElement; box && box !== document.body; box = box.parentElement) {
      const clips = getComputedStyle(box).overflowX !== 'visible';
      if (clips && box.getBoundingClientRect().right <= width + 0.5) return true;
    }
    return false;
  };
  for (const details of document.querySelectorAll('details')) details.open = true;
  return [...document.querySelectorAll('body *')]
    .filter((element) => {
      const place = element.getBoundingClientRect();
      return place.width && (place.right > width + 0.5 || place.left < -0.5) && !contained(element);
    })
    .map((element) => `${element.tagName} ${element.textContent.slice(0, 40)}`);
})()
"""

# Pairs of labels of a chart of which one covers the other, and labels that leave their chart.
COLLIDING = """
(() => {
  const found = [];
  for (const chart of document.querySelectorAll('svg.chart')) {
    const edge = chart.getBoundingClientRect();
    const labels = [...chart.querySelectorAll('text')].map((node) => [node.textContent, node.getBoundingClientRect()]);
    labels.forEach(([text, box], place) => {
      if (box.left < edge.left - 1 || box.right > edge.right + 1 || box.bottom > edge.bottom + 1) found.push([text]);
      for (const [other, its] of labels.slice(place + 1)) {
        const across = Math.min(box.right, its.right) - Math.max(box.left, its.left);
        const down = Math.min(box.bottom, its.bottom) - Math.max(box.top, its.top);
        if (across > 1 && down > 3) found.push([text, other]);
      }
    });
  }
  return found;
})()
"""


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
        browser.open(page, width)
        assert browser.evaluate(OVERFLOWING) == []
        assert browser.evaluate(COLLIDING) == []
        assert browser.evaluate("document.documentElement.scrollWidth") == width


def test_hostile_samples_are_listed_opened_and_found(browser, pages):
    browser.open(pages[0], 1280)
    assert browser.evaluate("document.querySelectorAll('#list details').length") == 6
    browser.evaluate(
        "for (const one of document.querySelectorAll('#list details')) one.open = true"
    )

    browser.evaluate("search.value = 'onerror'; search.dispatchEvent(new Event('input'))")
    assert browser.evaluate("document.getElementById('found').textContent") == "1 of 6 samples"
    assert browser.evaluate("document.querySelectorAll('#list img, #list b').length") == 0
