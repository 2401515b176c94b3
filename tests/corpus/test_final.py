"""The final corpus: its columns, order, removal log, card, and what must not change it."""

import json
import multiprocessing
from pathlib import Path

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from corpus import final
from corpus.tables import merge
from corpus.tables.final import (
    DESCRIPTIONS,
    FINAL,
    final_table,
    letter_share,
    repeated_line_share,
)
from corpus.tables.pages import PAGES
from pipeline.errors import UserError
from tests.support.corpus_tables import (
    QUESTION,
    page,
    write_benchmark,
    write_collected,
    write_pages,
)

FINEMATH = (
    "url fetch_time content_mime_type warc_filename warc_record_offset warc_record_length text token_count "
    "char_count metadata score int_score crawl snapshot_type language language_score"
)


def final_args(folder: Path, rounds: list[str], exam: str) -> list[str]:
    """The command line of corpus.final over the tables in `folder`."""
    args = ["--pages", str(folder / "pages"), "--dedup", str(folder / "dedup")]
    args += ["--rounds", *rounds, "--benchmarks", exam]
    args += ["--removed", str(folder / "decontaminated.parquet")]
    args += ["--out", str(folder / "final")]
    return args


def build(folder: Path, pages: list[dict], *more: str, shards: int = 2) -> Path:
    """Run corpus.final over `pages`; the folder of the result."""
    write_pages(folder, pages, shards)
    rounds = write_collected(folder, pages)
    exam = write_benchmark(folder / "exam.jsonl")
    final.main([*final_args(folder, rounds, f"exam={exam}"), *more])
    return folder / "final"


@pytest.fixture(scope="module")
def pages() -> list[dict]:
    rows = [page(number) for number in range(40)]
    rows[4] = page(4, rows[4]["text"] + QUESTION)
    rows.append(
        page(0) | {"url": "https://copy.example/", "doc_id": 1, "url_key": 1}
    )  # an exact duplicate
    return rows


@pytest.fixture(scope="module")
def corpus(tmp_path_factory, pages) -> Path:
    return build(tmp_path_factory.mktemp("corpus"), pages)


def digest(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_it_opens_as_a_data_set_with_finemath_s_columns(corpus, tmp_path):
    data = datasets.load_dataset(
        "parquet", data_files=str(corpus / "*.parquet"), split="train", cache_dir=str(tmp_path)
    )
    assert set(FINEMATH.split()) <= set(data.column_names)
    assert len(data) == 19
    assert set(DESCRIPTIONS) == set(FINAL.names)


def test_rows_are_sorted_and_carry_score_and_round(corpus):
    table = pq.read_table(corpus / "part-00000.parquet")
    ids = table["doc_id"].to_pylist()
    assert ids == sorted(ids)
    assert set(table["round"].to_pylist()) == {1, 2, 3}
    row = table.slice(0, 1).to_pylist()[0]
    assert row["score"] == 1 and row["int_score"] == 5 and row["round"] == 1
    assert row["fetch_time"] == 1733070023 * 10**9
    assert row["crawl"] == "CC-MAIN"
    assert json.loads(row["metadata"])["math_kinds"] == {"tex_dollar": 1}


def test_the_leaking_page_is_logged_and_absent(corpus, pages):
    (row,) = pq.read_table(corpus.parent / "decontaminated.parquet").to_pylist()
    assert (row["url"], row["benchmark"], row["item"], row["rule"]) == (
        pages[4]["url"],
        "exam",
        "t-1",
        "A",
    )
    assert row["ngram"] == "orla fills nine buckets with 12 litres of rain each"
    assert pages[4]["url"] not in pq.read_table(corpus / "part-00000.parquet")["url"].to_pylist()


def test_counts_add_up_and_stand_in_the_manifest(corpus):
    counts = json.loads((corpus / "manifest.json").read_text("utf-8"))["counts"]
    assert counts["collected"] == counts["pages"] + counts["removed"]
    assert counts["pages"] == sum(counts["languages"].values())
    assert counts["tokens"] == sum(
        pq.read_table(corpus / "part-00000.parquet")["token_count"].to_pylist()
    )


def test_the_card_has_front_matter_the_hub_reads(corpus):
    _, front, body = (corpus / "README.md").read_text("utf-8").split("---\n", 2)
    values = yaml.safe_load(front)
    assert values["configs"][0]["data_files"] == [{"split": "train", "path": "part-*.parquet"}]
    assert set(values["language"]) == {"en", "zh"}
    assert all(f"`{name}`" in body for name in FINAL.names)
    assert "| exam | 1 | 1 |" in body


@pytest.mark.parametrize(("shards", "more"), [(1, []), (3, []), (4, ["--workers", "2"])])
def test_shards_and_workers_change_no_byte(corpus, pages, tmp_path, shards, more):
    assert digest(build(tmp_path, pages, *more, shards=shards)) == digest(corpus)


def test_the_same_input_twice_is_the_same_corpus(corpus, pages, tmp_path):
    assert digest(build(tmp_path, pages + pages)) == digest(corpus)


def test_parts_are_cut_by_size_and_stay_sorted(pages, tmp_path, monkeypatch):
    monkeypatch.setattr(merge, "ROW_GROUP", 5)
    whole = merge.merge
    monkeypatch.setattr(final, "merge", lambda *arguments: whole(*arguments, part_characters=1000))
    folder = build(tmp_path, pages)
    parts = sorted(folder.glob("part-*.parquet"))
    assert len(parts) > 2
    ids = [doc_id for part in parts for doc_id in pq.read_table(part)["doc_id"].to_pylist()]
    assert ids == sorted(ids) and len(ids) == 19


def _die_after_one_shard(folder: Path, pages: list[dict], resume: Path) -> None:
    import os

    original, done = final.finish_shard, []

    def finish(*arguments):
        if done:
            os.kill(os.getpid(), 9)
        done.append(original(*arguments))
        return done[-1]

    final.finish_shard = finish
    build(folder, pages, "--resume", str(resume))


def test_a_killed_run_goes_on_and_ends_the_same(corpus, pages, tmp_path):
    resume = tmp_path / "resume"
    process = multiprocessing.get_context("fork").Process(
        target=_die_after_one_shard, args=(tmp_path / "run", pages, resume)
    )
    process.start()
    process.join()
    assert process.exitcode == -9
    assert (resume / "00000" / "removed.parquet").exists() and not (
        tmp_path / "run" / "final"
    ).exists()
    folder = tmp_path / "run"
    rounds = sorted(str(path) for path in folder.glob("round_*/collected.parquet"))
    args = final_args(folder, rounds, f"exam={folder / 'exam.jsonl'}")
    final.main([*args, "--resume", str(resume)])
    assert digest(folder / "final") == digest(corpus)
    assert not resume.exists()


def test_rounds_of_another_run_are_refused(pages, tmp_path):
    write_pages(tmp_path / "other", [page(number) for number in range(50)])
    rounds = write_collected(tmp_path / "other", [page(number) for number in range(50)])
    write_pages(tmp_path, pages)
    exam = write_benchmark(tmp_path / "exam.jsonl")
    with pytest.raises(UserError, match="in no page table"):
        final.main(final_args(tmp_path, rounds, str(exam)))
    assert not (tmp_path / "final").exists()


def test_no_page_is_a_corpus_too(tmp_path):
    folder = build(tmp_path, [page(number) for number in (1, 3)])
    assert pq.read_table(folder / "part-00000.parquet").schema.equals(FINAL)


def test_a_page_without_a_date_keeps_its_place():
    import numpy as np

    table = pa.Table.from_pylist([page(2) | {"crawl_date": ""}], schema=PAGES)
    assert final_table(table, np.array([0.5]), np.array([1]))["fetch_time"].to_pylist() == [None]


def test_quality_measures_on_worked_examples():
    assert letter_share("ab 12") == 0.5 and letter_share("") == 0
    assert repeated_line_share("a\nb\n\na\na") == 0.5 and repeated_line_share("") == 0
