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
from tests.support.bad_server import TRICKS, BadServer, bad_server
from tests.support.warc_records import response

ROOT = Path(__file__).resolve().parents[2]
ARCHIVE = b"".join(gzip.compress(response(n), mtime=0) for n in range(12))
CRAWL = "CC-MAIN-2024-10"


def no_pause(_seconds: float) -> None:
    """A `sleep` for tests."""


def fetched(server: BadServer, folder: Path) -> bytes:
    """What `fetch` makes of the server's archive."""
    return download.fetch(f"{server.url}/a.warc.gz", folder, sleep=no_pause).read_bytes()


@settings(max_examples=60, deadline=None)
@given(tricks=st.lists(st.sampled_from(TRICKS), max_size=7), etag=st.booleans())
def test_whatever_the_server_does_the_whole_file_comes_in_the_end(tricks, etag):
    files = {"/a.warc.gz": ARCHIVE}
    with tempfile.TemporaryDirectory() as name, bad_server(files, tricks, etag) as server:
        folder = Path(name)
        assert fetched(server, folder) == ARCHIVE
        assert [path.name for path in folder.iterdir()] == ["a.warc.gz"]


def test_a_cut_connection_is_resumed_where_it_broke_off(tmp_path):
    with bad_server({"/a.warc.gz": ARCHIVE}, ["cut", "cut"]) as server:
        download.fetch(f"{server.url}/a.warc.gz", tmp_path, sleep=no_pause)

    half = len(ARCHIVE) // 2
    three_quarters = half + (len(ARCHIVE) - half) // 2
    ranges = [request.range for request in server.log]
    assert ranges == [None, f"bytes={half}-", f"bytes={three_quarters}-"]


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
        assert fetched(server, tmp_path) == cut


def test_bytes_that_do_not_fit_the_checksum_are_fetched_again(tmp_path):
    damaged = bytearray(ARCHIVE)
    damaged[len(ARCHIVE) // 2 + 5] ^= 255
    (tmp_path / "a.warc.gz.part").write_bytes(damaged[: len(ARCHIVE) * 3 // 4])

    with bad_server({"/a.warc.gz": ARCHIVE}, ["cut"], etag=True) as server:
        assert fetched(server, tmp_path) == ARCHIVE


def test_a_file_that_changed_meanwhile_is_begun_anew(tmp_path):
    new = ARCHIVE + gzip.compress(response(99), mtime=0)
    (tmp_path / "a.warc.gz.part").write_bytes(ARCHIVE[:1000])
    write_json(tmp_path / "a.warc.gz.json", {"etag": '"old"', "total": len(ARCHIVE), "digest": ""})

    with bad_server({"/a.warc.gz": new}, etag=True) as server:
        assert fetched(server, tmp_path) == new


@given(cut=st.integers(0, len(ARCHIVE)))
def test_the_end_of_a_member_is_told_from_a_cut(tmp_path_factory, cut):
    path = tmp_path_factory.mktemp("end") / "a.gz"
    path.write_bytes(ARCHIVE[:cut])

    lengths = [len(gzip.compress(response(n), mtime=0)) for n in range(12)]
    ends = {sum(lengths[:n]) for n in range(13)}
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
        f"/{name}": gzip.compress(response(number, f"Let $x={number}$. "), mtime=0)
        for number, name in enumerate(names)
    }
    listing = "".join(f"{name}\n" for name in names)
    files[f"/crawl-data/{CRAWL}/warc.paths.gz"] = gzip.compress(listing.encode())
    return files


def choose_files(server: BadServer, count: int, out: Path) -> None:
    """Run corpus.commoncrawl."""
    commoncrawl.main(
        [CRAWL, "--files", str(count), "--server", server.url, "--out", str(out)],
    )


def test_the_chosen_files_are_spread_over_the_crawl(tmp_path):
    with bad_server(crawl_files()) as server:
        choose_files(server, 3, tmp_path / "c.txt")
        lines = (tmp_path / "c.txt").read_text().split()
        names = [line.rpartition("/")[2] for line in lines]
        assert names == [f"CC-MAIN-{n:05}.warc.gz" for n in (0, 2, 4)]

        with pytest.raises(UserError, match=r"crawl_files = 7: .* has 6"):
            choose_files(server, 7, tmp_path / "d.txt")
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
    scratch, lists, config = tmp_path / "scratch", tmp_path / "crawls", tmp_path / "config.json"
    write_json(config, {})

    # Count the files on the disk whenever one is extracted.
    counts = []
    whole = extract._extract_files

    def watched(*args):
        counts.append(len(list(scratch.glob("*"))))
        return whole(*args)

    monkeypatch.setattr(extract, "_extract_files", watched)

    with bad_server(crawl_files(), ["503", "cut", "cut"]) as server:
        choose_files(server, 3, lists / f"{CRAWL}.txt")
        options = {
            "config": config,
            "shard": "s",
            "pages": tmp_path / "p.parquet",
            "rejects": tmp_path / "r.parquet",
            "stats": tmp_path / "s.json",
            "crawls": lists,
            "scratch": scratch,
        }
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        extract.main([*words, *(f"commoncrawl:{CRAWL}#{n}" for n in range(3))])

    stats = json.loads((tmp_path / "s.json").read_text())
    assert (stats["records"], stats["kept"]) == (3, 3)
    assert counts == [1, 1, 1] and not scratch.exists()


def test_a_killed_extraction_goes_on_with_the_part_it_has(tmp_path):
    big = gzip.compress(response(1), mtime=0) + gzip.compress(random.Random(2).randbytes(3 << 20))
    scratch = tmp_path / "scratch"
    part = scratch / "a.warc.gz.part"

    with bad_server({"/a.warc.gz": big}, ["cut", *["503"] * 3]) as server:
        url = f"{server.url}/a.warc.gz"
        job = [sys.executable, "-m", "corpus.extract", "--scratch", str(scratch), url]
        killed = subprocess.Popen(
            job, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        while not (len(server.log) == 2 and part.exists()):
            assert killed.poll() is None
        killed.kill()
        killed.wait()

        server.tricks.clear()
        done = subprocess.run(job, cwd=ROOT, capture_output=True, text=True, check=True)
        assert server.log[-1].range == f"bytes={len(big) // 2}-"

    assert json.loads(done.stdout)["url"] == "http://site.example/1"
    assert not scratch.exists()


@pytest.mark.parametrize(
    "server",
    ["nonsense", "ftp://mirror.example", "https://", "http://[::1", "http://a b/", "file:///x"],
)
def test_a_server_that_is_no_address_is_one_line(server, tmp_path):
    with pytest.raises(UserError, match="not an address"):
        commoncrawl.main([CRAWL, "--files", "1", "--server", server, "--out", str(tmp_path / "c")])
    if server.startswith("http"):
        with pytest.raises(UserError, match="not an address"):
            shards(f"{server}/x.warc.gz" if server != "https://" else server)


def test_an_address_with_a_signature_is_a_shard_like_any_other(tmp_path):
    """The query is part of no name, and no message shows it."""
    query = "?sig=top/secret&expires=1"
    with bad_server({f"/a.warc.gz{query}": ARCHIVE}) as server:
        url = f"{server.url}/a.warc.gz{query}"
        (name,) = shards(url)
        assert name == "a"

        config = tmp_path / "config.json"
        write_json(config, {})
        words = ["--config", str(config), "--shard", name, "--scratch", str(tmp_path / "scratch")]
        for file in ("pages", "rejects", "stats"):
            words += [f"--{file}", str(tmp_path / file)]
        extract.main([*words, url])
        assert json.loads((tmp_path / "stats").read_text())["files"] == {
            "a.warc.gz": {"kept": 12, "records": 12}
        }

        with pytest.raises(UserError, match="404") as failure:
            download.fetch(f"{server.url}/b.warc.gz?sig=secret", tmp_path)
        assert "secret" not in str(failure.value)


def test_names_of_shards_tell_addresses_apart_and_are_not_too_long():
    many = [f"https://h.example/download?file={n}" for n in range(3)]
    found = shards(many)
    assert len(found) == 3 and all(name.startswith("h.example-download-") for name in found)
    (long,) = shards(f"https://h.example/{'x' * 240}.warc.gz")
    assert len(long) < 140
    assert download.shown("https://me:pw@h.example/x?sig=1") == "https://h.example/x?…"
