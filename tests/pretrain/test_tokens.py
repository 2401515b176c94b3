import gzip
import json
from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.artifacts.write import read_json
from pipeline.errors import UserError
from pretrain import token_source, tokens
from tests.support.tiny_model import tiny_tokenizer

BOS, EOS = 256, 257


@pytest.fixture
def folder(tmp_path):
    tiny_tokenizer().save_pretrained(tmp_path / "model")
    settings = {
        "mixture": {"a": {"path": "x", "weight": 0.5}, "b": {"path": "x", "weight": 0.5}},
        "context": 16,
    }
    (tmp_path / "config.json").write_text(json.dumps(settings))
    rows = [{"text": "one"}, {"text": ""}, {"note": "no text"}, {"text": "the second"}]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "b").mkdir()
    pq.write_table(
        pa.table({"text": ["parquet " * 10, "<eos>"]}), tmp_path / "b" / "part-0.parquet"
    )
    with gzip.open(tmp_path / "b" / "part-1.jsonl.gz", "wt") as out:
        out.write(json.dumps({"text": "zipped"}) + "\n")
    return tmp_path


def tokenise(folder, b="b"):
    tokens.main(
        [
            *("--config", str(folder / "config.json"), "--tokenizer", str(folder / "model")),
            *(
                "--source",
                f"a={folder / 'a.jsonl'}",
                "--source",
                f"b={folder / b}",
                "--out",
                str(folder / "out"),
            ),
        ]
    )
    return read_json(folder / "out" / "manifest.json")["counts"]


def decoded(ids):
    tokenizer = tiny_tokenizer()
    return tokenizer.decode([i for i in ids if i not in (BOS, EOS)])


def test_every_document_is_bos_text_eos_and_documents_without_text_are_counted(folder):
    counts = tokenise(folder)["sources"]["a"]
    assert (counts["documents"], counts["empty"], counts["bytes"]) == (
        2,
        2,
        len("one" + "the second"),
    )
    ids = np.fromfile(folder / "out" / "a-00000.bin", dtype="<u2")
    offsets = np.load(folder / "out" / "a-00000.offsets.npy")
    assert offsets.tolist() == [0, 5] and ids[0] == ids[5] == BOS and ids[4] == ids[-1] == EOS
    assert decoded(ids[:5]) == "one" and decoded(ids[5:]) == "the second"


def test_text_that_spells_eos_is_text(folder):
    tokenise(folder)
    ids = np.fromfile(folder / "out" / "b-00000.bin", dtype="<u2")
    assert (ids == EOS).sum() == 2


def test_windows_go_over_all_shards_without_gap_or_overlap(folder):
    tokenise(folder)
    sources, counts = token_source.open_sources(folder / "out", 8)
    stream = np.concatenate(
        [np.fromfile(folder / "out" / f"b-0000{i}.bin", dtype="<u2") for i in (0, 1)]
    )
    windows = [sources["b"].window(i) for i in range(sources["b"].windows)]
    assert len(windows) == len(stream) // 8 == counts["sources"]["b"]["tokens"] // 8
    assert np.array_equal(np.concatenate(windows), stream[: len(windows) * 8])


def test_finished_shards_are_taken_over_and_changed_files_are_not(folder):
    first = tokenise(folder)
    marker = folder / "out" / "b-00000.bin"
    made = marker.stat().st_ino
    assert tokenise(folder) == first and marker.stat().st_ino == made
    pq.write_table(pa.table({"text": ["new"]}), folder / "b" / "part-0.parquet")
    assert tokenise(folder)["sources"]["b"]["documents"] == 2 and marker.stat().st_ino != made


@pytest.mark.parametrize("damage", ["cut", "flipped", "gone"])
def test_a_damaged_shard_is_refused_and_made_again(folder, damage):
    first = tokenise(folder)
    shard = folder / "out" / "b-00000.bin"
    whole = shard.read_bytes()
    if damage == "cut":
        shard.write_bytes(whole[:-2])
    elif damage == "flipped":
        shard.write_bytes(bytes([whole[0] ^ 1]) + whole[1:])
    else:
        shard.unlink()

    with pytest.raises(UserError, match=r"b-00000\.bin: .*the manifest"):
        token_source.open_sources(folder / "out", 8)
    assert tokenise(folder) == first and shard.read_bytes() == whole


def test_two_runs_write_the_same_manifest(folder):
    tokenise(folder)
    first = (folder / "out" / "manifest.json").read_bytes()
    (folder / "out" / "manifest.json").unlink()
    tokenise(folder)
    assert (folder / "out" / "manifest.json").read_bytes() == first


def test_a_bad_line_is_named_by_file_and_number(folder):
    (folder / "a.jsonl").write_text('{"text": "fine"}\n{"text": \n')
    with pytest.raises(UserError, match=r"a\.jsonl, line 2: not JSON"):
        tokenise(folder)


def test_a_missing_source_and_a_missing_column_are_one_clear_line(folder):
    with pytest.raises(UserError, match="no such file or folder"):
        tokenise(folder, b="absent")
    pq.write_table(pa.table({"content": ["x"]}), folder / "b" / "part-0.parquet")
    with pytest.raises(UserError, match="no column 'text'; there are content"):
        tokenise(folder)


def tokenise_with_budget(folder, jobs, budget, out):
    settings = {
        "mixture": {"b": {"path": "x", "weight": 1.0}},
        "context": 16,
        "source_tokens": budget,
    }
    (folder / "budget.json").write_text(json.dumps(settings))
    arguments = [
        "--config",
        str(folder / "budget.json"),
        "--tokenizer",
        str(folder / "model"),
        "--jobs",
        str(jobs),
    ]
    tokens.main([*arguments, "--source", f"b={folder / 'b'}", "--out", str(folder / out)])
    return read_json(folder / out / "manifest.json")["counts"]["sources"]["b"]


def test_shards_made_side_by_side_are_those_made_one_by_one_also_under_a_budget(folder):
    for number in range(2, 6):
        (folder / "b" / f"part-{number}.jsonl").write_text(
            json.dumps({"text": f"{number}" * 30}) + "\n"
        )
    one, two = (tokenise_with_budget(folder, jobs, 150, f"out{jobs}") for jobs in (1, 2))
    assert one == two and one["tokens"] >= 150 > one["tokens"] - one["shards"][-1]["tokens"]
    assert len(one["shards"]) == 4, "reading ends when there is enough"
    for shard in one["shards"]:
        name = f"{shard['name']}.bin"
        assert (folder / "out1" / name).read_bytes() == (folder / "out2" / name).read_bytes()


def test_a_source_shorter_than_a_context_is_one_clear_line(folder):
    tokenise(folder)
    with pytest.raises(UserError, match="source 'a' has 17 tokens, less than one context"):
        token_source.open_sources(folder / "out", 4096)


def test_a_long_document_is_cut_into_pieces_that_lose_nothing(folder, monkeypatch):
    encoder = tokens.Encoder(folder / "model")
    texts = ["a few words " * 50, "x" * 300, " " * 90, "one\ntwo " * 40]
    whole = encoder.encode(texts)
    monkeypatch.setattr(tokens, "PIECE", 64)
    for text, ids, expected in zip(texts, encoder.encode(texts), whole, strict=True):
        assert decoded(ids) == decoded(expected) and "".join(tokens.pieces(text)) == text
        assert max(map(len, tokens.pieces(text))) <= 64


def test_half_a_character_is_replaced_and_counted(folder):
    (folder / "a.jsonl").write_text('{"text": "half \\ud800 a character"}\n{"text": "whole"}\n')
    (folder / "b.jsonl").write_text('{"text": "whole"}\n')
    made = Counter()
    batches = list(tokens.batches(iter(["half \ud800", "pair \ud83d\ude00", None, "whole"]), made))
    assert batches == [["half \ufffd", "pair \U0001f600", "whole"]]
    assert made["repaired"] == 2 and made["empty"] == 1


def test_a_tokenizer_without_bos_begins_each_document_with_eos(folder):
    config = folder / "model" / "tokenizer_config.json"
    names = json.loads(config.read_text())
    names["bos_token"] = None
    config.write_text(json.dumps(names))
    encoder = tokens.Encoder(folder / "model")
    (ids,) = encoder.encode(["abc"])
    end = encoder.tokenizer.token_to_id("<eos>")
    assert ids[0] == end and end not in ids[1:] and len(ids) == 4
