"""Artifacts, errors, progress and records."""

import contextlib
import errno
import io
import json
import os
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline import workflow
from pipeline.artifacts.records import read_jsonl, read_problems
from pipeline.artifacts.write import (
    atomic_folder,
    atomic_path,
    file_digest,
    write_json,
    write_jsonl,
    write_manifest,
)
from pipeline.errors import UserError, run_main
from pipeline.progress import Progress

ROOT = Path(__file__).resolve().parents[2]


def test_a_file_that_fails_half_way_leaves_nothing_behind(tmp_path):
    target = tmp_path / "a.json"
    write_json(target, {"whole": 1})
    with pytest.raises(RuntimeError), atomic_path(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert json.loads(target.read_text()) == {"whole": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_a_folder_that_fails_half_way_leaves_the_old_one(tmp_path):
    with atomic_folder(tmp_path / "model") as folder:
        (folder / "weights").write_text("old")
        (folder / "manifest.json").write_text("{}")
    with pytest.raises(RuntimeError), atomic_folder(tmp_path / "model") as folder:
        (folder / "weights").write_text("half")
        raise RuntimeError
    assert (tmp_path / "model" / "weights").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_folder_of_the_users_is_refused_and_left_as_it_is(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(UserError, match="holds other files"), atomic_folder(tmp_path):
        pytest.fail("it must be refused before any work is done")
    with pytest.raises(UserError, match="is a file"), atomic_folder(tmp_path / "thesis.tex"):
        pytest.fail("it must be refused before any work is done")
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_a_folder_digest_sees_names_and_contents_but_not_timestamps(tmp_path):
    (tmp_path / "a").write_text("1")
    first = file_digest(tmp_path)
    (tmp_path / ".snakemake_timestamp").write_text("now")
    assert file_digest(tmp_path) == first
    (tmp_path / "a").rename(tmp_path / "b")
    assert file_digest(tmp_path) != first


def test_equal_runs_write_equal_manifests(tmp_path):
    write_jsonl(tmp_path / "in.jsonl", [{"a": 1}])
    for name in ("one", "two"):
        settings = {"lr": 1} if name == "one" else dict(reversed([("lr", 1)]))
        write_manifest(
            tmp_path / name,
            "pipeline.artifacts.records",
            settings=settings,
            inputs=[tmp_path / "in.jsonl"],
            counts={"kept": 1},
        )
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert str(tmp_path) not in (tmp_path / "one").read_text()


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (UserError("x.jsonl, line 3: not JSON"), 2, "error: x.jsonl, line 3: not JSON"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (
            OSError(errno.ENOSPC, "No space left", "out.parquet"),
            28,
            "the disk is full (out.parquet)",
        ),
    ],
)
def test_the_users_and_the_machines_limits_end_in_one_line(error, status, line, capsys):
    def main(argv):
        raise error

    with pytest.raises(SystemExit) as stop:
        run_main(main)
    err = capsys.readouterr().err
    assert stop.value.code == status and line in err and err.count("\n") == 1


def test_a_bug_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError):
        run_main(lambda argv: 1 / 0)


def test_a_closed_pipe_is_no_error():
    code = "from pipeline.errors import run_main; run_main(lambda a: [print('x' * 100) for _ in range(10**5)])"
    done = subprocess.run(
        f'{sys.executable} -c "{code}" | head -1',
        shell=True,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""


@pytest.mark.parametrize("line", ["{", "[1]", "nul"])
def test_a_bad_line_names_file_and_line(tmp_path, line):
    path = tmp_path / "b.jsonl"
    path.write_text('{"a": 1}\n\n' + line + "\n")
    with pytest.raises(UserError, match=r"b\.jsonl, line 3"):
        list(read_jsonl(path))


def test_a_problem_without_answer_names_its_record(tmp_path):
    path = tmp_path / "p.jsonl"
    path.write_text('{"question": "1+1?", "answer": 2}\n{"question": "2+2?"}\n')
    with pytest.raises(UserError, match=r"record 2: no answer"):
        read_problems(path)


def test_a_folder_in_place_of_a_file_is_a_clear_error(tmp_path):
    with pytest.raises(UserError, match=r"directory|folder"):
        list(read_jsonl(tmp_path))


def test_progress_in_a_log_is_whole_lines_with_rate_and_share():
    log = io.StringIO()
    with Progress("extract", total=4, unit="pages", stream=log) as progress:
        for _ in range(4):
            progress.add(kept=1)
    assert log.getvalue().startswith("extract: 4/4 (100%) pages, ") and log.getvalue().endswith(
        "kept 1\n"
    )
    assert "\r" not in log.getvalue()


def test_the_time_left_is_told_by_the_rate_since_the_resumed_step_and_only_when_it_is_known():
    log = io.StringIO()
    with Progress("rl", total=100, unit="steps", stream=log) as progress:
        progress.start -= 500  # an evaluation before the first step
        progress.begin(done=90)
        progress.add(2)
        assert "left" not in progress._text(), "two steps say nothing yet"

        # Three steps in a minute: the seven that are left take 2:20, whatever came before.
        progress._begun -= 60
        progress._points[0] = (progress._begun, 90.0)
        progress.add(1)
        assert ", 2:20 left" in progress._text()


def test_a_line_comes_every_ten_seconds_while_a_long_step_counts_nothing(monkeypatch):
    monkeypatch.setattr("pipeline.progress._LINE_SECONDS", 0.2)
    monkeypatch.setattr("pipeline.progress._BEAT_SECONDS", 0.05)
    log = io.StringIO()
    with (
        Progress("rl", total=9, unit="steps", stream=log, beats=True) as progress,
        progress.during("solving 200 held-out problems"),
    ):
        time.sleep(0.7)
    lines = log.getvalue().splitlines()
    assert len(lines) >= 3
    assert all(line.startswith("rl: 0/9 (0%) steps, ") for line in lines)
    assert lines[0].endswith("solving 200 held-out problems")


def test_jobs_that_share_a_pipe_write_whole_lines_only(tmp_path):
    code = (
        "import sys; from pipeline.progress import Progress\n"
        "with Progress(sys.argv[1], 3000) as p:\n"
        "    for _ in range(3000): p.written -= 60; p.add(note='x' * 50)"
    )
    shared = tmp_path / "screen"
    with open(shared, "a") as screen:
        jobs = [
            subprocess.Popen([sys.executable, "-c", code, name], cwd=ROOT, stderr=screen)
            for name in ("coder", "extract")
        ]
        assert [job.wait(60) for job in jobs] == [0, 0]
    lines = shared.read_text().splitlines()
    assert len(lines) == 6002
    assert all(re.fullmatch(r"(coder|extract): .*, note x{50}", line) for line in lines)


def test_progress_on_a_terminal_is_a_bar_redrawn_in_place():
    master, slave = os.openpty()
    with (
        os.fdopen(slave, "w") as terminal,
        Progress("sft", total=2, unit="steps", stream=terminal) as progress,
    ):
        progress.drawn -= 1
        progress.add()
    text = b""
    with contextlib.suppress(OSError):  # what a pseudo-terminal ends with
        while part := os.read(master, 10_000):  # it hands out what has arrived, which may be a part
            text += part
    os.close(master)
    text = text.decode()
    assert "\r\033[K████████████░░░░░░░░░░░░ sft: 1/2 (50%) steps" in text
    assert text.count("\n") == 1 and text.endswith("\r\n"), "a whole line is left when it is done"


def test_a_failed_run_ends_with_the_log_s_last_lines_and_the_command_to_go_on(
    tmp_path, capsys, monkeypatch
):
    (tmp_path / "job.log").write_text(
        "".join(f"line {n}\n" for n in range(9)) + "error: what and where\n"
    )
    (tmp_path / "run.log").write_text(
        f"Error in rule train_sft:\n    message: None\n    jobid: 3\n    log: {tmp_path}/job.log (check log file(s))\n"
    )
    monkeypatch.setattr("sys.argv", ["/somewhere/snakemake", "--cores", "all", "rl_model"])
    workflow.print_failure([str(tmp_path / "run.log")], "results/mini")
    text = capsys.readouterr().err
    assert f"failed  train_sft: {tmp_path}/job.log ends with" in text
    assert "        line 5\n" in text and "line 4" not in text and "error: what and where" in text
    assert "again   /somewhere/snakemake --cores all rl_model\n" in text


def test_the_command_to_go_on_can_be_pasted_as_it_was_typed(tmp_path, monkeypatch):
    found = tmp_path / "bin" / "snakemake"
    found.parent.mkdir()
    found.write_text("#!/bin/sh\n")
    found.chmod(0o755)
    overlay = ["--configfile", "my settings.yaml", "--config", "preset=it's"]

    # On the PATH: by its name. Not on it, as when make started it: by its path.
    monkeypatch.setenv("PATH", str(found.parent))
    monkeypatch.setattr("sys.argv", [str(found), *overlay])
    assert workflow.again().startswith("snakemake --configfile 'my settings.yaml' ")
    assert shlex.split(workflow.again()) == ["snakemake", *overlay]

    monkeypatch.setenv("PATH", "/usr/bin")
    assert shlex.split(workflow.again()) == [str(found), *overlay]

    # As a module of an interpreter.
    monkeypatch.setattr("sys.argv", ["/lib/snakemake/__main__.py", "rl_model"])
    assert shlex.split(workflow.again()) == [sys.executable, "-m", "snakemake", "rl_model"]
