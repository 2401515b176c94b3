"""Deduplication in parts: signatures made beforehand, and crawls added to earlier ones whose texts are gone."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from corpus import dedup, hash_shards
from corpus.tables.pages import PAGES, TableWriter
from pipeline.config.corpus import Dedup
from pipeline.errors import UserError
from tests.corpus.test_dedup import PAGES_OF_TEST, page, words


def write_shards(folder: Path, shards: dict[str, list[dict]]) -> None:
    for name, rows in shards.items():
        with TableWriter(folder / f"{name}.parquet", PAGES) as table:
            for row in rows:
                table.add(row)


def deduplicated(folder: Path, *more: object, **settings) -> Path:
    """The pages of `folder`/pages deduplicated into `folder`/dedup."""
    config = folder / "config.json"
    config.write_text(Dedup(**settings).model_dump_json(), "utf-8")
    arguments = ["--config", config, "--pages", folder / "pages", "--out", folder / "dedup", *more]
    dedup.main(list(map(str, arguments)))
    return folder / "dedup"


def fates(*folders: Path) -> dict[int, tuple[str, int]]:
    files = [file for folder in folders for file in sorted((folder / "shards").iterdir())]
    rows = [row for file in files for row in pq.read_table(file).to_pylist()]
    return {row["doc_id"]: (row["duplicate"], row["keeper"]) for row in rows}


def web(seed: int, count: int = 300) -> list[dict]:
    """Pages with many duplicates of all three kinds; the later ones of any two are older and shorter."""
    draw = np.random.default_rng(seed)
    rows = []
    for number in range(count):
        text = words(int(draw.integers(20)) * 1000, 150)
        # Words are left out of the middle: the less is left, the less alike; ever fewer from page to page.
        cut = int(draw.integers(16))
        text = " ".join(text.split()[: 60 - cut] + text.split()[60:])
        url = f"https://h{int(draw.integers(100))}.example/{int(draw.integers(4))}"
        day = f"20{99 - number // 30:02}-01-{28 - number % 28:02}T00:00:00Z"
        rows.append(page(url, text, day) | {"n_chars": 2000 - number})
    return rows


def test_signatures_made_job_by_job_give_the_same_files(tmp_path: Path) -> None:
    shards = {"s0": PAGES_OF_TEST[:3], "s1": PAGES_OF_TEST[3:6], "s2": PAGES_OF_TEST[6:]}
    for name in ("alone", "spread"):
        write_shards(tmp_path / name / "pages", shards)
    alone = deduplicated(tmp_path / "alone")

    folder = tmp_path / "spread"
    for number, names in enumerate((["s0", "s2"], ["s1"])):
        hash_shards.main(
            ["--config", str(tmp_path / "alone" / "config.json"), "--pages", str(folder / "pages"),
             "--shards", *names, "--out", str(folder / "hashed"), "--done", str(folder / f"{number}.json")]
        )  # fmt: skip
    spread = deduplicated(folder, "--signatures", folder / "hashed")

    files = sorted(file.relative_to(alone) for file in alone.rglob("*") if file.is_file())
    assert len(files) == 3 + 3 + 2
    for file in files:
        assert (alone / file).read_bytes() == (spread / file).read_bytes(), file
    assert json.loads((folder / "0.json").read_text()) == {"shards": ["s0", "s2"], "pages": 5}


def test_finished_signatures_are_taken_and_those_of_changed_pages_are_not(tmp_path: Path) -> None:
    write_shards(tmp_path / "pages", {"s0": PAGES_OF_TEST[:3], "s1": PAGES_OF_TEST[3:]})
    files = [tmp_path / "pages" / "s0.parquet", tmp_path / "pages" / "s1.parquet"]
    out = tmp_path / "hashed"
    assert hash_shards.hash_shards(files, out, Dedup(), workers=1) == len(PAGES_OF_TEST)

    def inodes() -> list[int]:
        return [os.stat(out / file.name).st_ino for file in files]

    first = inodes()
    hash_shards.hash_shards(files, out, Dedup(similarity=0.9), workers=1)
    assert inodes() == first

    write_shards(tmp_path / "pages", {"s1": PAGES_OF_TEST[4:]})
    hash_shards.hash_shards(files, out, Dedup(), workers=1)
    assert inodes()[0] == first[0] and inodes()[1] != first[1]
    assert pq.read_metadata(out / "s1.parquet").num_rows == len(PAGES_OF_TEST[4:])


def test_a_later_crawl_loses_what_both_together_would_lose_without_the_earlier_texts(
    tmp_path: Path,
) -> None:
    rows = web(1)
    together, earlier, later = (tmp_path / name for name in ("together", "earlier", "later"))
    write_shards(together / "pages", {"s": rows})
    write_shards(earlier / "pages", {"e0": rows[:90], "e1": rows[90:160]})
    write_shards(later / "pages", {"l0": rows[160:200], "l1": rows[200:]})

    expected = fates(deduplicated(together))
    kinds = [kind for kind, _ in expected.values()]
    assert min(kinds.count(kind) for kind in ("", "url", "text", "near")) >= 10

    deduplicated(earlier)
    shutil.rmtree(earlier / "pages")
    deduplicated(later, "--earlier", earlier / "dedup")

    # Pages of the earlier crawl are newer and longer, so they stay in both.
    assert fates(earlier / "dedup", later / "dedup") == expected
    counts = json.loads((later / "dedup" / "manifest.json").read_text())["counts"]
    assert counts["pages"] == 140 and counts["earlier_pages"] == 160
    of_earlier = {row["doc_id"] for row in rows[:160]}
    keepers = [keeper for _, keeper in fates(later / "dedup").values()]
    assert counts["of_earlier_pages"] == sum(keeper in of_earlier for keeper in keepers) > 30
    kept = pq.read_table(later / "dedup" / "kept.parquet")["doc_id"].to_pylist()
    assert set(kept) == {row["doc_id"] for row in rows[160:] if expected[row["doc_id"]][0] == ""}


def test_earlier_pages_stay_though_newer_and_longer_ones_come(tmp_path: Path) -> None:
    earlier, later = tmp_path / "earlier", tmp_path / "later"
    old = page("https://a.example/", words(1), "2001-01-01T00:00:00Z")
    new = page("https://a.example/", words(1) + " and more", "2024-01-01T00:00:00Z")
    write_shards(earlier / "pages", {"s": [old]})
    write_shards(later / "pages", {"s": [new]})
    deduplicated(earlier)
    found = fates(deduplicated(later, "--earlier", earlier / "dedup"))
    assert found == {new["doc_id"]: ("url", old["doc_id"])}


def test_earlier_signatures_with_other_settings_are_the_users_mistake(tmp_path: Path) -> None:
    for name in ("earlier", "later"):
        write_shards(tmp_path / name / "pages", {"s": PAGES_OF_TEST})
    earlier = deduplicated(tmp_path / "earlier", bands=8)
    with pytest.raises(UserError, match="other settings cannot be compared"):
        deduplicated(tmp_path / "later", "--earlier", earlier)
    with pytest.raises(UserError, match=r"no bands/\*\.parquet there"):
        deduplicated(tmp_path / "later", "--earlier", tmp_path / "earlier")
