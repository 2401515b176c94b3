"""A few faults of every kind at quick commands; `make bench` throws hundreds at all of them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline import verify
from pipeline.artifacts.check import check_artifact
from pipeline.artifacts.write import payload, write_manifest
from pipeline.errors import UserError, run_main

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_faults_end_in_equal_bytes_or_in_one_line(smoke, tmp_path):
    command = ["tests.faults.harness", "--results", str(smoke), "--work", str(tmp_path / "work")]
    command += ["--faults", "24", "--seconds", "20", "--steps", "mini.problems", "eval.summary"]
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"},
    )
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    assert " 0 broke the property" in done.stdout and not done.stdout.startswith("0 faults")


@pytest.fixture
def artifact(tmp_path) -> Path:
    folder = tmp_path / "run" / "made"
    (folder / "parts").mkdir(parents=True)
    (folder / "parts" / "a.bin").write_bytes(b"weights")
    (folder / "b.txt").write_text("words")
    (folder / "README.md").write_text("a card")
    (folder / "metrics.jsonl").write_text("{}\n")
    manifest = folder / "manifest.json"
    write_manifest(manifest, "pipeline.verify", settings={}, files=payload(folder))
    return folder


def said_by(folder: Path, capsys) -> tuple[int, str]:
    try:
        run_main(verify.main, [str(folder)])
        status = 0
    except SystemExit as end:
        status = end.code
    return status, capsys.readouterr().out


def test_a_whole_artifact_passes_and_its_card_is_for_people_to_write_in(artifact, capsys):
    (artifact / "README.md").write_text("with scores")
    (artifact / "metrics.jsonl").write_text("")
    check_artifact(artifact)
    status, said = said_by(artifact.parent, capsys)
    assert status == 0 and said == "2 files of 1 artifacts compared, 0 differ\n"


@pytest.mark.parametrize("damage", ["flipped", "cut", "gone", "half a manifest"])
def test_damage_is_named_by_file(artifact, damage, capsys):
    file = artifact / "parts" / "a.bin"
    if damage == "flipped":
        file.write_bytes(b"weighus")
    elif damage == "cut":
        file.write_bytes(b"weig")
    elif damage == "gone":
        file.unlink()
    else:
        file = artifact / "manifest.json"
        file.write_bytes(file.read_bytes()[:-20])

    with pytest.raises(UserError, match=str(file)):
        check_artifact(artifact)
    status, said = said_by(artifact, capsys)
    assert status == 1 and str(file) in said and "1 differ" in said


def test_a_folder_without_our_manifest_is_anybodys(tmp_path):
    check_artifact(tmp_path)
    (tmp_path / "manifest.json").write_text('{"files": ["a"]}')
    check_artifact(tmp_path)


def test_an_error_of_the_disk_is_one_line(capsys):
    def read_only(argv: list[str] | None) -> None:
        raise OSError(30, "Read-only file system", "/mnt/results/x")

    with pytest.raises(SystemExit):
        run_main(read_only)
    assert capsys.readouterr().err == "error: /mnt/results/x: read-only file system\n"
