import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from pipeline.artifacts.datasets import input_files, read_documents, read_rows
from pipeline.errors import UserError

ROWS = [{"text": "eins"}, {"text": "zwei"}]
LINES = "".join(json.dumps(row) + "\n" for row in ROWS)


@pytest.mark.parametrize(
    "name, content",
    [
        ("a.jsonl", LINES.encode()),
        ("a.jsonl.gz", gzip.compress(LINES.encode(), mtime=0)),
        ("a.jsonl.zst", zstandard.compress(LINES.encode())),
        ("a.json", json.dumps(ROWS).encode()),
        ("a.json", json.dumps({"Instances": ROWS, "Metadata": []}).encode()),
        ("a.json", LINES.encode()),
    ],
)
def test_the_same_records_come_out_of_every_form_of_json(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    assert list(read_rows(str(tmp_path / name))) == ROWS


def test_a_folder_gives_its_data_files_in_order_and_no_manifest(tmp_path):
    for name in ("b.jsonl", "a.parquet", "manifest.json", "README.md", ".c.jsonl"):
        (tmp_path / name).write_text("{}")
    assert [file.rsplit("/", 1)[1] for file in input_files(str(tmp_path))] == [
        "a.parquet",
        "b.jsonl",
    ]


def test_a_hub_set_is_streamed_whole_or_in_parts_that_make_the_whole(tmp_path):
    for number in range(3):
        texts = [f"{number}-{i}" for i in range(4)] + [None]
        pq.write_table(pa.table({"text": texts}), tmp_path / f"train-{number:05d}-of-00003.parquet")
    path = f"hub:{tmp_path}"
    parts = input_files(path, split=True)
    assert len(parts) == 3 and input_files(path) == [path]
    in_parts = [text for part in parts for text in read_documents(part, "text")]
    assert in_parts == list(read_documents(path, "text")) and in_parts.count(None) == 3
    assert list(read_documents(parts[1], "text"))[:2] == ["1-0", "1-1"]


@pytest.mark.parametrize(
    "name, content, message",
    [
        ("a.json", b"[1, 2]", "expected a list of JSON objects"),
        ("a.jsonl.zst", b"not zstd", "unreadable"),
    ],
)
def test_a_damaged_file_is_one_clear_line(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=message):
        list(read_rows(str(tmp_path / name)))


def test_a_hub_set_that_is_not_there_is_one_clear_line(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=r"hub:.*cannot be read"):
        list(read_rows(f"hub:{tmp_path / 'empty'}"))
