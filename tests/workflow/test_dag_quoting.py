"""Names and paths full of spaces, quotes, dollars and Unicode: they reach the programs as they are, and nothing in
them is run by a shell."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

from tests.support.tiny_model import tiny_model, tiny_tokenizer
from tests.support.warc_records import response, write

ROOT = Path(__file__).resolve().parents[2]
ODD = 'it\'s "odd" $HOME $(touch broken) `touch broken` ; touch broken & ü 数学 -x'


@pytest.fixture
def repository(tmp_path) -> Path:
    """A copy of the tracked files in a folder with an odd name."""
    copy = tmp_path / f"repository {ODD}"
    names = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    for name in names.split("\0"):
        if name and (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, copy / name)
    return copy


def lines(path: Path, rows: list[dict]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def own_settings(folder: Path) -> dict:
    """Small files of every kind below `folder`, and the settings that name them."""
    coder = folder / f"coder {ODD}"
    tiny_model(max_position_embeddings=512).save_pretrained(coder)
    tiny_tokenizer().save_pretrained(coder)

    write(folder / f"pages {ODD}.warc.gz", [response(number) for number in range(12)])
    solutions = [
        {"question": f"What is {n} + 1?", "answer": f"{n} and 1 make {n + 1}.\n#### {n + 1}"}
        for n in range(40)
    ]
    problems = [{"question": f"What is {n} + 2?", "answer": str(n + 2)} for n in range(40)]
    prose = [{"text": f"The river number {n} flows to the sea. " * 20} for n in range(60)]

    return {
        "extends": "smoke",
        "name": "odd",
        "sources": {
            "coder": str(coder),
            "warc": [str(folder)],
            "seed_positives": lines(folder / f"seeds {ODD}.jsonl", [{"url": "http://a.example/"}]),
            "solutions": [lines(folder / f"solutions {ODD}.jsonl", solutions)],
            "problems": lines(folder / f"problems {ODD}.jsonl", problems),
            "benchmarks": {
                "sums $(touch broken) 'x": lines(folder / f"sums {ODD}.jsonl", problems)
            },
            "heldout_text": {"prose $(touch broken)": lines(folder / f"held {ODD}.jsonl", prose)},
        },
        "pretrain": {
            "mixture": {
                "$(touch broken) 'b": {
                    "path": lines(folder / f"prose {ODD}.jsonl", prose),
                    "weight": 1.0,
                }
            },
            "tokens": 2048,
            "batch_tokens": 1024,
        },
    }


@pytest.mark.slow
def test_odd_names_reach_the_programs_as_they_are_and_nothing_in_them_is_run(repository, tmp_path):
    folder = tmp_path / f"work {ODD}"
    folder.mkdir()
    settings = folder / "my settings.yaml"
    settings.write_text(yaml.safe_dump(own_settings(folder), allow_unicode=True), encoding="utf-8")

    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--directory", folder]
    command += ["--config", f"preset={settings}", "--"]
    results = folder / "results" / "odd"
    cheap = ["sft/examples.parquet", "pretrain/tokens/manifest.json", "corpus/dedup"]
    run(command + [f"results/odd/{name}" for name in cheap], repository)

    assert not list(tmp_path.rglob("broken")), "a word of a name was run"
    pages = pq.read_table(next((results / "corpus" / "pages").glob("*.parquet")))
    assert pages.num_rows == 12
    tokens = json.loads((results / "pretrain" / "tokens" / "manifest.json").read_text())
    assert list(tokens["counts"]["sources"]) == ["$(touch broken) 'b"]
    assert pq.read_table(results / "sft" / "examples.parquet").num_rows == 40


def test_every_word_that_a_rule_hands_to_the_shell_is_quoted():
    """All but the launcher of a profile, which is several words, and numbers of threads."""
    for path in (ROOT / "Snakefile", *ROOT.glob("*/rules.smk")):
        shell_blocks = re.findall(r"    shell:\n((?:\s+\".*\"\n?)+)", path.read_text())
        assert shell_blocks or path.name == "Snakefile"
        words = re.findall(r"\{([a-z_.]+)(:q)?\}", "".join(shell_blocks))
        unquoted = {name for name, quoted in words if not quoted}
        assert unquoted <= {"threads", "resources.launch"}, path


def run(command: list, cwd: Path) -> str:
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout + done.stderr
