"""Base models from other corpora of one web, at equal tokens, each fine-tuned alike.

Settings: `corpora`, of

    mined        the run's own corpus           no_chinese   the same without its Chinese pages
    seeds        the pages that mining began with
    unfiltered   every extracted page           one_site     mathematical pages of the largest mathematical site
    arxiv_like   research pages of the web      prose        no mathematics: the world's prose
"""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from findings.studies.runs import TAKEN_AFTER
from findings.studies.samples import measures_of
from findings.studies.task import Outcome, Task
from pipeline.artifacts.records import read_jsonl
from pipeline.artifacts.write import write_jsonl

PROGRAMS = ("corpus.final", "pretrain.train", "sft.train", "eval.run")

WEIGHTS = {"corpus": 0.7, "code": 0.2, "prose": 0.1}
"""The mixture of preset mini, in which only the corpus changes."""

Page = dict[str, Any]


def run(task: Task) -> Outcome:
    start = task.start("corpus/final", "world/truth/pages.jsonl", "models/coder")
    arms = {}
    notes = {}
    for name in task.settings["corpora"]:
        file = task.folder / f"corpus-{name}.jsonl"
        documents = write_jsonl(file, ({"text": text} for text in CORPORA[name](start)))
        notes[name] = {"documents": documents, "megabytes": round(file.stat().st_size / 1e6, 2)}

        mixture = {
            part: {"path": str(file) if part == "corpus" else "mini", "weight": weight}
            for part, weight in WEIGHTS.items()
        }
        overlay = {
            "from": str(start / TAKEN_AFTER["corpus"]),
            "pretrain": {"mixture": mixture},
            "eval": {"samples": 0},
        }
        folder = task.run_arm(name, overlay, "eval/sft")
        arms[name] = measures_of(folder / "eval" / "sft")
    return Outcome(arms, notes)


# ---- Corpora ---------------------------------------------------------------------------------------------------------


def _rows(folder: Path, *columns: str) -> Iterator[Page]:
    for file in sorted(folder.glob("*.parquet")):
        yield from pq.read_table(file, columns=list(columns)).to_pylist()


def mined(run: Path) -> Iterator[str]:
    for page in _rows(run / "corpus" / "final", "text"):
        yield page["text"]


def no_chinese(run: Path) -> Iterator[str]:
    for page in _rows(run / "corpus" / "final", "text", "language"):
        if not str(page["language"]).startswith("zh"):
            yield page["text"]


def unfiltered(run: Path) -> Iterator[str]:
    for page in _rows(run / "corpus" / "pages", "text"):
        yield page["text"]


def seeds(run: Path) -> Iterator[str]:
    wanted = {row["url"] for row in read_jsonl(run / "world" / "seeds.jsonl")}
    yield from _pages_with(run, lambda page: page["url"] in wanted)


def arxiv_like(run: Path) -> Iterator[str]:
    research = {row["url"] for row in _truth(run) if row["kind"] == "research"}
    yield from _pages_with(run, lambda page: page["url"] in research)


def one_site(run: Path) -> Iterator[str]:
    mathematical = {row["url"] for row in _truth(run) if row["math"]}
    hosts = Counter(
        page["host"]
        for page in _rows(run / "corpus" / "pages", "url", "host")
        if page["url"] in mathematical
    )
    # Of two sites of one size the first by name, so that equal runs choose alike.
    largest = min(hosts, key=lambda host: (-hosts[host], host))
    yield from _pages_with(
        run, lambda page: page["url"] in mathematical and page["host"] == largest
    )


def prose(run: Path) -> Iterator[str]:
    for row in read_jsonl(run / "world" / "prose" / "train.jsonl"):
        yield row["text"]


def _truth(run: Path) -> Iterator[dict[str, Any]]:
    return read_jsonl(run / "world" / "truth" / "pages.jsonl")


def _pages_with(run: Path, wanted: Callable[[Page], bool]) -> Iterator[str]:
    for page in _rows(run / "corpus" / "pages", "url", "host", "text"):
        if wanted(page):
            yield page["text"]


CORPORA: dict[str, Callable[[Path], Iterator[str]]] = {
    function.__name__: function
    for function in (mined, no_chinese, seeds, unfiltered, one_site, arxiv_like, prose)
}
