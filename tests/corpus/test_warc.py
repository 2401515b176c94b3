"""Reading archives: whole, cut, damaged, ARC; every record once, every loss with a reason."""

import gzip
import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.archives.dates import iso_date
from corpus.archives.http_payload import media_types
from corpus.archives.sources import archive_files, name_shards, shards
from corpus.archives.warc import read_records
from corpus.html.page import page_of_record
from pipeline.config.corpus import Extraction
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


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2024", "2024-01-01T00:00:00Z"),
        ("2024-05", "2024-05-01T00:00:00Z"),
        ("2024-05-20", "2024-05-20T00:00:00Z"),
        ("2024-05-20T04:31Z", "2024-05-20T04:31:00Z"),
        ("2024-05-20T04:31:07Z", "2024-05-20T04:31:07Z"),
        ("2024-05-20T04:31:07.123456789Z", "2024-05-20T04:31:07Z"),
        ("2024-05-20T01:31:07+02:00", "2024-05-19T23:31:07Z"),
        ("2024-12-31T23:31-01:30", "2025-01-01T01:01:00Z"),
        ("20240520043107", "2024-05-20T04:31:07Z"),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z"),
        ("2024-13-01", ""),
        ("2024-02-30T00:00:00Z", ""),
        ("20. Mai 2024", ""),
        ("0001-01-01T00:00:00+23:00", ""),
    ],
)
def test_dates_of_every_legal_precision(written, meant):
    assert iso_date(written) == meant
    assert iso_date(f" {written} ") == meant


@given(st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2100, 1, 1)))
def test_a_date_is_the_same_moment_however_it_is_written(moment):
    moment = moment.replace(microsecond=0, tzinfo=UTC)
    expected = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert iso_date(expected) == iso_date(moment.strftime("%Y%m%d%H%M%S")) == expected
    for hours in (-11, -3, 5.5, 13):
        abroad = moment.astimezone(timezone(timedelta(hours=hours)))
        assert iso_date(abroad.isoformat()) == expected


# ---- A record is kept or has a reason

WRONG_LENGTHS = ("-5", "abc", "", "1e3", "99999999999999999999999", "1000000000", "12 34", "0x20")


@pytest.mark.parametrize("form", ["plain", "members", "one member"])
@pytest.mark.parametrize("wrong", WRONG_LENGTHS)
def test_a_wrong_content_length_costs_that_record_only(tmp_path, form, wrong):
    records = [response(n) for n in range(6)]
    for victim in (0, 3, 5):
        damaged = list(records)
        damaged[victim] = re.sub(
            rb"Content-Length: \d+", f"Content-Length: {wrong}".encode(), records[victim]
        )
        if form == "one member":
            (tmp_path / "a.warc.gz").write_bytes(gzip.compress(b"".join(damaged)))
        else:
            write(tmp_path / "a.warc.gz", damaged, form == "members")

        found = list(read_records(tmp_path / "a.warc.gz"))
        assert len(found) == len(records)
        assert [r.url for r in found if not r.problem] == urls(n for n in range(6) if n != victim)


@settings(max_examples=150, deadline=None)
@given(data=st.data(), form=st.sampled_from(["plain", "members", "one member", "arc"]))
def test_of_a_mutated_archive_every_byte_is_accounted_for(tmp_path_factory, data, form):
    """Changed, inserted and deleted stretches: reading ends, and each record is kept or has a reason."""
    path = tmp_path_factory.mktemp("mutated") / ("a.arc" if form == "arc" else "a.warc.gz")
    if form == "arc":
        parts = [ARC_HEAD, *(arc_entry(n) for n in range(5))]
        path.write_bytes(b"".join(parts))
    elif form == "one member":
        parts = [response(n) for n in range(5)]
    else:
        parts = write(path, [response(n) for n in range(5)], form == "members")

    whole = bytearray(b"".join(parts))
    victim = data.draw(st.integers(1, len(parts) - 1))
    begin = sum(map(len, parts[:victim])) + data.draw(st.integers(0, len(parts[victim]) - 1))
    end = min(begin + data.draw(st.integers(0, 80)), sum(map(len, parts[: victim + 1])))
    whole[begin:end] = data.draw(st.binary(max_size=80))
    path.write_bytes(gzip.compress(bytes(whole)) if form == "one member" else bytes(whole))

    records = list(read_records(path))
    good = {record.url for record in records if not record.problem}
    # Its neighbours may have lost the line ends that part them.
    untouched = [n for n in range(len(parts)) if abs(n - victim) > 1]
    expected = {url_of(form, n) for n in untouched} - {""}
    assert expected <= good

    # Of an uncompressed file the spans follow one another, and between them is padding only.
    if form in ("plain", "arc"):
        position = 0
        for record in records:
            assert record.offset >= position
            assert not bytes(whole[position : record.offset]).strip(PADDING)
            position = record.offset + record.length
        assert not bytes(whole[position:]).strip(PADDING)
    else:
        assert len(records) >= len(parts)


PADDING = b"\r\n\x00 \t"
ARC_HEAD = b"filedesc://a.arc 127.0.0.1 20140216050221 text/plain 9\n1 0 Test\n\n"


def arc_entry(number: int, version: int = 1) -> bytes:
    block = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>Page {number}</p>".encode()
    more = " 200 fac069150613fe55599cc7fa88aa089d - 209 a.arc" if version == 2 else ""
    head = (
        f"http://a.example/{number} 127.0.0.1 2014021605022{number} text/html{more} {len(block)}\n"
    )
    return head.encode() + block + b"\n"


def url_of(form: str, part: int) -> str:
    """The address of the record in a part of the file; "" for ARC's first, which describes the file."""
    if form != "arc":
        return f"http://site.example/{part}"
    return f"http://a.example/{part - 1}" if part else ""


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("version", [1, 2])
def test_both_versions_of_arc_are_read_whole(tmp_path, packed, version):
    head = ARC_HEAD.replace(b"1 0 Test", f"{version} 0 Test".encode())
    parts = [head, *(arc_entry(number, version) for number in range(4))]
    (tmp_path / "a.arc").write_bytes(
        b"".join(gzip.compress(part) if packed else part for part in parts)
    )
    info, *records = read_records(tmp_path / "a.arc")
    assert info.kind == "warcinfo"
    assert [record.url for record in records] == [url_of("arc", n) for n in range(1, 5)]
    assert all(record.mime == "text/html" and not record.problem for record in records)
    assert all(record.block.endswith(b"</p>") for record in records)


def test_what_lies_between_arc_records_has_a_reason(tmp_path):
    lost = b"http://a.example/9 127.0.0.1 - text/html no-length\nsome text\n"
    content = ARC_HEAD + arc_entry(0) + lost + arc_entry(1) + b"rubbish at the end\n"
    (tmp_path / "a.arc").write_bytes(content)
    problems = [record.problem for record in read_records(tmp_path / "a.arc")]
    assert problems == ["", "", "damaged_record", "", "damaged_record"]

    packed = gzip.compress(ARC_HEAD) + gzip.compress(lost) + gzip.compress(arc_entry(1))
    (tmp_path / "b.arc.gz").write_bytes(packed)
    problems = [record.problem for record in read_records(tmp_path / "b.arc.gz")]
    assert problems == ["", "damaged_record", ""]


@pytest.mark.parametrize(
    "header",
    [
        "text/html; charset=utf-8",
        "text/html charset=utf-8",
        "text/html,charset=utf-8",
        '"text/html"; charset="utf-8"',
        "TEXT/HTML;charset=UTF-8",
        "text/html;",
        " text/html , text/html; charset=utf-8",
        "text/plain, text/html",
        "'text/html'",
    ],
)
def test_content_types_as_servers_write_them(tmp_path, header):
    sent = response(1, "A page of words. ").replace(
        b"Content-Type: text/html; charset=utf-8", f"Content-Type: {header}".encode()
    )
    sent = re.sub(
        rb"Content-Length: \d+",
        b"Content-Length: %d" % len(sent.split(b"\r\n\r\n", 1)[1][:-4]),
        sent,
    )
    write(tmp_path / "a.warc.gz", [sent])
    (record,) = read_records(tmp_path / "a.warc.gz")
    assert page_of_record(record, "a.warc.gz", Extraction())["text"].startswith("Page 1.")


@pytest.mark.parametrize("header", ["application/pdf", "image/png; text/html", "nonsense/", "a/b"])
def test_other_content_types_are_no_pages(header):
    assert "text/html" not in media_types(header)


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
