"""Recall and precision of every round against a truth that mining never reads.

Reads  a corpus folder (pages, dedup, round_<n>) and a truth in JSON Lines: the built-in world's
       `world/truth/pages.jsonl` (url, math, language, duplicate_of) or labels of real pages (url, label math or
       nonmath, confidence, lang).
Prints a table by round and language, or JSON with --json.

    python -m corpus.measure_truth --corpus results/mini/corpus --labels results/mini/world/truth/pages.jsonl

Pages without a label and of low confidence do not count. A page counts once with its duplicates: it is found when any
page of its cluster is collected. Recall is also given over all labelled pages, extraction's losses included.
"""

import argparse
import json
from collections import defaultdict
from pathlib import Path
from urllib.parse import urlsplit

from corpus.tables.pages import read_table
from corpus.tables.shards import shard_files
from corpus.tables.urls import url_key
from pipeline.artifacts.records import read_jsonl
from pipeline.errors import UserError, run_main


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--corpus", type=Path, required=True, help="corpus folder of a run")
    parser.add_argument("--labels", type=Path, required=True, help="JSON Lines with the truth")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(argv)
    rounds = measure(options.corpus, options.labels)
    print(json.dumps(rounds, indent=1) if options.json else table(rounds))


def measure(corpus: Path, labels: Path) -> list[dict]:
    """One dict a round: {"round", "languages": {language or "all": {"pages", "mathematical", "found", "collected",
    "recall", "precision", "recall_of_all"}}}, and under "missed_domains" where most pages were missed."""
    truth = read_truth(labels)
    keeper = _keepers(corpus)
    present: dict[int, tuple[bool, str, str]] = {}  # keeper's doc_id -> math, language, host
    for key, (math, language, host) in truth.items():
        if key in keeper:
            known = present.get(keeper[key], (False, language, host))
            present[keeper[key]] = (known[0] or math, known[1], known[2])
    lost: dict[str, int] = defaultdict(int)  # mathematical pages that extraction dropped
    for key, (math, language, _) in truth.items():
        for group in ("all", language) if math and key not in keeper else ():
            lost[group] += 1
    rounds = []
    for folder in sorted(
        corpus.glob("round_*"), key=lambda path: int(path.name.removeprefix("round_"))
    ):
        collected = set(read_table(folder / "collected.parquet", ["doc_id"])["doc_id"].to_pylist())
        rounds.append(
            {"round": int(folder.name.removeprefix("round_"))} | _compare(present, collected, lost)
        )
    return rounds


def read_truth(path: Path) -> dict[int, tuple[bool, str, str]]:
    """url_key -> (mathematical, language, host) of every page with a label that can be relied on."""
    truth = {}
    for row in read_jsonl(path):
        label = row.get("math", {"math": True, "nonmath": False}.get(row.get("label")))
        if label is not None and row.get("confidence") != "low" and isinstance(row.get("url"), str):
            language = row.get("language") or row.get("lang") or "und"
            truth[url_key(row["url"])] = (bool(label), language, urlsplit(row["url"]).netloc)
    if not truth:
        raise UserError(f"{path}: no labelled page (a line needs url, and math or label)")
    return truth


def _keepers(corpus: Path) -> dict[int, int]:
    """url_key of each extracted page -> doc_id of the page that stands for it."""
    keeper: dict[int, int] = {}
    for file in shard_files(corpus / "pages"):
        keys = read_table(file, ["url_key"])["url_key"].to_pylist()
        keeper.update(
            zip(
                keys,
                read_table(corpus / "dedup/shards" / file.name)["keeper"].to_pylist(),
                strict=True,
            )
        )
    return keeper


def _compare(
    present: dict[int, tuple[bool, str, str]], collected: set[int], lost: dict[str, int]
) -> dict:
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    missed: dict[str, int] = defaultdict(int)
    for doc_id, (math, language, host) in present.items():
        taken = doc_id in collected
        missed[host] += math and not taken
        for group in ("all", language):
            for place, value in enumerate((1, math, taken, math and taken)):
                sums[group][place] += value
    languages = {
        group: {
            "pages": pages,
            "mathematical": math,
            "collected": taken,
            "found": found,
            "recall": round(found / math, 4) if math else None,
            "precision": round(found / taken, 4) if taken else None,
            "recall_of_all": round(found / (math + lost[group]), 4) if math + lost[group] else None,
        }
        for group, (pages, math, taken, found) in sorted(
            sums.items(), key=lambda item: (-item[1][1], item[0])
        )
    }
    worst = sorted(((count, host) for host, count in missed.items() if count), reverse=True)[:10]
    return {"languages": languages, "missed_domains": {host: count for count, host in worst}}


def table(rounds: list[dict]) -> str:
    """The numbers as text: one line a round and language, languages with mathematics only."""
    lines = [
        f"{'round':>5} {'language':<9}{'pages':>7}{'math':>6}{'taken':>7}{'recall':>8}{'precision':>10}"
    ]
    for entry in rounds:
        for group, row in entry["languages"].items():
            if row["mathematical"]:
                numbers = f"{row['pages']:>7}{row['mathematical']:>6}{row['collected']:>7}{row['recall']:>8.3f}"
                precision = "-" if row["precision"] is None else f"{row['precision']:.3f}"
                lines.append(f"{entry['round']:>5} {group:<9}{numbers}{precision:>10}")
    return "\n".join(lines)


if __name__ == "__main__":
    run_main(main)
