"""Deduplication: what falls to what, and that shards, their order and doubled input change nothing."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from corpus.dedup import main
from corpus.duplicates.clusters import PASSES, Buckets, star_edges
from corpus.tables.pages import PAGES, TableWriter, key64, normalised_text
from corpus.tables.urls import parse_url, url_key
from pipeline.config.corpus import Dedup


def page(url: str, text: str, date: str = "2024-01-01T00:00:00Z", warc: str = "a.warc.gz") -> dict:
    address = parse_url(url)
    return {
        "doc_id": key64(f"{address.canonical} {date} {text}"), "url": url, "url_key": url_key(url),
        "host": address.host, "domain": address.domain, "path": address.path, "crawl_date": date,
        "warc_file": warc, "warc_offset": 0, "warc_length": 1, "mime": "text/html", "charset": "utf-8",
        "language": "en", "language_score": 1.0, "title": "", "text": text, "n_chars": len(text),
        "n_words": len(text.split()), "n_tokens": len(text) // 4 + 1, "n_math": 0, "math_kinds": "{}",
        "fallback": False, "text_key": key64(normalised_text(text)), "extractor_version": "1",
    }  # fmt: skip


def words(start: int, count: int = 120) -> str:
    return " ".join(f"w{start + i * i % 997}x{i}" for i in range(count))


PAGES_OF_TEST = [
    page("https://a.example/old", words(1), "2023-01-01T00:00:00Z"),
    page(
        "http://www.a.example/old/", words(1) + " newer", "2024-06-01T00:00:00Z"
    ),  # the same URL, later
    page("https://b.example/x", words(2)),
    page("https://c.example/x", words(2).upper()),  # the same text
    page("https://d.example/x", words(2) + " and a few more words here"),  # nearly the same, longer
    page("https://e.example/x", words(50_000)),
    page("https://f.example/empty", "..."),
    page("https://g.example/empty", "!!! ???"),  # no words: no near duplicate of the other
]


def run(tmp: Path, shards: list[list[dict]], name: str = "dedup", workers: int = 1) -> Path:
    for number, rows in enumerate(shards):
        with TableWriter(tmp / f"{name}-pages" / f"s{number}.parquet", PAGES) as table:
            for row in rows:
                table.add(row)
    config = tmp / "config.json"
    config.write_text(Dedup().model_dump_json(), encoding="utf-8")
    out = tmp / name
    args = ["--config", str(config), "--pages", str(tmp / f"{name}-pages"), "--out", str(out)]
    main([*args, "--workers", str(workers)])
    return out


def fates(out: Path) -> dict[int, tuple[str, int]]:
    rows = [
        row
        for file in sorted((out / "shards").iterdir())
        for row in pq.read_table(file).to_pylist()
    ]
    return {row["doc_id"]: (row["duplicate"], row["keeper"]) for row in rows}


def test_of_one_url_the_newest_stays_and_of_like_texts_the_longest(tmp_path: Path) -> None:
    out = run(tmp_path, [PAGES_OF_TEST])
    ids = [row["doc_id"] for row in PAGES_OF_TEST]
    found = fates(out)
    assert found[ids[0]] == ("url", ids[1])
    assert {found[ids[2]][0], found[ids[3]][0]} == {"text", "near"}
    assert all(
        found[ids[n]][1] == ids[4] for n in (2, 3, 4)
    )  # the chain ends at the page that stays
    assert all(found[ids[n]] == ("", ids[n]) for n in (1, 4, 5, 6, 7))
    counts = json.loads((out / "manifest.json").read_text())["counts"]
    assert (counts["pages"], counts["kept"], counts["url"], counts["text"], counts["near"]) == (
        8,
        5,
        1,
        1,
        1,
    )
    assert counts["cluster_sizes"] == {"1": 3, "2": 1, "3": 1}


def test_number_and_order_of_shards_change_nothing(tmp_path: Path) -> None:
    one = run(tmp_path, [PAGES_OF_TEST], "one")
    many = run(
        tmp_path, [PAGES_OF_TEST[5:], PAGES_OF_TEST[2:5], [], PAGES_OF_TEST[:2]], "many", workers=2
    )
    assert fates(one) == fates(many)
    assert (one / "kept.parquet").read_bytes() == (many / "kept.parquet").read_bytes()


def test_doubled_input_gives_the_same_pages(tmp_path: Path) -> None:
    one = run(tmp_path, [PAGES_OF_TEST], "one")
    twice = run(
        tmp_path,
        [PAGES_OF_TEST, [row | {"warc_file": "b.warc.gz"} for row in PAGES_OF_TEST]],
        "twice",
    )
    assert (one / "kept.parquet").read_bytes() == (twice / "kept.parquet").read_bytes()
    kept = [
        pq.read_table(file)["kept"].to_pylist() for file in sorted((twice / "shards").iterdir())
    ]
    assert sum(kept[0]) + sum(kept[1]) == 5


def test_two_runs_are_equal_byte_for_byte(tmp_path: Path) -> None:
    shards = [PAGES_OF_TEST[:4], PAGES_OF_TEST[4:]]
    one, two = run(tmp_path, shards, "one"), run(tmp_path, shards, "two")
    for file in sorted(path.relative_to(one) for path in one.rglob("*") if path.is_file()):
        assert (one / file).read_bytes() == (two / file).read_bytes(), file


def test_pages_of_one_template_with_different_contents_stay(tmp_path: Path) -> None:
    template = words(3, 60)
    rows = [
        page(f"https://t.example/{n}", f"{template} {words(n * 10_000, 60)}") for n in range(1, 6)
    ]
    assert json.loads((run(tmp_path, [rows]) / "manifest.json").read_text())["counts"]["kept"] == 5


def test_a_folder_without_pages_is_the_users_mistake(tmp_path: Path) -> None:
    (tmp_path / "dedup-pages").mkdir()
    with pytest.raises(Exception, match="no page tables"):
        run(tmp_path, [])


def test_a_bucket_of_unlike_pages_costs_a_bounded_number_of_passes() -> None:
    import numpy as np

    count = PASSES + 20
    sketches = np.repeat(np.arange(count, dtype=np.uint8)[:, None], 64, axis=1)
    sketches[-1] = sketches[0]  # the last is the first one's double
    one_bucket = Buckets(key=np.zeros(count, dtype=np.uint64), candidate=np.arange(count))
    edges = star_edges(one_bucket, sketches, 0.75)
    assert edges.tolist() == [[0, count - 1]]
