"""Planted benchmark problems: how many of the pages that hold one are removed, by how the copy was edited.

Of each seed's test problems `copies` are drawn. A copy stands between the halves of a page of that seed's web that
leaks nothing; the rule is corpus.leaks with the preset's settings, as corpus.final uses it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

import numpy as np

from corpus.decontaminate import load_benchmarks
from corpus.leaks.index import LeakIndex
from findings.evidence import problems_digest
from findings.statistics import Sample
from findings.studies.task import Outcome, Task
from mini.problems import draw_problems
from mini.word_problems.template import Case, draw, page_question, question
from pipeline.artifacts.records import Problem, read_jsonl
from pipeline.artifacts.write import read_json
from pipeline.config.corpus import Decontamination
from pipeline.config.load import RECORD
from pipeline.config.read import read_section
from pipeline.config.world import MiniWorld

PROGRAMS = ("mini.problems", "mini.web", "corpus.extract", "corpus.decontaminate")

BATCH = 32
"""Pages searched at a time."""

MOST_DRAWS = 500
"""Draws of other numbers for a problem; a template whose numbers allow only one problem keeps its own."""


@dataclass(frozen=True, slots=True)
class Planted:
    """A test problem that is to leak, and what its copies draw from."""

    problem: Problem
    case: Case
    other_text: str
    """Text of another page, for sentences between the problem's own."""


Edit = Callable[[Planted, Random], str]


def run(task: Task) -> Outcome:
    run = task.start("corpus/final", "world/truth/pages.jsonl")
    settings = MiniWorld(**read_json(run / RECORD)["mini"])
    rules = read_section(run / "config" / "corpus.decontamination.json", Decontamination)
    index = LeakIndex(load_benchmarks([f"test={run}/world/problems/test.jsonl"]), rules)

    rng = Random(f"{task.seed}/leak removal")
    pages = innocent_pages(run, index, rng)
    drawn = list(draw_problems(settings, "test"))
    chosen = rng.sample(drawn, min(task.settings["copies"], len(drawn)))
    planted = [Planted(problem, case, rng.choice(pages)) for problem, case in chosen]

    problems = problems_digest([leak.problem.question for leak in planted])
    arms = {}
    for name, edit in EDITS.items():
        texts = [between(edit(leak, rng), rng.choice(pages)) for leak in planted]
        arms[name] = {"removed": Sample(problems, removed(index, texts))}

    texts = [rng.choice(pages) for _ in planted]
    names = problems_digest(texts)
    arms["innocent"] = {"removed": Sample(names, removed(index, texts))}
    return Outcome(arms)


def innocent_pages(run: Path, index: LeakIndex, rng: Random) -> list[str]:
    """Texts of pages into which the web planted no problem, shuffled."""
    leaking = {
        row["url"]
        for row in read_jsonl(run / "world" / "truth" / "pages.jsonl")
        if row["leaks"] or row["duplicate_of"]
    }
    texts = [
        page["text"]
        for page in _pages(run)
        if page["url"] not in leaking and len(page["text"].split()) >= 40
    ]
    rng.shuffle(texts)
    return texts


def _pages(run: Path) -> list[dict[str, str]]:
    import pyarrow.parquet as pq

    rows = []
    for file in sorted((run / "corpus" / "pages").glob("*.parquet")):
        rows += pq.read_table(file, columns=["url", "text"]).to_pylist()
    return rows


def removed(index: LeakIndex, texts: list[str]) -> np.ndarray:
    """[n] 1 where a page is removed, for whichever problem, else 0."""
    found: list[float] = []
    for start in range(0, len(texts), BATCH):
        found += [float(bool(leaks)) for leaks in index.find(texts[start : start + BATCH])]
    return np.array(found)


def between(copy: str, page: str) -> str:
    """`copy` as a paragraph of its own in the middle of a page."""
    lines = page.split("\n")
    middle = len(lines) // 2
    return "\n".join([*lines[:middle], copy, *lines[middle:]])


# ---- Edits -----------------------------------------------------------------------------------------------------------


def verbatim(leak: Planted, rng: Random) -> str:
    return leak.problem.question


def retexed(leak: Planted, rng: Random) -> str:
    """Numbers, and the percent signs and units of money beside them, as formulas."""
    text = re.sub(r"\$(\d+)", r"$\\$\1$", leak.problem.question)
    text = re.sub(r"(?<![\d$])(\d+)(?![\d$])%", r"$\1\\%$", text)
    return re.sub(r"(?<![\d$\\])(\d+)(?![\d$\\])", r"$\1$", text)


def split(leak: Planted, rng: Random) -> str:
    """A sentence of another page between every two sentences of the problem."""
    other = [line for line in re.split(r"(?<=[.!?。！？])\s*", leak.other_text) if line.strip()]
    sentences = re.split(r"(?<=[.!?。！？])\s*", leak.problem.question.strip())
    pieces: list[str] = []
    for sentence in filter(None, sentences):
        if pieces:
            pieces.append(rng.choice(other) if other else "")
        pieces.append(sentence)
    return " ".join(pieces)


def numbers(leak: Planted, rng: Random) -> str:
    """The same template, names and things with other numbers, in the problem's own wording where it can be kept."""
    for _ in range(MOST_DRAWS):
        case = draw(leak.case.template, rng)
        if case is not None and case.key != leak.case.key:
            return question(case, leak.problem.language, Random(leak.problem.id))
    return re.sub(r"\d+", lambda _: str(rng.randint(2, 99)), leak.problem.question)


def paraphrased(leak: Planted, rng: Random) -> str:
    """The same numbers in the wording that pages use for worked examples."""
    return page_question(leak.case, leak.problem.language, rng)


def translated(leak: Planted, rng: Random, to: dict[str, str]) -> str:
    return question(leak.case, to[leak.problem.language], rng)


EDITS: dict[str, Edit] = {
    "verbatim": verbatim,
    "retexed": retexed,
    "split": split,
    "numbers": numbers,
    "paraphrased": paraphrased,
    "translated": partial(translated, to={"en": "zh", "zh": "en"}),
}
