"""What surrounds a run's numbers in the corpus report: cost, other corpora, settings, and recall
and precision against ground truth.
"""

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from corpus.measure_truth import measure
from corpus.reporting.data import Tables
from corpus.reporting.schema import Choice, Cost, Truth
from corpus.tables.urls import url_key
from pipeline.artifacts.records import read_jsonl
from pipeline.artifacts.write import read_json
from pipeline.config.base import Section
from pipeline.config.corpus import Corpus
from pipeline.errors import UserError

CRAWL_PAGES = 2.64e9  # CC-MAIN-2024-51, as announced by Common Crawl in December 2024
PAPER_PAGES = 40e9  # of Common Crawl after deduplication, DeepSeekMath section 2.1

# Name, tokens by DeepSeek's tokenizer, what it is (DeepSeekMath, Table 1 and section 2.2.1).
COMPARED = (
    (
        "MathPile",
        8.9e9,
        "textbooks, Wikipedia, ProofWiki, Common Crawl, StackExchange, arXiv (over 85 %)",
    ),
    ("OpenWebMath", 13.6e9, "Common Crawl, filtered for mathematics"),
    ("Proof-Pile-2", 51.9e9, "OpenWebMath, AlgebraicStack, arXiv"),
    ("DeepSeekMath Corpus", 120.2e9, "Common Crawl, four rounds of this method"),
)

# First part of the rule's name -> what the step does. Rules of one step count together.
_ROUND = "one round: train, score every page, find domains and prefixes"
_STEPS = {
    "extract": "read archives, extract text and formulas",
    "hash_shards": "find duplicates",
    "dedup": "find duplicates",
    "draw_examples": _ROUND,
    "read_shards": _ROUND,
    "train_classifier": _ROUND,
    "score_shards": _ROUND,
    "select_pages": _ROUND,
    "mine_round": _ROUND,
    "round": _ROUND,
    "clean_shards": "search for benchmark problems, sort, write",
    "finalise_corpus": "search for benchmark problems, sort, write",
}


# ---- Cost ----------------------------------------------------------------------------------------
def cost(tables: Tables, records: int) -> list[Cost]:
    """Seconds of each corpus step from the benchmark files of its jobs, and what a whole crawl would
    take.

    Core-hours count processor time, start-up included; the crawl's figure scales it by the number
    of records.
    """
    steps: dict[str, Cost] = {}
    for file in sorted((tables.results / "benchmarks").glob("*.tsv")):
        name = _step(rule=file.name.split(".")[0])
        if name is None:
            continue

        entry = steps.setdefault(name, _no_cost(name))
        lines = file.read_text(encoding="utf-8").splitlines()
        for row in csv.DictReader(lines, delimiter="\t"):
            seconds = _seconds(row.get("s"))
            entry["jobs"] += 1
            entry["seconds"] += seconds
            # Where the processor's time is unknown, the wall clock's stands in for it.
            entry["cpu_seconds"] += _seconds(row.get("cpu_time")) or seconds
            entry["memory_mb"] = max(entry["memory_mb"], _seconds(row.get("max_rss")))

    for entry in steps.values():
        if entry["cpu_seconds"]:
            entry["records_per_core_second"] = records / entry["cpu_seconds"]
        entry["crawl_core_hours"] = entry["cpu_seconds"] / max(records, 1) * CRAWL_PAGES / 3600

    order = list(dict.fromkeys(_STEPS.values()))
    return sorted(steps.values(), key=lambda entry: order.index(entry["step"]))


def _step(rule: str) -> str | None:
    """What a rule of this name does: "mine_round_2" is a "mine_round"."""
    for prefix, text in _STEPS.items():
        if re.fullmatch(rf"{prefix}[a-z_]*(_\d+)?", rule):
            return text
    return None


def _no_cost(step: str) -> Cost:
    return {
        "step": step,
        "jobs": 0,
        "seconds": 0.0,
        "cpu_seconds": 0.0,
        "memory_mb": 0.0,
        "records_per_core_second": None,
        "crawl_core_hours": 0.0,
    }


def _seconds(text: str | None) -> float:
    """A number of a benchmark file; 0 where there is none."""
    try:
        return float(text or 0)
    except ValueError:
        return 0.0  # Snakemake writes "-" for what it could not measure


# ---- Settings ------------------------------------------------------------------------------------
def choices(config: Path) -> list[Choice]:
    """All corpus settings of this run, with the paper's default and the reason for the value.

    Args:
        config: folder with the sections' JSON files (corpus.classifier.json, …).
    """
    found: list[Choice] = []
    for name, field in Corpus.model_fields.items():
        section = field.annotation
        if not (isinstance(section, type) and issubclass(section, Section)):
            continue
        file = config / f"corpus.{name}.json"
        used = read_json(file) if file.is_file() else section().model_dump(mode="json")
        found += _section_choices(name, section, used)
    return found


def _section_choices(name: str, section: type[Section], used: dict[str, Any]) -> Iterator[Choice]:
    paper = section().model_dump(mode="json")
    for key, field in section.model_fields.items():
        if key == "seed":
            continue
        yield {
            "key": f"corpus.{name}.{key}",
            "value": used.get(key),
            "default": paper[key],
            "changed": used.get(key) != paper[key],
            "why": " ".join((field.description or "").split()),
        }


# ---- Ground truth --------------------------------------------------------------------------------
def truth(tables: Tables, path: Path) -> Truth:
    """Recall and precision by round against a truth file; duplicates and leaks that are still in the
    corpus.

    Raises UserError where the file says nothing about the pages of this run.
    """
    rounds = measure(tables.corpus, path)
    if "all" not in rounds[-1]["languages"]:
        raise UserError(f"{path}: none of its URLs is among the extracted pages")

    present = {url_key(url) for (url,) in tables.rows("SELECT url FROM final")}
    rows = [row for row in read_jsonl(path) if isinstance(row.get("url"), str)]
    leaks = [row["url"] for row in rows if row.get("leaks")]
    originals = [(row["url"], row["duplicate_of"]) for row in rows if row.get("duplicate_of")]

    # One page of each group may stay, whichever; what is beyond it is a duplicate that was missed.
    groups: dict[str, set[int]] = {}
    for url, original in originals:
        groups.setdefault(original, {url_key(original)}).add(url_key(url))
    surplus = sum(max(0, len(group & present) - 1) for group in groups.values())

    return {
        "file": path.name,
        "rounds": rounds,
        "leaks": len(leaks),
        "leaks_left": sum(url_key(url) in present for url in leaks),
        "duplicates": len(originals),
        "duplicates_left": surplus,
    }
