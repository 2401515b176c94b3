"""JSON Lines: what a line may be, and what half a character becomes."""

import io

import pytest

from pipeline.artifacts import records
from pipeline.artifacts.datasets import read_rows
from pipeline.errors import UserError


def test_a_line_without_end_is_refused_before_it_is_read_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "LONGEST_LINE", 100)
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "short"}\n{"text": "' + "x" * 200 + '"}\n')
    for read in (records.read_jsonl, read_rows):
        with pytest.raises(UserError, match="line 2: longer than 100 characters"):
            list(read(str(path)))


def test_only_so_much_of_an_endless_line_is_read(monkeypatch):
    monkeypatch.setattr(records, "LONGEST_LINE", 100)
    stream = io.StringIO("x" * 10_000)
    with pytest.raises(UserError):
        list(records.numbered_lines(stream, "stdin"))
    assert stream.tell() <= 101


def test_lines_end_at_line_feeds_only_and_the_last_needs_none(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"a": "x\u2028y"}\n\n{"a": 2}', encoding="utf-8")
    assert list(records.read_jsonl_lines(path)) == [(1, {"a": "x\u2028y"}), (3, {"a": 2})]


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("plain ü 数", "plain ü 数"),
        ("a\ud800b", "a\ufffdb"),
        ("a\udc00", "a\ufffd"),
        ("\ud83d\ude00", "\U0001f600"),
    ],
)
def test_half_characters_become_one_sign_and_pairs_the_character_that_they_are(text, whole):
    assert records.whole_characters(text) == whole
