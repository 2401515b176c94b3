"""Reading archives: whole, cut, damaged, ARC; every record once, every loss with a reason."""

import gzip
import json
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.archives.sources import archive_files, name_shards, shards
from corpus.archives.warc import read_records
from pipeline.errors import UserError
from tests.support.shared_data import shared_data
from tests.support.warc_records import response, write


def urls(numbers: Iterable[int]) -> list[str]:
    return [f"http://site.example/{number}" for number in numbers]


def test_every_record_comes_once_with_its_place_in_the_file(tmp_path):
    for members in (True, False):
        parts = write(tmp_path / "a.warc.gz", [response(n) for n in range(5)], members)
        data = (tmp_path / "a.warc.gz").read_bytes()
        records = list(read_records(tmp_path / "a.warc.gz"))

        assert [record.url for record in records] == urls(range(5))
        for record, part in zip(records, parts, strict=True):
            assert record.length == len(part)
            assert data[record.offset : record.offset + record.length] == part
            assert record.date.startswith("2024-05-20T04:00:0") and not record.problem


@settings(max_examples=60, deadline=None)
@given(cut=st.integers(1, 2800), members=st.booleans())
def test_a_cut_file_keeps_what_is_whole_and_reports_the_cut(tmp_path_factory, cut, members):
    path = tmp_path_factory.mktemp("cut") / "a.warc.gz"
    parts = write(path, [response(n) for n in range(4)], members)
    path.write_bytes(b"".join(parts)[:cut])
    ends = [sum(map(len, parts[: n + 1])) for n in range(4)]
    whole = [n for n in range(4) if ends[n] <= cut]

    records = list(read_records(path))
    good = [record.url for record in records if not record.problem]
    assert good[: len(whole)] == urls(whole)

    if cut not in ends and cut < ends[-1]:
        lost = [r for r in records if r.problem]
        tail = cut - (ends[len(whole) - 1] if whole else 0)
        # Only the line ends behind a plain record can be missing without a loss.
        assert len(lost) == 1 or (not members and len(records) == len(whole) + 1) or tail <= 4


@settings(max_examples=40, deadline=None)
@given(victim=st.integers(0, 5), at=st.floats(0.2, 0.8), width=st.integers(30, 60))
def test_damage_in_one_member_costs_that_record_only(tmp_path_factory, victim, at, width):
    path = tmp_path_factory.mktemp("damage") / "a.warc.gz"
    parts = write(path, [response(n) for n in range(6)])
    position = sum(map(len, parts[:victim])) + int(at * len(parts[victim]))
    data = bytearray(path.read_bytes())
    data[position : position + width] = bytes(255 - b for b in data[position : position + width])
    path.write_bytes(data)

    records = list(read_records(path))
    good = [record.url for record in records if not record.problem]
    assert good == urls(n for n in range(6) if n != victim)
    assert [r.problem for r in records if r.problem] == ["damaged_record"]
    assert sum(r.length for r in records) == len(data)


def test_zeros_and_empty_members_between_records_are_no_loss(tmp_path):
    parts = [gzip.compress(response(n)) for n in range(2)]
    (tmp_path / "a.warc.gz").write_bytes(parts[0] + gzip.compress(b"") + parts[1] + bytes(512))
    assert [r.problem for r in read_records(tmp_path / "a.warc.gz")] == ["", ""]


def test_files_that_are_no_archives_are_one_loss_and_empty_ones_none(tmp_path):
    (tmp_path / "a.warc.gz").write_bytes(b"<Error>SlowDown</Error>")
    (tmp_path / "b.warc.gz").write_bytes(gzip.compress(b"not an archive"))
    (tmp_path / "c.warc.gz").write_bytes(b"")
    assert [r.problem for r in read_records(tmp_path / "a.warc.gz")] == ["not_a_warc"]
    assert [r.problem for r in read_records(tmp_path / "b.warc.gz")] == ["not_a_warc"]
    assert list(read_records(tmp_path / "c.warc.gz")) == []


def test_dates_with_fractions_of_a_second_are_whole_seconds(tmp_path):
    record = response(1).replace(b"WARC/1.0", b"WARC/1.1")
    record = record.replace(b"04:00:01Z", b"04:00:01.123456Z")
    write(tmp_path / "a.warc.gz", [record])
    assert next(iter(read_records(tmp_path / "a.warc.gz"))).date == "2024-05-20T04:00:01Z"


@pytest.mark.parametrize("packed", [False, True])
def test_arc_records_are_responses(tmp_path, packed):
    block = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>x</p>"
    head = b"filedesc://a.arc 127.0.0.1 20140216050221 text/plain 9\n1 0 Test\n\n"
    line = b"http://a.example/has space?q 127.0.0.1 20140216050222 text/html %d\n" % len(block)
    entry = line + block + b"\n"
    parts = [gzip.compress(part) if packed else part for part in (head, entry, entry)]
    (tmp_path / "a.arc").write_bytes(b"".join(parts))

    info, first, second = read_records(tmp_path / "a.arc")
    assert (info.kind, first.kind, second.kind) == ("warcinfo", "response", "response")
    assert first.url == "http://a.example/has space?q" and first.block == block == second.block
    assert first.date == "2014-02-16T05:02:22Z"


def test_a_missing_file_is_the_users_mistake(tmp_path):
    with pytest.raises(UserError, match=r"nowhere\.warc"):
        list(read_records(tmp_path / "nowhere.warc.gz"))


def test_shards_have_unique_stable_names(tmp_path):
    for name in ("a/x.warc.gz", "b/x.warc.gz", "b/y.arc", "b/notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = shards(str(tmp_path))
    assert list(found) == ["a-x", "b-x", "b-y"]
    assert found == shards([str(tmp_path / "b"), str(tmp_path / "*" / "x.warc.gz")])
    assert list(shards(str(tmp_path), files_per_shard=2)) == ["x", "y"]
    assert archive_files(str(tmp_path / "b" / "notes.txt")) == [str(tmp_path / "b" / "notes.txt")]


def test_sources_that_match_nothing_are_named(tmp_path):
    with pytest.raises(UserError, match=r"sources\.warc = .*none.*allowed"):
        shards([str(tmp_path / "none-*.warc.gz")])


@given(st.sets(st.text("ab./-", min_size=1, max_size=8), min_size=1, max_size=6))
def test_no_two_shards_share_a_name(paths):
    files = sorted(f"dir/{path}.warc.gz" for path in paths)
    try:
        assert len(name_shards(files)) == len(files)
    except UserError as error:
        assert "rename" in str(error)


def test_the_odd_files_give_the_right_counts():
    folder = shared_data("crawl")
    for line in (folder / "odd" / "expected.jsonl").read_text().splitlines():
        expected = json.loads(line)
        records = list(read_records(folder / expected["file"]))
        good = [r for r in records if not r.problem]
        if "content_length" in expected["file"]:
            assert len(good) >= 4 and any(r.problem for r in records)
        else:
            assert len(good) == expected["records_intact"], expected["file"]


def test_the_real_samples_are_read():
    good = {}
    for path in (shared_data("crawl") / "real_samples").iterdir():
        good[path.name] = sum(not record.problem for record in read_records(path))

    assert good["warcio__example.warc.gz"] == 6
    assert good["warcio__example.arc.gz"] == good["warcio__example-space-in-url.arc"] == 2
    assert good["dolma__sample-0000.warc.gz"] == 48
    assert good["whirlwind__whirlwind.warc.gz"] == 4
