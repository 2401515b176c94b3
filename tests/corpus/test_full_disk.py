"""A disk that is full at any moment: a command ends with one line and leaves nothing, or everything is right.

A limit on the size of files stands for the disk where these tests may not mount one: writes beyond it fail as they
do on a full disk.
"""

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from corpus.mining import fasttext_model
from tests.corpus.test_kill import deduplication, extraction, files_in
from tests.corpus.test_round import round_args, web
from tests.support.corpus_tables import page, write_benchmark, write_collected, write_pages

ROOT = Path(__file__).resolve().parents[2]
PARAMETERS = {"dim": 8, "lr": 0.5, "epoch": 5, "wordNgrams": 2, "minCount": 1, "bucket": 500}


def a_round(folder: Path, out: str) -> list[str]:
    if not (folder / "pages").exists():
        write_pages(folder, web(), shards=2)
    return ["corpus.round", *round_args(folder, 1, str(folder / out))]


def finalising(folder: Path, out: str) -> list[str]:
    if not (folder / "pages").exists():
        pages = [page(number) for number in range(40)]
        write_pages(folder, pages)
        write_collected(folder, pages)
        write_benchmark(folder / "exam.jsonl")
    rounds = sorted(str(file) for file in folder.glob("round_*/collected.parquet"))
    return [
        *("corpus.final", "--pages", str(folder / "pages"), "--dedup", str(folder / "dedup")),
        *("--rounds", *rounds, "--benchmarks", str(folder / "exam.jsonl")),
        *("--removed", str(folder / out / "removed.parquet"), "--out", str(folder / out / "final")),
    ]


def run(command: list[str], limit: int | None = None) -> subprocess.CompletedProcess[str]:
    def limit_files() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        preexec_fn=limit_files,
        check=False,
    )


@pytest.mark.parametrize(
    ("command", "limits"),
    [
        (extraction, [3_000]),
        (deduplication, [6_000]),
        (a_round, [40_000]),
        (finalising, [9_000]),
    ],
)
def test_a_full_disk_is_one_line_and_leaves_nothing(command, limits, tmp_path):
    whole = run(command(tmp_path, "whole"))
    assert whole.returncode == 0, whole.stderr
    expected = files_in(tmp_path / "whole")
    largest = max(len(content) for content in expected.values())

    failures = 0
    for limit in limits:
        done = run(command(tmp_path, "limited"), limit)
        out = tmp_path / "limited"
        if done.returncode == 0:
            assert largest <= limit and files_in(out) == expected
            continue

        failures += 1
        assert done.returncode == 28, done.stderr
        assert "the disk is full" in done.stderr.splitlines()[-1]
        assert "Traceback" not in done.stderr
        # Of several files those written before the disk was full may be there, each of them whole.
        for path, content in files_in(out).items():
            assert content == expected[path]
    assert failures


def test_a_model_that_was_not_written_whole_is_no_model(tmp_path):
    """The library itself reports nothing, and what it leaves scores every page 0.5."""
    lines = [f"__label__math a{n % 7} b\n__label__other c{n % 7} d\n" for n in range(100)]
    (tmp_path / "lines.txt").write_text("".join(lines))
    parameters = PARAMETERS | {"thread": 1, "seed": 0}
    fasttext_model.train(tmp_path / "lines.txt", tmp_path / "whole.bin", parameters)
    size = (tmp_path / "whole.bin").stat().st_size

    allowed = resource.getrlimit(resource.RLIMIT_FSIZE)
    for limit in (1_000, size // 2, size - 1):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, allowed[1]))
        try:
            with pytest.raises(OSError, match="No space left"):
                fasttext_model.train(tmp_path / "lines.txt", tmp_path / "cut.bin", parameters)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, allowed)
        assert not (tmp_path / "cut.bin").exists()


def test_a_saved_model_is_compared_with_the_trained_one(tmp_path):
    fasttext = pytest.importorskip("fasttext")
    lines, model = tmp_path / "lines.txt", tmp_path / "m.bin"
    lines.write_text("__label__math a b\n__label__other c d\n" * 50)
    fasttext_model.train(lines, model, PARAMETERS | {"thread": 1, "seed": 0})
    trained = fasttext.FastText._FastText(str(model))
    fasttext_model.check_saved(trained, model, lines)

    content = model.read_bytes()
    for broken in (content[:-8], content + b"\0", content[:-4] + b"\1\2\3\4"):
        model.write_bytes(broken)
        with pytest.raises(RuntimeError, match="whole model"):
            fasttext_model.check_saved(trained, model, lines)
