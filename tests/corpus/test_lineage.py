"""A step reads what its run names: shards and rounds of earlier runs, and halves of killed jobs, do not count."""

import json
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from corpus import dedup, final, report
from corpus.measure_truth import measure
from corpus.tables.shards import Crawl, read_shard_list, write_shard_list
from pipeline.artifacts.write import atomic_folder, atomic_path, write_json, write_jsonl
from pipeline.errors import UserError
from tests.support.corpus_tables import page, write_benchmark, write_pages, write_rounds

# Begins to write the path in its argument, says so, and waits to be killed.
HALF_DONE = """
import sys, time
from pipeline.artifacts.write import atomic_path, atomic_folder
begin = atomic_folder if sys.argv[2] == "folder" else atomic_path
with begin(sys.argv[1]) as temporary:
    print("begun", flush=True)
    time.sleep(60)
"""


def dedup_args(folder: Path, shards: list[str]) -> list[str]:
    write_json(folder / "dedup.json", {})
    names = write_shard_list(folder / "shards.txt", shards)
    args = ["--config", str(folder / "dedup.json"), "--pages", str(folder / "pages")]
    return [*args, "--shards", names, "--out", str(folder / "dedup")]


@pytest.fixture
def results(tmp_path) -> Path:
    """A run of two shards and three rounds, made again of one shard and two rounds."""
    results = tmp_path / "run"
    corpus = results / "corpus"
    corpus.mkdir(parents=True)
    pages = [page(number) for number in range(40)]
    write_pages(corpus, pages)
    write_rounds(corpus, pages)

    dedup.main(dedup_args(corpus, ["00000"]))
    of_one_shard = pages[0::2]
    for old in corpus.glob("round_[12]"):
        old.rename(results / old.name)
    rounds = write_rounds_again(corpus, of_one_shard)

    exam = write_benchmark(results / "exam.jsonl")
    args = ["--pages", str(corpus / "pages"), "--dedup", str(corpus / "dedup")]
    args += ["--rounds", *rounds, "--benchmarks", f"exam={exam}"]
    removed = str(corpus / "decontaminated.parquet")
    final.main([*args, "--removed", removed, "--out", str(corpus / "final")])
    return results


def write_rounds_again(corpus: Path, pages: list[dict]) -> list[str]:
    """Rounds 1 and 2 over the shards of the deduplication; round_3 of the earlier run stays as it is."""
    stale = corpus / "round_3"
    aside = corpus.parent / "aside"
    stale.rename(aside)
    files = write_rounds(corpus, pages, rounds=2)
    aside.rename(stale)
    return files


def test_a_shard_that_the_run_does_not_name_is_in_nothing(results):
    corpus = results / "corpus"
    crawl = Crawl.open(corpus / "pages", corpus / "dedup")
    assert crawl.shards == ("00000",)

    named = set(pq.read_table(corpus / "pages" / "00000.parquet")["doc_id"].to_pylist())
    for file in ("dedup/kept.parquet", "final/part-00000.parquet"):
        assert set(pq.read_table(corpus / file)["doc_id"].to_pylist()) <= named

    data = report.numbers(results)
    assert data["funnel"]["pages"] == 20
    assert data["funnel"]["records"] == 20 + 3  # the other shard's rejects do not count either


def test_a_round_that_the_run_does_not_name_is_not_reported(results):
    corpus = results / "corpus"
    assert (corpus / "round_3" / "manifest.json").is_file()
    assert [entry["round"] for entry in report.numbers(results)["rounds"]] == [1, 2]

    truth = [{"url": page(number)["url"], "math": number % 2 == 0} for number in range(40)]
    write_jsonl(results / "truth.jsonl", truth)
    assert [entry["round"] for entry in measure(corpus, results / "truth.jsonl")] == [1, 2]


def test_halves_of_killed_jobs_do_not_stop_the_next_one(tmp_path):
    write_pages(tmp_path, [page(number) for number in range(20)])
    (tmp_path / "pages" / ".00000.parquet.abcdefgh.parquet").write_bytes(b"PAR1 half")
    without_list = [arg for arg in dedup_args(tmp_path, ["00000", "00001"])]
    del without_list[without_list.index("--shards") : without_list.index("--out")]
    dedup.main(without_list)
    counts = json.loads((tmp_path / "dedup" / "manifest.json").read_text())["counts"]
    assert counts["pages"] == 20


def test_a_shard_that_is_named_and_not_there_is_said(tmp_path):
    write_pages(tmp_path, [page(number) for number in range(20)])
    with pytest.raises(UserError, match=r"00007\.parquet: no such page table"):
        dedup.main(dedup_args(tmp_path, ["00000", "00007"]))
    (tmp_path / "empty.txt").write_text("\n")
    with pytest.raises(UserError, match="names no shard"):
        read_shard_list(tmp_path / "empty.txt")


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_leftovers_of_dead_processes_go_and_those_of_living_ones_stay(kind, tmp_path):
    out = tmp_path / "out.bin"
    command = [sys.executable, "-c", HALF_DONE, str(out), kind]

    def begun() -> subprocess.Popen:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None and process.stdout.readline() == "begun\n"
        return process

    dead = begun()
    dead.kill()
    dead.wait()
    (of_the_dead,) = tmp_path.iterdir()

    living = begun()
    try:
        assert not of_the_dead.exists()
        (of_the_living,) = tmp_path.iterdir()
        begin = atomic_folder if kind == "folder" else atomic_path
        with begin(out) as temporary:
            if kind == "folder":
                (temporary / "manifest.json").write_text("{}")
        assert set(tmp_path.iterdir()) == {out, of_the_living}
    finally:
        living.kill()
        living.wait()


def test_another_file_s_temporary_name_is_no_leftover(tmp_path):
    others = [".a.b.abcdefgh", ".ab.abcdefgh", ".a.abcdefghi", "a.abcdefgh", ".a.abcdefg.txt"]
    for name in others:
        (tmp_path / name).write_text("x")
    (tmp_path / ".a.abcdefgh").write_text("half")
    with atomic_path(tmp_path / "a") as temporary:
        temporary.write_text("whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*others, "a"])
