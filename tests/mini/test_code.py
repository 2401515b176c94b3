"""The code corpus, the prose and the held-out mathematics of the built-in world."""

import json
import re

import pytest

from mini import code, prose
from mini.text import mathematics
from mini.word_problems.registry import draw_case
from mini.word_problems.template import space_of
from pipeline.artifacts.records import read_jsonl
from pipeline.config.world import MiniWorld
from pipeline.errors import UserError

SMALL = MiniWorld(code_bytes=300_000, prose_bytes=20_000, heldout_documents=12)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return written(tmp_path_factory.mktemp("mini"))


def written(folder):
    config = folder / "mini.json"
    config.write_text(json.dumps(SMALL.model_dump(mode="json")), encoding="utf-8")
    for module in (code, prose):
        module.main(["--config", str(config), "--out", str(folder / "world")])
    return folder / "world"


def library(folder, names, text="x = 1\n"):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def test_two_runs_write_the_same_bytes(world, tmp_path):
    again = written(tmp_path)
    names = sorted(path.relative_to(world) for path in world.rglob("*") if path.is_file())
    assert {str(name) for name in names} == {
        *("code/train.jsonl", "code/manifest.json", "prose/train.jsonl", "prose/manifest.json"),
        *(
            "heldout/code.jsonl",
            "heldout/math.jsonl",
            "heldout/prose.jsonl",
            "heldout/chinese.jsonl",
        ),
    }
    for name in names:
        assert (world / name).read_bytes() == (again / name).read_bytes()


def test_training_and_held_out_code_share_no_file(world):
    train = {row["id"] for row in read_jsonl(world / "code/train.jsonl")}
    heldout = {row["id"] for row in read_jsonl(world / "heldout/code.jsonl")}
    assert train and heldout and not train & heldout
    assert not any(
        re.search(r"(^|/)(tests?|idlelib|lib2to3|encodings|site-packages)/", name)
        for name in train | heldout
    )


def test_training_code_is_whole_python_within_its_size(world):
    rows = list(read_jsonl(world / "code/train.jsonl"))
    assert sum(len(row["text"]) for row in rows) <= SMALL.code_bytes
    for row in rows:
        compile(row["text"], row["id"], "exec", dont_inherit=True)


def test_another_size_moves_no_file_to_the_other_side(tmp_path):
    names = [f"module_{i}.py" for i in range(200)]
    folder = library(tmp_path, names)
    small = code.read_library(folder, 100, 5)
    large = code.read_library(folder, 100_000, 50)
    assert not {row["id"] for row in small[0]} & {row["id"] for row in large[1]}
    assert not {row["id"] for row in small[1]} & {row["id"] for row in large[0]}
    assert len(large[0]) + len(large[1]) == 200


def test_files_left_out_are_counted_with_a_reason(tmp_path):
    folder = library(tmp_path, [f"m{i}.py" for i in range(60)])
    library(folder, ["empty.py"], "")
    library(folder, ["huge.py"], "x = 1\n" * code.LARGEST_FILE)
    library(folder, ["test/test_a.py", "site-packages/b.py", "pkg/tests/c.py"])
    (folder / "latin.py").write_bytes(b"# caf\xe9\n")
    train, heldout, skipped = code.read_library(folder, 10**6, 100)
    assert len(train) + len(heldout) == 60
    assert skipped == {"empty": 1, "too large": 1, "not UTF-8 or unreadable": 1}


def test_a_folder_without_sources_is_refused_in_one_line(tmp_path):
    with pytest.raises(UserError, match="expected the sources"):
        code.read_library(tmp_path, 1000, 5)


def test_an_excerpt_is_whole_lines_from_the_middle():
    text = "".join(f"line {number}\n" for number in range(2000))
    cut = code.excerpt(text)
    assert cut in text and cut.startswith("line ") and cut.endswith("\n")
    assert 0.9 * code.EXCERPT < len(cut) <= code.EXCERPT
    assert abs(text.index(cut) - len(text) / 2) < code.EXCERPT
    assert code.excerpt("short\n") == "short\n"
    assert code.excerpt("x" * 5000)


def test_prose_has_its_size_both_languages_and_no_formula(world):
    texts = [row["text"] for row in read_jsonl(world / "prose/train.jsonl")]
    assert SMALL.prose_bytes <= sum(map(len, texts)) < SMALL.prose_bytes + 3000
    assert len(set(texts)) > 0.95 * len(texts)
    assert any(re.search(r"[\u4e00-\u9fff]", text) for text in texts)
    assert not any(re.search(r"[=$\\{}0-9]", text) for text in texts)


def test_held_out_mathematics_draws_only_from_its_own_space(monkeypatch):
    drawn = []

    def record(rng, level, space):
        drawn.append(draw_case(rng, level, space))
        return drawn[-1]

    monkeypatch.setattr(mathematics, "draw_case", record)
    texts = [row["text"] for row in prose.heldout_math(SMALL)]
    assert len(texts) == SMALL.heldout_documents and all("=" in text for text in texts)
    assert len(drawn) > 50 and {space_of(case.key) for case in drawn} == {"heldout"}


def test_held_out_prose_is_of_one_language_each_and_in_no_training_document():
    training = {row["text"] for row in prose.prose_documents(SMALL)}
    for language in ("en", "zh"):
        texts = [row["text"] for row in prose.heldout_prose(SMALL, language)]
        assert len(texts) == SMALL.heldout_documents and not training & set(texts)
        assert all(
            any("\u4e00" <= c <= "\u9fff" for c in text) == (language == "zh") for text in texts
        )
