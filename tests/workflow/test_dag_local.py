"""A user's own files through the whole DAG: a slice of real pages, GSM8K solutions and problems, at the smoke scale."""

import json
import subprocess
import sys
from itertools import islice
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

from tests.support.shared_data import shared_data

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow


def head(source: Path, target: Path, lines: int) -> str:
    with open(source, encoding="utf-8") as stream:
        target.write_text("".join(islice(stream, lines)), encoding="utf-8")
    return str(target)


def test_real_pages_solutions_and_problems_reach_every_stage(tmp_path):
    crawl, sft, benchmarks = shared_data("crawl"), shared_data("sft"), shared_data("benchmarks")
    settings = {
        "extends": "smoke",
        "name": "mine",
        "sources": {
            "warc": str(crawl / "DSM-A-00000.warc.gz"),
            "seed_positives": str(crawl / "seed_positives.jsonl"),
            "solutions": [head(sft / "cot_gsm8k_train.jsonl", tmp_path / "solutions.jsonl", 200)],
            "benchmarks": {
                "gsm8k": head(benchmarks / "gsm8k" / "test.jsonl", tmp_path / "gsm8k.jsonl", 12),
                "math": head(benchmarks / "math" / "test.jsonl", tmp_path / "math.jsonl", 12),
            },
        },
        "sft": {"context": 512},
        "eval": {"modes": ["cot"], "samples": 0, "shots": 1},
    }
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(settings))
    command = [sys.executable, "-m", "snakemake", "rl_model", "--snakefile", ROOT / "Snakefile"]
    command += [
        "--directory",
        tmp_path,
        "--cores",
        "2",
        "--config",
        f"preset={tmp_path / 'mine.yaml'}",
    ]
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, cwd=ROOT, timeout=900
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]

    results = tmp_path / "results" / "mine"
    counts = json.loads((results / "corpus" / "extraction" / "DSM-A-00000.json").read_text())
    rejects = pq.read_table(results / "corpus" / "rejects" / "DSM-A-00000.parquet").num_rows
    pages = pq.read_table(results / "corpus" / "pages" / "DSM-A-00000.parquet").num_rows
    assert pages + rejects == counts["records"] > 600, "no record is lost or doubled"
    summary = json.loads((results / "eval" / "summary.json").read_text())
    assert all(
        summary[model][name]["n"] == 12 for model in summary for name in ("gsm8k.cot", "math.cot")
    )
    assert (results / "reports" / "corpus.html").is_file() and (
        results / "models" / "rl" / "manifest.json"
    ).is_file()
