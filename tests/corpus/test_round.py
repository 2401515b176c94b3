"""A round of mining over a small web: what it learns from, what it finds, and what must not change it."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from corpus import read_shards, score_shards
from corpus import round as mining
from corpus.tables.pages import key64
from corpus.tables.shards import Crawl
from corpus.tables.urls import parse_url, url_key
from pipeline.artifacts.write import write_json, write_jsonl
from pipeline.errors import UserError
from tests.support.corpus_tables import page, write_pages

ROOT = Path(__file__).resolve().parents[2]
SAYS = {
    "algebra.example/proofs": "the theorem says that every matrix over a field has a polynomial and a proof by lemma",
    "algebra.example/shop": "order the mug and the shirt in red or blue with free shipping and a voucher for friends",
    "numbers.example/notes": "a proof that the integral of the function is a prime number follows from the theorem",
    "shuxue.example/ti": "证 明 函 数 的 导 数 与 方 程 的 解 三 角 形 面 积 定 理 集 合",
    "news.example/daily": "the minister said on friday that the vote was held in the capital under heavy rain",
    "cars.example/tests": "the engine of the new car is loud but its seats are soft and the boot is large",
    "xinwen.example/ri": "今 天 天 气 很 好 市 长 在 会 上 说 新 的 公 园 开 放 游 客 很 多",
}
MATHEMATICS = ("algebra.example/proofs", "numbers.example/notes", "shuxue.example/ti")
SETTINGS = {
    "dimension": 16,
    "min_count": 1,
    "negatives_per_positive": 3,
    "buckets": 5000,
    "least_updates": 3000,
}


def web(each: int = 24) -> list[dict]:
    """`each` pages under every address, their words shuffled by their number."""
    rows = []
    for number in range(each * len(SAYS)):
        place, text = list(SAYS.items())[number % len(SAYS)]
        words = text.split()
        order = np.random.default_rng(number).permutation(np.repeat(np.arange(len(words)), 3))
        chinese = "\u4e00" <= words[0] <= "\u9fff"
        said = ("" if chinese else " ").join(words[i] for i in order) + f" {number} no{number * 7}."
        said += f" Let $x^2 + {number} y = \\frac{{a}}{{b}}$." if place in MATHEMATICS else ""
        address = parse_url(f"https://{place}/{number}.html")
        rows.append(
            page(number, said)
            | {
                "doc_id": key64(address.canonical), "url": f"https://{place}/{number}.html",
                "url_key": url_key(f"https://{place}/{number}.html"), "host": address.host, "domain": address.host,
                "path": address.path, "language": "zh" if chinese else "en", "n_math": 0, "math_kinds": "{}",
            }
        )  # fmt: skip
    return rows


def round_args(folder: Path, number: int = 1, out: str | None = None, **selection) -> list[str]:
    """The command line of a round over the tables in `folder`; seeds are some proofs of one host."""
    chosen = {"budget_tokens": "auto", "domain_pages": 5, "prefix_pages": 5, **selection}
    proofs = [{"url": row["url"]} for row in web() if "algebra.example/proofs" in row["url"]]
    write_json(folder / "classifier.json", SETTINGS)
    write_json(folder / "selection.json", chosen)
    write_jsonl(folder / "seeds.jsonl", proofs[:12])

    args = ["--number", str(number), "--out", str(folder / (out or f"round_{number}"))]
    args += ["--classifier", str(folder / "classifier.json")]
    args += ["--selection", str(folder / "selection.json")]
    args += ["--seeds", str(folder / "seeds.jsonl")]
    args += ["--pages", str(folder / "pages"), "--dedup", str(folder / "dedup")]
    if number > 1:
        args += ["--previous", str(folder / f"round_{number - 1}")]
    return args


def mine(folder: Path, pages: list[dict], shards: int = 2, rounds: int = 3) -> Path:
    write_pages(folder, pages, shards)
    for number in range(1, rounds + 1):
        mining.main(round_args(folder, number))
    return folder


def digests(folder: Path) -> dict[str, str]:
    """What a round found and the model it found it with; not how its scores are laid out in shards."""
    names = ("classifier.bin", "collected.parquet", "domains.parquet", "url_prefixes.yaml")
    return {
        f"{part.name}/{name}": hashlib.sha256((part / name).read_bytes()).hexdigest()
        for part in sorted(folder.glob("round_*"))
        for name in names
    }


@pytest.fixture(scope="module")
def mined(tmp_path_factory) -> Path:
    return mine(tmp_path_factory.mktemp("mined"), web())


def collected_places(folder: Path) -> dict[str, int]:
    found = dict.fromkeys(SAYS, 0)
    for url in pq.read_table(folder / "collected.parquet")["url"].to_pylist():
        found[url.removeprefix("https://").rpartition("/")[0]] += 1
    return found


def test_three_rounds_find_the_mathematics_of_other_hosts_and_languages(mined):
    found = collected_places(mined / "round_3")
    assert min(found[place] for place in MATHEMATICS) >= 20
    assert max(count for place, count in found.items() if place not in MATHEMATICS) <= 2
    counts = [
        json.loads((mined / f"round_{n}/manifest.json").read_text())["counts"] for n in (1, 2)
    ]
    assert counts[0]["positives"] + counts[0]["held_out_positives"] == 12 < counts[1]["positives"]


def test_prefixes_are_accepted_and_rejected_inside_one_domain(mined):
    rows = yaml.safe_load((mined / "round_3/url_prefixes.yaml").read_text("utf-8"))["prefixes"]
    decisions = {row["prefix"]: row["decision"] for row in rows}
    assert decisions["algebra.example/shop/"] == "reject"
    assert decisions["numbers.example/"] == decisions["shuxue.example/"] == "accept"
    assert all(len(row["samples"]) <= 3 for row in rows)


def test_negatives_are_neither_seeds_nor_pages_of_mathematical_domains(mined, tmp_path):
    given = mining.Given.read(mining.parse_args(round_args(mined, 3)))
    (tmp_path / "round").mkdir()
    step = mining.Round(given, tmp_path / "round")
    seeds = mining.seed_ids(given.seeds, given.crawl)
    chosen = step.draw_examples(seeds, step.earlier_decisions())

    urls = {row["doc_id"]: row["url"] for row in web()}
    negatives = [
        urls[i] for i in np.concatenate([chosen.negatives, chosen.held_negatives]).tolist()
    ]
    # Of a mathematical domain only what lies under a rejected prefix may be a negative.
    assert not any("/proofs/" in url or "/notes/" in url or "/ti/" in url for url in negatives)
    assert any("/shop/" in url for url in negatives)
    positives = [
        urls[i] for i in np.concatenate([chosen.positives, chosen.held_positives]).tolist()
    ]
    assert any("/notes/" in url for url in positives) and not any(
        "/shop/" in url for url in positives
    )


@pytest.mark.parametrize("shards", [1, 3])
def test_runs_and_shards_change_no_byte(mined, tmp_path, shards):
    assert digests(mine(tmp_path, web(), shards)) == digests(mined)


def test_the_same_pages_twice_are_the_same_corpus(mined, tmp_path):
    assert digests(mine(tmp_path, web() + web())) == digests(mined)


def test_a_person_s_annotation_wins_over_the_automatic_one(mined, tmp_path):
    person = {
        "version": 1,
        "prefixes": [{"prefix": "numbers.example/", "decision": "reject"}],
        "others": "reject",
    }
    (tmp_path / "person.yaml").write_text(json.dumps(person))
    mining.main(
        [*round_args(mined, 1, out="by_person"), "--annotations", str(tmp_path / "person.yaml")]
    )
    rows = yaml.safe_load((mined / "by_person/url_prefixes.yaml").read_text("utf-8"))["prefixes"]
    assert [(row["prefix"], row["decision"], row["by"]) for row in rows] == [
        ("numbers.example/", "reject", "person")
    ]


FINISHED = ("classifier.bin", "scores/00000.parquet")


def test_a_killed_round_goes_on_from_finished_shards_and_ends_the_same(mined):
    command = [sys.executable, "-m", "corpus.round", *round_args(mined, 2, out="again")]
    command += ["--resume", str(mined / "resume")]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    job = subprocess.Popen(
        command, cwd=ROOT, env=environment, start_new_session=True, stdout=subprocess.DEVNULL
    )
    while not list(mined.glob("resume/scores/00000.parquet")):
        assert job.poll() is None
        time.sleep(0.01)
    os.killpg(job.pid, signal.SIGKILL)
    job.wait()
    assert not (mined / "again").exists()
    # Neither the classifier nor the shard that was scored is made again.
    first = [(mined / "resume" / name).stat() for name in FINISHED]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
    again = [(mined / "again" / name).stat() for name in FINISHED]
    assert [found.st_ino for found in again] == [found.st_ino for found in first]
    assert not (mined / "resume").exists()
    for file in ("classifier.bin", "collected.parquet", "url_prefixes.yaml", "manifest.json"):
        assert (mined / "again" / file).read_bytes() == (mined / "round_2" / file).read_bytes()


def spread_round(folder: Path, out: str) -> Path:
    """Round 2 of the mined web with its passes done by jobs of their own, a shard each; their folder."""
    passes = folder / f"{out}.passes"
    arguments = [*round_args(folder, 2, out=out), "--passes", str(passes)]
    tables = ["--pages", str(folder / "pages"), "--dedup", str(folder / "dedup")]
    shards = sorted(file.stem for file in (folder / "pages").iterdir())

    def run_pass(command, place: Path, *more: str) -> None:
        for shard in shards:
            done = place / f"{shard}.json"
            command([*tables, "--shards", shard, "--out", str(place), "--done", str(done), *more])

    for until in ("learn", "score", "judge"):
        mining.main([*arguments, "--until", until])
        assert not (folder / out).exists()
        if until == "score":
            model = ["--model", str(passes / "classifier.bin")]
            config = ["--config", str(folder / "classifier.json")]
            run_pass(score_shards.main, passes / "scores", *model, *config)
        else:
            asked = passes / until / "asked.parquet"
            run_pass(read_shards.main, passes / until, "--asked", str(asked))
    mining.main(arguments)
    return passes


def test_a_round_in_many_jobs_ends_with_the_same_bytes(mined):
    passes = spread_round(mined, "spread")
    files = sorted((mined / "round_2").rglob("*"))
    for file in [file.relative_to(mined / "round_2") for file in files if file.is_file()]:
        assert (mined / "spread" / file).read_bytes() == (mined / "round_2" / file).read_bytes()

    # Few texts were read besides those of the scores.
    learnt = sum(pq.read_metadata(file).num_rows for file in passes.glob("learn/0*.parquet"))
    counts = json.loads((mined / "spread" / "manifest.json").read_text())["counts"]
    drawn = sum(value for name, value in counts.items() if name.endswith("tives"))
    assert learnt == drawn - counts["new_positives"]


def test_jobs_take_what_is_finished_and_a_changed_request_is_made_anew(mined, tmp_path):
    crawl = Crawl.open(mined / "pages", mined / "dedup")
    ids = pq.read_table(mined / "dedup" / "kept.parquet")["doc_id"].to_pylist()
    asked, out = tmp_path / "asked.parquet", tmp_path / "texts"

    def read(doc_ids: list[int]) -> list[int]:
        pq.write_table(pa.table({"doc_id": pa.array(doc_ids, pa.uint64())}), asked)
        read_shards.read_shards(crawl, asked, out, workers=1)
        files = sorted(out.iterdir())
        assert sorted(i for f in files for i in pq.read_table(f)["doc_id"].to_pylist()) == doc_ids
        return [file.stat().st_mtime_ns for file in files]

    first = read(ids[:5])
    assert read(ids[:5]) == first
    read(ids[3:9])
    read([])


def test_seeds_that_are_nowhere_are_the_user_s_mistake(mined, tmp_path):
    args = round_args(mined, 1, out="nowhere")
    write_jsonl(tmp_path / "other.jsonl", [{"url": "https://elsewhere.example/"}])
    args[args.index("--seeds") + 1] = str(tmp_path / "other.jsonl")
    with pytest.raises(UserError, match="none of its URLs"):
        mining.main(args)
    with pytest.raises(UserError, match="--previous"):
        mining.main(round_args(mined, 2)[:-2])


def test_without_a_vocabulary_the_annotator_goes_by_the_scores(mined):
    mining.main(round_args(mined, 1, out="any_subject", vocabulary=None))
    file = mined / "any_subject/url_prefixes.yaml"
    rows = yaml.safe_load(file.read_text("utf-8"))["prefixes"]
    decisions = {row["prefix"]: row["decision"] for row in rows}
    assert decisions["algebra.example/proofs/"] == "accept"
    assert decisions["algebra.example/shop/"] == "reject"
