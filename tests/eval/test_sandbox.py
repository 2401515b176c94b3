"""The sandbox: what programs may do, what hostile ones try, and that nothing of it survives."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from eval.sandbox import Sandbox, SandboxUnavailable
from tests.support.hostile_programs import BOUNDED, REFUSED, TRACES, failure, host, not_fresh

ROOT = Path(__file__).resolve().parents[2]
LEVELS = [(), ("namespaces",), ("landlock",)]


@pytest.fixture(scope="module")
def box():
    with _open() as sandbox:
        yield sandbox


def _open(**options):
    try:
        return Sandbox(**({"timeout": 3.0, "memory_mb": 256} | options))
    except SandboxUnavailable as error:
        pytest.skip(str(error))


@pytest.mark.parametrize(
    ("program", "status", "stdout"),
    [
        ("print(1 + 1)", "ok", "2\n"),
        ("1/0", "error", ""),
        ("import sys; sys.exit(3)", "error", ""),
        ("exit()", "ok", ""),
        ("while True: pass", "timeout", ""),
        ("import time; time.sleep(60)", "timeout", ""),
        ("x = [0] * 10**10", "memory", ""),
        ("x = bytearray(10**9)", "memory", ""),
        ("def f(: pass", "error", ""),
        ("import ctypes; ctypes.string_at(0)", "killed", ""),
        ("import os; os.abort()", "killed", ""),
        ("from math import sqrt; print(sqrt(2) ** 2 == 2)", "ok", "False\n"),
        ("if __name__ == '__main__': print('main', __file__)", "ok", "main program.py\n"),
        ("print('好')", "ok", "好\n"),
        ("open('a', 'w').write('x'); print(open('a').read())", "ok", "x\n"),
        (
            "import threading as t; r = t.Thread(target=print, args=(5,)); r.start(); r.join()",
            "ok",
            "5\n",
        ),
        ("import asyncio\nasync def f(): return 7\nprint(asyncio.run(f()))", "ok", "7\n"),
        ("print({3, 1, 2, 'a'} == {'a', 1, 2, 3}, input)", "ok", None),
        ("print(input())", "error", ""),
    ],
)
def test_each_ending_of_a_program_has_its_status(box, program, status, stdout):
    run = box.run(program, timeout=1.0 if status == "timeout" else None)
    assert run.status == status, run
    assert stdout is None or run.stdout == stdout


def test_too_much_output_is_cut_and_is_its_own_status(box):
    run = box.run("while True: print('x' * 1000)")
    assert run.status == "output" and len(run.stdout) == 64 * 1024 and run.seconds < 3


def test_numpy_and_sympy_work_inside(box):
    run = box.run("import numpy as np, sympy\nprint(np.arange(4).sum(), sympy.sqrt(8))")
    assert (run.status, run.stdout) == ("ok", "6 2*sqrt(2)\n")


def test_a_traceback_shows_the_programs_own_lines_only(box):
    run = box.run("def f():\n    return 1 / 0\nf()")
    assert "return 1 / 0" in run.stderr and "child.py" not in run.stderr


def test_the_same_program_gives_the_same_output_in_every_run(box):
    program = "print({str(i) for i in range(50)}, hash('a'))"
    assert len({run.stdout for run in box.run_many([program] * 3)}) == 1


def test_one_program_cannot_change_the_next(box):
    box.run(
        "import builtins, math, sys; builtins.print = None; math.sqrt = lambda x: 42; sys.modules.clear()"
    )
    box.run("open('left', 'w').write('x'); import os; os.makedirs('a/b/c', mode=0)")
    run = box.run("import math, os; print(math.sqrt(4), os.listdir('.'))")

    assert run.stdout.split(" ", 1)[0] == "2.0" and run.stdout.endswith("[]\n")


@pytest.fixture(
    scope="module", params=LEVELS, ids=lambda names: "without " + ("+".join(names) or "nothing")
)
def leveled(request, tmp_path_factory):
    """A sandbox of one level, with things on the host that no program may reach."""
    with (
        host(tmp_path_factory.mktemp("host")) as facts,
        _open(without=request.param, timeout=1.5) as sandbox,
    ):
        yield sandbox, facts


@pytest.mark.parametrize("name", REFUSED)
def test_a_hostile_program_reaches_nothing_at_any_level(leveled, name):
    assert failure(*leveled, REFUSED[name]) is None


@pytest.mark.parametrize("name", TRACES)
def test_a_program_leaves_nothing_for_the_next(box, name):
    first, second = TRACES[name]
    assert box.run(first).status == "ok"

    run = box.run(second)

    assert (run.status, run.stdout) == ("ok", "no\n"), run


@pytest.mark.parametrize("name", BOUNDED)
def test_a_greedy_program_ends_within_its_limits(box, name):
    run = box.run(BOUNDED[name], timeout=0.6)
    assert run.seconds < 2, run
    assert not_fresh(box) is None


def test_hundreds_of_programs_leave_no_process_file_or_descriptor():
    with _open(workers=2, timeout=5) as sandbox:
        sandbox.run_many(["print(1)"] * 4)
        descriptors, folders = len(os.listdir("/proc/self/fd")), len(os.listdir("/tmp"))
        programs = [f"open('f{i}', 'w').write('x'); print({i})" for i in range(200)]
        runs = sandbox.run_many(programs)
        assert [run.stdout for run in runs] == [f"{i}\n" for i in range(200)]
        assert (
            len(os.listdir("/proc/self/fd")) == descriptors
            and abs(len(os.listdir("/tmp")) - folders) <= 3
        )
        pids = [worker.process.pid for worker in list(sandbox._idle.queue)]
        assert all(len(_descendants(pid)) <= 1 for pid in pids)
        family = [pid for parent in pids for pid in [parent, *_descendants(parent)]]

    assert not any(os.path.exists(f"/proc/{pid}") for pid in family)


def _descendants(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [found for child in map(int, children) for found in [child, *_descendants(child)]]


def test_a_killed_worker_is_a_status_and_the_pool_heals():
    with _open(timeout=20) as sandbox:
        worker = sandbox._idle.queue[0]
        threading.Timer(0.5, worker.process.kill).start()
        assert sandbox.run("import time; time.sleep(15)").status == "killed"
        assert sandbox.run("print(5)").stdout == "5\n"


def test_a_worker_that_died_while_idle_is_replaced_unnoticed():
    with _open() as sandbox:
        worker = sandbox._idle.queue[0]
        worker.process.kill()
        worker.process.wait()
        assert sandbox.run("print(5)").stdout == "5\n"


def test_a_program_that_the_machine_kills_is_a_status_and_its_worker_goes_on():
    """What the out-of-memory killer does: SIGKILL from outside. Programs are its first choice."""
    with _open(timeout=20) as sandbox:
        worker = sandbox._idle.queue[0]
        supervisors = len(_descendants(worker.process.pid))
        scores = []

        def kill_the_program():
            while len(found := _descendants(worker.process.pid)) == supervisors:
                time.sleep(0.01)
            scores.append(int(Path(f"/proc/{found[-1]}/oom_score_adj").read_text()))
            os.kill(found[-1], signal.SIGKILL)

        thread = threading.Thread(target=kill_the_program)
        thread.start()
        assert sandbox.run("import time; time.sleep(15)").status == "killed"
        thread.join()
        assert (
            scores == [1000]
            and sandbox.run("print(5)").stdout == "5\n"
            and sandbox._idle.queue[0] is worker
        )


def test_a_worker_that_cannot_be_replaced_is_a_status_until_it_can(monkeypatch):
    with _open() as sandbox:
        sandbox._idle.queue[0].process.kill()
        sandbox._idle.queue[0].process.wait()
        with monkeypatch.context() as patch:
            patch.setattr(sandbox, "_start", lambda: (_ for _ in ()).throw(OSError("no memory")))
            assert [sandbox.run("print(5)").status for _ in range(2)] == ["killed", "killed"]
        assert sandbox.run("print(5)").stdout == "5\n"


def test_a_worker_of_another_isolation_is_not_taken():
    with _open() as sandbox:
        sandbox._idle.queue[0].process.kill()
        sandbox._idle.queue[0].process.wait()
        sandbox._options["without"] = ["landlock"]
        assert sandbox.run("print(5)").status == "killed"
        with pytest.raises(SandboxUnavailable, match="another isolation"):
            for _ in range(9):
                sandbox.run("print(5)")


def test_a_full_disk_of_the_host_does_not_matter(monkeypatch):
    monkeypatch.setattr(
        "tempfile.mkdtemp",
        lambda **_: (_ for _ in ()).throw(OSError(28, "No space left on device")),
    )
    with _open() as sandbox:
        if "namespaces" in sandbox.level:
            assert sandbox.run("open('f', 'w').write('x' * 10**6); print(5)").stdout == "5\n"


def test_a_full_folder_is_an_error_of_the_program_and_empty_for_the_next(box):
    if "namespaces" not in box.level:
        pytest.skip("no folder of its own without namespaces")
    run = box.run("open('f', 'wb').write(bytes(10**8))")

    assert run.status == "error" and "OSError" in run.stderr
    assert box.run("import os; print(os.listdir('.'))").stdout == "[]\n"


def test_the_self_test_finds_what_is_reached_where_nothing_is_isolated():
    nothing = ["namespaces", "landlock", "seccomp"]
    with Sandbox(without=nothing, allow_weak=True) as sandbox:
        assert {
            "files of the host",
            "the network",
            "hidden files",
            "new processes",
            "other programs",
        } <= set(sandbox.reached)
        assert "WEAK" in sandbox.level

    with _open() as sandbox:
        assert sandbox.reached == [] and "WEAK" not in sandbox.level


def test_results_keep_their_order_over_many_workers_and_threads():
    with _open(workers=3) as sandbox:
        programs = [f"import time; time.sleep({0.02 * (i % 3)}); print({i})" for i in range(12)]
        assert [run.stdout for run in sandbox.run_many(programs)] == [f"{i}\n" for i in range(12)]


def test_too_weak_isolation_is_refused_unless_allowed():
    with pytest.raises(SandboxUnavailable, match="allow_weak"):
        Sandbox(without=["namespaces", "landlock", "seccomp"])

    with Sandbox(without=["namespaces", "landlock", "seccomp"], allow_weak=True) as sandbox:
        assert sandbox.level.startswith("rlimits") and sandbox.run("print(1)").stdout == "1\n"


def test_the_command_prints_a_json_line_per_program(tmp_path):
    _open().close()
    (tmp_path / "a.py").write_text("print('a')")
    (tmp_path / "b.py").write_text("raise ValueError('b')")
    command = [sys.executable, "-m", "eval.sandbox", "--timeout", "5", "--memory-mb", "512"]
    done = subprocess.run(
        [*command, str(tmp_path / "a.py"), str(tmp_path / "b.py")], capture_output=True, text=True
    )
    rows = [json.loads(line) for line in done.stdout.splitlines()]

    assert [(row["file"][-4:], row["status"], row["stdout"]) for row in rows] == [
        ("a.py", "ok", "a\n"), ("b.py", "error", ""),
    ]  # fmt: skip
    assert (
        set(rows[0]) == {"file", "status", "stdout", "stderr", "seconds"}
        and "sandbox:" in done.stderr
    )

    missing = subprocess.run([*command, str(tmp_path / "none.py")], capture_output=True, text=True)

    assert missing.returncode == 2 and missing.stderr.count("\n") == 1


@pytest.mark.parametrize("environment", [False, True])
def test_a_repository_inside_a_folder_of_libraries_is_hidden_from_programs(tmp_path, environment):
    """The system's Python shows programs folders below /usr; the project may lie there."""
    shown = tmp_path / "my-packages"
    repository = shown / "repository"
    for name in ("eval", "pipeline"):
        shutil.copytree(ROOT / name, repository / name)
    (shown / "library.py").write_text("answer = 42\n")
    inside = repository / ".venv" / "lib" / "site-packages"
    inside.mkdir(parents=True)
    (inside / "installed.py").write_text("answer = 43\n")

    paths = [str(repository), str(shown), *([str(inside)] if environment else [])]
    program = f"import library, {'installed' if environment else 'library'} as x\nprint(library.answer, x.answer)\n"
    program += f"import os; print(os.listdir({str(repository)!r}))"
    code = (
        "from eval.sandbox.pool import Sandbox\n"
        f"with Sandbox() as box: print(box.run({program!r}).stdout, box.level)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True, text=True, cwd="/", env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
    )  # fmt: skip
    if "below /home" in done.stderr:
        pytest.skip("without namespaces nothing can be hidden; the message says what to do")
    assert done.returncode == 0, done.stderr[-2000:]
    words = ["42 43", "['.venv']"] if environment else ["42 42", "[]"]
    assert done.stdout.splitlines()[:2] == words
    assert "namespaces" in done.stdout
