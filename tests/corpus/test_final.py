"""The final corpus: its columns, order, removal log, card, and what must not change it."""

import json
import multiprocessing
import re
from pathlib import Path

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from corpus import clean_shards, final, report
from corpus.tables import merge
from corpus.tables.dataset_card import REPOSITORY
from corpus.tables.final import (
    DESCRIPTIONS,
    FINAL,
    final_table,
    letter_share,
    repeated_line_share,
)
from corpus.tables.pages import PAGES
from pipeline.artifacts.write import write_json, write_jsonl
from pipeline.errors import UserError
from tests.support.corpus_tables import (
    QUESTION,
    page,
    write_benchmark,
    write_collected,
    write_pages,
    write_rounds,
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
    assert "| exam | 1 | 1 | 1 | 0 | 0 | 1 |" in body


def test_kept_pages_with_the_numbers_of_a_question_are_listed(tmp_path):
    rows = [page(number) for number in range(40)]
    rows[6] = page(
        6, "Ein Bäcker backt 48 Brote zu 12 Euro, 125 Laibe für 30 und hat dann 260 davon."
    )
    write_pages(tmp_path, rows)
    rounds = write_collected(tmp_path, rows)
    question = "A baker has 48 rolls at 12 dollars and 125 loaves at 30 each. Does he have 260?"
    write_jsonl(tmp_path / "exam.jsonl", [{"id": "b", "question": question}])
    listed = tmp_path / "candidates.jsonl"
    final.main(
        [*final_args(tmp_path, rounds, str(tmp_path / "exam.jsonl")), "--candidates", str(listed)]
    )
    (row,) = [json.loads(line) for line in listed.read_text("utf-8").splitlines()]
    assert (row["url"], row["item"], row["numbers"]) == (rows[6]["url"], "b", "48 12 125 30 260")
    assert row["question"] == question and row["page"].startswith("48 brote")
    assert "listed for a person to read: 1 pages" in (tmp_path / "final/README.md").read_text(
        "utf-8"
    )


def code_blocks(card: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", card, re.DOTALL)


def test_the_card_s_local_snippet_runs_as_written(corpus, tmp_path, monkeypatch):
    hub, local = code_blocks((corpus / "README.md").read_text("utf-8"))
    monkeypatch.chdir(corpus)
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path))
    names: dict = {}
    exec(local, names)
    assert len(names["corpus"]) == 19

    # The Hub reads the card of the repository as the library reads that of a folder.
    exec(hub.replace(REPOSITORY, str(corpus)), names)
    assert sum(1 for _ in names["corpus"]) == 19


def test_two_corpora_of_one_name_and_size_are_two_data_sets(corpus, pages, tmp_path):
    """Same folder name, same number of rows, same cache: each gets its own rows."""
    changed = [row | {"text": row["text"].replace("w1", "v1")} for row in pages]
    other = build(tmp_path / "other", changed)
    cache = str(tmp_path / "cache")
    texts = []
    for folder in (corpus, other, corpus):
        loaded = datasets.load_dataset(str(folder), split="train", cache_dir=cache)
        texts.append(loaded["text"][:])
        assert texts[-1] == pq.read_table(folder / "part-00000.parquet")["text"].to_pylist()
    assert len(texts[0]) == len(texts[1]) and texts[0] != texts[1]


def front_matter(folder: Path) -> dict:
    return yaml.safe_load((folder / "README.md").read_text("utf-8").split("---\n", 2)[1])


def test_what_a_card_calls_the_corpus_follows_from_its_pages(corpus, pages, tmp_path):
    of_common_crawl = front_matter(corpus)
    assert "common-crawl" in of_common_crawl["tags"]
    assert of_common_crawl["license_link"].startswith("https://commoncrawl.org/")

    own = build(tmp_path / "own", [row | {"warc_file": "mine-00000.warc.gz"} for row in pages])
    world = build(tmp_path / "world", pages, "--built-in-world")
    for folder, licence in ((own, "other"), (world, "apache-2.0")):
        assert "common-crawl" not in front_matter(folder)["tags"]
        assert front_matter(folder)["license"] == licence
        text = (folder / "README.md").read_text("utf-8")
        assert "common crawl" not in text.lower()
        assert all(f"## {title}" in text for title in ("Use", "Provenance", "Citation", "Limits"))
    assert "made up" in (world / "README.md").read_text("utf-8")
    assert "opt-out" in (own / "README.md").read_text("utf-8")


def test_the_card_counts_removed_pages_as_the_report_does(tmp_path):
    """A page that holds items of two benchmarks counts for both, in the card as in the report."""
    rows = [page(number) for number in range(40)]
    second = (
        "Farmer Giles keeps 31 geese in four meadows and sells them at 12 pounds apiece on Monday"
    )
    for number in (4, 6):
        rows[number] = page(number, f"{rows[number]['text']} {QUESTION} {second}")
    write_pages(tmp_path / "corpus", rows)
    rounds = write_rounds(tmp_path / "corpus", rows)
    exam = write_benchmark(tmp_path / "exam.jsonl")
    write_jsonl(
        tmp_path / "quiz.jsonl", [{"id": 7, "question": second}, {"question": "none of it " * 9}]
    )
    args = final_args(tmp_path / "corpus", rounds, f"exam={exam}")
    args.insert(args.index("--removed"), f"quiz={tmp_path / 'quiz.jsonl'}")
    final.main(args)

    counted = report.numbers(tmp_path)["contamination"]["benchmarks"]
    assert [(row["benchmark"], row["items"], row["found"], row["pages"]) for row in counted] == [
        ("exam", 1, 1, 2),
        ("quiz", 2, 1, 2),
    ]
    card = (tmp_path / "corpus" / "final" / "README.md").read_text("utf-8")
    for row in counted:
        line = (
            f"| {row['benchmark']} | {row['items']} | {row['found']} | {row['rules']['A']} | 0 | 0 "
        )
        assert f"{line}| {row['pages']} |" in card


@pytest.mark.parametrize(("shards", "more"), [(1, []), (3, []), (4, ["--workers", "2"])])
def test_shards_and_workers_change_no_byte(corpus, pages, tmp_path, shards, more):
    assert digest(build(tmp_path, pages, *more, shards=shards)) == digest(corpus)


def test_the_same_input_twice_is_the_same_corpus(corpus, pages, tmp_path):
    twice, once = digest(build(tmp_path, pages + pages)), digest(corpus)
    # The card tells how many duplicates there were.
    assert b"\n41 extracted pages" in once.pop("README.md")
    assert b"\n82 extracted pages" in twice.pop("README.md")
    assert twice == once


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

    original, done = clean_shards.finish_shard, []

    def finish(*arguments):
        if done:
            os.kill(os.getpid(), 9)
        done.append(original(*arguments))
        return done[-1]

    clean_shards.finish_shard = finish
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


def test_shards_that_other_jobs_have_cleaned_end_the_same(corpus, pages, tmp_path):
    write_pages(tmp_path, pages)
    rounds = write_collected(tmp_path, pages)
    exam = write_benchmark(tmp_path / "exam.jsonl")
    args = final_args(tmp_path, rounds, f"exam={exam}")
    with pytest.raises(UserError, match=r"run corpus\.clean_shards"):
        final.main([*args, "--cleaned", str(tmp_path / "cleaned")])

    write_json(tmp_path / "config.json", {})
    for shard in ("00001", "00000"):
        clean_shards.main(
            ["--config", str(tmp_path / "config.json"), "--pages", str(tmp_path / "pages"),
             "--dedup", str(tmp_path / "dedup"), "--rounds", *rounds, "--benchmarks", f"exam={exam}",
             "--shards", shard, "--out", str(tmp_path / "cleaned"), "--done", str(tmp_path / shard)]
        )  # fmt: skip
    final.main([*args, "--cleaned", str(tmp_path / "cleaned")])
    assert digest(tmp_path / "final") == digest(corpus)
    done = [json.loads((tmp_path / shard).read_text()) for shard in ("00000", "00001")]
    assert [part["shards"] for part in done] == [["00000"], ["00001"]]
    assert sum(part["kept"] for part in done) == 19 and sum(part["removed"] for part in done) == 1

    # What was cleaned for other rounds is not taken.
    with pytest.raises(UserError, match="of other rounds, benchmarks or settings"):
        fewer = final_args(tmp_path, rounds[:2], f"exam={exam}")
        final.main([*fewer, "--cleaned", str(tmp_path / "cleaned")])


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
