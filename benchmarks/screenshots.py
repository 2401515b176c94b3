"""The README's pictures of both reports, taken in a headless Chromium.

    python -m benchmarks.screenshots --results results/mini --out docs/images

Each picture is one window of a report: the top of the page, or a section of it. WebP keeps them small.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

from benchmarks.chromium import Chromium
from pipeline.errors import UserError, run_main

WIDTH, HEIGHT = 1120, 840  # of the window, in CSS pixels
LARGEST = 150_000  # bytes of a picture in the repository


@dataclass(frozen=True, slots=True)
class Picture:
    """A window of a report that begins at a section, or at the top of the page."""

    name: str
    report: str
    section: str | None = None


PICTURES = (
    Picture("results", "results.html"),
    Picture("results_rl", "results.html", "Reinforcement learning"),
    Picture("corpus", "corpus.html"),
    Picture("corpus_rounds", "corpus.html", "Rounds"),
)


def take(browser: Chromium, picture: Picture, reports: Path, out: Path) -> Path:
    """Write one picture; a UserError where the report or its section is not there."""
    page = reports / picture.report
    if not page.is_file():
        raise UserError(f"{page}: no such report; make it with snakemake --cores all rl_model")

    browser.open(page, WIDTH, HEIGHT)
    if picture.section is not None:
        found = browser.evaluate(
            f"""(() => {{
              const titles = [...document.querySelectorAll('h2')];
              const title = titles.find((node) => node.textContent === {picture.section!r});
              const bar = document.querySelector('nav');
              const covered = getComputedStyle(bar).position === 'sticky' ? bar.offsetHeight : 0;
              if (title) window.scrollTo(0, title.getBoundingClientRect().top - covered - 24);
              return Boolean(title);
            }})()"""
        )
        if not found:
            raise UserError(f"{page}: has no section {picture.section!r}")

    file = out / f"{picture.name}.webp"
    browser.screenshot(file)
    if file.stat().st_size > LARGEST:
        raise UserError(f"{file}: {file.stat().st_size:,} bytes, more than {LARGEST:,}")
    return file


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--results", type=Path, required=True, help="results/<preset>")
    parser.add_argument("--out", type=Path, required=True, help="folder of the pictures")
    args = parser.parse_args(argv)

    args.out.mkdir(parents=True, exist_ok=True)
    try:
        browser = Chromium()
    except FileNotFoundError as error:
        raise UserError(str(error)) from None
    with browser:
        for picture in PICTURES:
            file = take(browser, picture, args.results / "reports", args.out)
            print(f"written {file} ({file.stat().st_size:,} bytes)")


if __name__ == "__main__":
    run_main(main)
