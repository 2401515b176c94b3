"""What stands around a run's numbers in the corpus report: cost, comparison, the choices made, the truth."""

import csv
import re
from pathlib import Path

from corpus.measure_truth import measure
from corpus.reporting.data import Tables
from corpus.tables.urls import url_key
from pipeline.artifacts.records import read_jsonl
from pipeline.artifacts.write import read_json
from pipeline.config.base import Section
from pipeline.config.corpus import Corpus
from pipeline.errors import UserError

CRAWL_PAGES = 2.64e9  # CC-MAIN-2024-51, as announced by Common Crawl in December 2024
PAPER_PAGES = 40e9  # of Common Crawl after deduplication, DeepSeekMath section 2.1

COMPARED = (
    # name, tokens by DeepSeek's tokenizer, what it is (DeepSeekMath, Table 1 and section 2.2.1)
    (
        "MathPile",
        8.9e9,
        "textbooks, Wikipedia, ProofWiki, Common Crawl, StackExchange, arXiv (over 85 %)",
    ),
    ("OpenWebMath", 13.6e9, "Common Crawl, filtered for mathematics"),
    ("Proof-Pile-2", 51.9e9, "OpenWebMath, AlgebraicStack, arXiv"),
    ("DeepSeekMath Corpus", 120.2e9, "Common Crawl, four rounds of this method"),
)

_STEPS = (
    # prefix of the rule's name, what the step does
    ("extract", "read archives, extract text and formulas"),
    ("dedup", "find duplicates"),
    ("mine_round", "one round: train, score every page, find domains and prefixes"),
    ("round", "one round: train, score every page, find domains and prefixes"),
    ("finalise_corpus", "search for benchmark problems, sort, write"),
)


def cost(tables: Tables, records: int) -> list[dict]:
    """Seconds of each corpus step from the benchmark files of its jobs, and what a whole crawl would take.

    Core-hours count processor time, start-up included; the crawl's figure scales it by the number of records.
    """
    steps: dict[str, dict] = {}
    for file in sorted((tables.results / "benchmarks").glob("*.tsv")):
        rule = file.name.split(".")[0]
        name = next(
            (text for prefix, text in _STEPS if re.fullmatch(rf"{prefix}[a-z_]*(_\d+)?", rule)),
            None,
        )
        if name is None:
            continue
        entry = steps.setdefault(
            name, {"step": name, "jobs": 0, "seconds": 0.0, "cpu_seconds": 0.0, "memory_mb": 0.0}
        )
        for row in csv.DictReader(file.read_text(encoding="utf-8").splitlines(), delimiter="\t"):
            seconds = _number(row.get("s"))
            entry["jobs"] += 1
            entry["seconds"] += seconds
            entry["cpu_seconds"] += _number(row.get("cpu_time")) or seconds
            entry["memory_mb"] = max(entry["memory_mb"], _number(row.get("max_rss")))
    for entry in steps.values():
        entry["records_per_core_second"] = (
            records / entry["cpu_seconds"] if entry["cpu_seconds"] else None
        )
        entry["crawl_core_hours"] = entry["cpu_seconds"] / max(records, 1) * CRAWL_PAGES / 3600
    order = list(dict.fromkeys(text for _, text in _STEPS))
    return sorted(steps.values(), key=lambda entry: order.index(entry["step"]))


def choices(config: Path) -> list[dict]:
    """Settings of this run that the paper does not state, and those of its numbers that this run changes.

    Args:
        config: folder with the sections' JSON files (corpus.classifier.json, …).
    """
    found: list[dict] = []
    for name, field in Corpus.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, Section):
            file = config / f"corpus.{name}.json"
            used = read_json(file) if file.is_file() else section().model_dump(mode="json")
            found += _choices(name, section, used)
    return found


def truth(tables: Tables, path: Path) -> dict:
    """Recall and precision by round against a truth file; duplicates and leaks that are still in the corpus."""
    final = dict(tables.rows("SELECT url, doc_id FROM final"))
    present = {url_key(url) for url in final}
    rows = [row for row in read_jsonl(path) if isinstance(row.get("url"), str)]
    leaks = [row["url"] for row in rows if row.get("leaks")]
    originals = [(row["url"], row["duplicate_of"]) for row in rows if row.get("duplicate_of")]
    copies: dict[str, set[int]] = {}
    for url, original in originals:
        copies.setdefault(original, {url_key(original)}).add(url_key(url))
    rounds = measure(tables.corpus, path)
    if "all" not in rounds[-1]["languages"]:
        raise UserError(f"{path}: none of its URLs is among the extracted pages")
    surplus = sum(max(0, len(group & present) - 1) for group in copies.values())
    return {
        "file": path.name,
        "rounds": rounds,
        "leaks": len(leaks),
        "leaks_left": sum(url_key(url) in present for url in leaks),
        "duplicates": len(originals),
        "duplicates_left": surplus,
    }


def _choices(name: str, section: type[Section], used: dict) -> list[dict]:
    paper = section().model_dump(mode="json")
    return [
        {
            "key": f"corpus.{name}.{key}",
            "value": used.get(key),
            "default": paper[key],
            "changed": used.get(key) != paper[key],
            "why": " ".join((field.description or "").split()),
        }
        for key, field in section.model_fields.items()
        if key != "seed"
    ]


def _number(text: str | None) -> float:
    try:
        return float(text or 0)
    except ValueError:
        return 0.0  # Snakemake writes "-" for what it could not measure
