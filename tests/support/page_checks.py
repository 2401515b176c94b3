"""What is wrong with the look of a page, as Chromium lays it out."""

from pathlib import Path
from typing import Any

from benchmarks.chromium import Chromium

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


def flaws(browser: Chromium, page: Path, width: int) -> list[Any]:
    """What is cut off, covered or makes the page wider than a window of this width."""
    browser.open(page, width)
    found = browser.evaluate(OVERFLOWING) + browser.evaluate(COLLIDING)
    real_width = browser.evaluate("document.documentElement.scrollWidth")
    return found if real_width == width else [*found, f"the page is {real_width} px wide"]
