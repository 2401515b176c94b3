"""Fetching from Common Crawl or whoever stands in for it: whole files from bad servers, or one clear error."""

import gzip
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus import commoncrawl, extract
from corpus.archives import download
from corpus.archives.sources import address, crawls, on_disk, shards
from pipeline.artifacts.write import write_json
from pipeline.errors import UserError
from tests.support.bad_server import TRICKS, bad_server
from tests.support.warc_records import response

ROOT = Path(__file__).resolve().parents[2]
ARCHIVE = b"".join(gzip.compress(response(n), mtime=0) for n in range(12))
CRAWL = "CC-MAIN-2024-10"


def no_pause(_seconds):
    pass


@settings(max_examples=60, deadline=None)
@given(tricks=st.lists(st.sampled_from(TRICKS), max_size=7), etag=st.booleans())
def test_whatever_the_server_does_the_whole_file_comes_in_the_end(tricks, etag):
    with (
        tempfile.TemporaryDirectory() as folder,
        bad_server({"/a.warc.gz": ARCHIVE}, tricks, etag) as server,
    ):
        path = download.fetch(f"{server.url}/a.warc.gz", Path(folder), sleep=no_pause)
        assert path.read_bytes() == ARCHIVE
        assert [p.name for p in Path(folder).iterdir()] == ["a.warc.gz"]


def test_a_cut_connection_is_resumed_where_it_broke_off(tmp_path):
    with bad_server({"/a.warc.gz": ARCHIVE}, ["cut", "cut"]) as server:
        download.fetch(f"{server.url}/a.warc.gz", tmp_path, sleep=no_pause)
    half = len(ARCHIVE) // 2
    assert [asked for _, asked, _ in server.log] == [
        None, f"bytes={half}-", f"bytes={half + (len(ARCHIVE) - half) // 2}-"
    ]  # fmt: skip


def test_pauses_grow_and_a_server_s_own_wish_is_granted(tmp_path):
    pauses = []
    with bad_server({"/a.warc.gz": ARCHIVE}, ["503"] * 5) as server:
        download.fetch(f"{server.url}/a.warc.gz", tmp_path, sleep=pauses.append)
    assert pauses == [7, 7, 7, 8, 16]


def test_a_server_that_never_gives_anything_is_one_clear_error(tmp_path):
    with bad_server({"/a.warc.gz": ARCHIVE}, ["503"] * 50) as server:
        with pytest.raises(UserError, match=r"/a\.warc\.gz: 503 .* \(10 attempts\)"):
            download.fetch(f"{server.url}/a.warc.gz", tmp_path, sleep=no_pause)
        assert len(server.log) == 10
        with pytest.raises(UserError, match="404"):
            download.fetch(f"{server.url}/b.warc.gz", tmp_path, sleep=no_pause)
    with pytest.raises(UserError, match="refused"):
        download.fetch(f"{server.url}/a.warc.gz", tmp_path, sleep=no_pause)


def test_an_archive_that_is_truncated_at_its_source_is_taken_as_it_is(tmp_path):
    cut = ARCHIVE[: len(ARCHIVE) * 2 // 3]
    with bad_server({"/a.warc.gz": cut}) as server:
        assert (
            download.fetch(f"{server.url}/a.warc.gz", tmp_path, sleep=no_pause).read_bytes() == cut
        )


def test_bytes_that_do_not_fit_the_checksum_are_fetched_again(tmp_path):
    damaged = bytearray(ARCHIVE)
    damaged[len(ARCHIVE) // 2 + 5] ^= 255
    with bad_server({"/a.warc.gz": ARCHIVE}, ["cut"], etag=True) as server:
        part = tmp_path / "a.warc.gz.part"
        part.write_bytes(damaged[: len(ARCHIVE) * 3 // 4])
        assert (
            download.fetch(f"{server.url}/a.warc.gz", tmp_path, sleep=no_pause).read_bytes()
            == ARCHIVE
        )


def test_a_file_that_changed_meanwhile_is_begun_anew(tmp_path):
    new = ARCHIVE + gzip.compress(response(99), mtime=0)
    (tmp_path / "a.warc.gz.part").write_bytes(ARCHIVE[:1000])
    write_json(tmp_path / "a.warc.gz.json", {"etag": '"old"', "total": len(ARCHIVE), "digest": ""})
    with bad_server({"/a.warc.gz": new}, etag=True) as server:
        assert (
            download.fetch(f"{server.url}/a.warc.gz", tmp_path, sleep=no_pause).read_bytes() == new
        )


@given(cut=st.integers(0, len(ARCHIVE)))
def test_the_end_of_a_member_is_told_from_a_cut(tmp_path_factory, cut):
    path = tmp_path_factory.mktemp("end") / "a.gz"
    path.write_bytes(ARCHIVE[:cut])
    ends = {0} | {
        len(b"".join(gzip.compress(response(n), mtime=0) for n in range(k))) for k in range(13)
    }
    assert download.ends_whole(path) == (cut in ends)


def test_a_long_last_member_is_recognised(tmp_path):
    noise = random.Random(1).randbytes(300_000)
    whole = gzip.compress(noise)
    for cut in (0, 1, 100_000):
        (tmp_path / "a.gz").write_bytes(whole[: len(whole) - cut])
        assert download.ends_whole(tmp_path / "a.gz") == (cut == 0)


def crawl_files(count: int = 6) -> dict[str, bytes]:
    """A small crawl as Common Crawl lays it out."""
    names = [f"crawl-data/{CRAWL}/segments/{n}/warc/CC-MAIN-{n:05}.warc.gz" for n in range(count)]
    files = {
        f"/{name}": gzip.compress(response(n, f"Let $x={n}$. "), mtime=0)
        for n, name in enumerate(names)
    }
    return files | {
        f"/crawl-data/{CRAWL}/warc.paths.gz": gzip.compress(
            "".join(f"{n}\n" for n in names).encode()
        )
    }


def test_the_chosen_files_are_spread_over_the_crawl(tmp_path):
    with bad_server(crawl_files()) as server:
        commoncrawl.main(
            [CRAWL, "--files", "3", "--server", server.url, "--out", str(tmp_path / "c.txt")]
        )
        lines = (tmp_path / "c.txt").read_text().split()
        assert [line.rpartition("/")[2] for line in lines] == [
            f"CC-MAIN-{n:05}.warc.gz" for n in (0, 2, 4)
        ]
        with pytest.raises(UserError, match=r"crawl_files = 7: .* has 6"):
            commoncrawl.main(
                [CRAWL, "--files", "7", "--server", server.url, "--out", str(tmp_path / "d.txt")]
            )
        with pytest.raises(UserError, match="404"):
            commoncrawl.crawl_files("CC-MAIN-1999-01", server.url)
    with pytest.raises(UserError, match="no crawl id"):
        commoncrawl.crawl_files("../secrets", server.url)


def test_shards_of_a_crawl_are_named_without_the_network():
    found = shards(
        [f"commoncrawl:{CRAWL}", "https://mirror.example/x.warc.gz"],
        files_per_shard=2,
        crawl_files=3,
    )
    assert list(found) == [f"{CRAWL}_00000", f"{CRAWL}_00002"]
    files = [file for group in found.values() for file in group]
    assert crawls(files) == [CRAWL] and on_disk(files) == []
    with pytest.raises(UserError, match="no crawl id"):
        shards("commoncrawl:")
    with pytest.raises(UserError, match=r"run corpus\.commoncrawl first"):
        address(files[0], "/nowhere")


def test_extraction_fetches_one_file_at_a_time_and_leaves_none(tmp_path, monkeypatch):
    monkeypatch.setattr(download.time, "sleep", no_pause)
    monkeypatch.setattr(download.fetch, "__defaults__", (60.0, no_pause))
    write_json(tmp_path / "config.json", {})
    most = []

    def watched(*arguments):
        most.append(len(list((tmp_path / "scratch").glob("*"))))
        return whole(*arguments)

    whole = extract._extract_files
    monkeypatch.setattr(extract, "_extract_files", watched)
    with bad_server(crawl_files(), ["503", "cut", "cut"]) as server:
        lists = tmp_path / "crawls"
        commoncrawl.main(
            [CRAWL, "--files", "3", "--server", server.url, "--out", str(lists / f"{CRAWL}.txt")]
        )
        extract.main(
            [
                *(
                    "--config",
                    str(tmp_path / "config.json"),
                    "--shard",
                    "s",
                    "--pages",
                    str(tmp_path / "p.parquet"),
                ),
                *("--rejects", str(tmp_path / "r.parquet"), "--stats", str(tmp_path / "s.json")),
                *("--crawls", str(lists), "--scratch", str(tmp_path / "scratch")),
                *(f"commoncrawl:{CRAWL}#{n}" for n in range(3)),
            ]
        )
    stats = json.loads((tmp_path / "s.json").read_text())
    assert (stats["records"], stats["kept"]) == (3, 3)
    assert most == [1, 1, 1] and not (tmp_path / "scratch").exists()


def test_a_killed_extraction_goes_on_with_the_part_it_has(tmp_path):
    big = gzip.compress(response(1), mtime=0) + gzip.compress(random.Random(2).randbytes(3 << 20))
    scratch = tmp_path / "scratch"
    job = [sys.executable, "-m", "corpus.extract", "--scratch", str(scratch)]
    with bad_server({"/a.warc.gz": big}, ["cut", *["503"] * 3]) as server:
        killed = subprocess.Popen(
            [*job, f"{server.url}/a.warc.gz"],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        part = scratch / "a.warc.gz.part"
        while not (len(server.log) == 2 and part.exists()):
            assert killed.poll() is None
        killed.kill()
        killed.wait()
        server.tricks.clear()
        done = subprocess.run(
            [*job, f"{server.url}/a.warc.gz"], cwd=ROOT, capture_output=True, text=True, check=True
        )
        assert server.log[-1][1] == f"bytes={len(big) // 2}-"
    assert json.loads(done.stdout)["url"] == "http://site.example/1"
    assert not scratch.exists()
