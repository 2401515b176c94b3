"""The host's side of the sandbox: a pool of supervisors, each running one program at a time.

    with Sandbox(timeout=10, memory_mb=1024, workers=2) as box:
        print(box.level)
        for run in box.run_many(["print(1 + 1)", "while True: pass"]):
            print(run.status, run.stdout)

A `Sandbox` may be used from many threads. A worker that dies gives its program the status "killed" and is replaced.
"""

import contextlib
import json
import os
import queue
import select
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.sandbox import selftest
from pipeline.errors import UserError

_REPOSITORY = str(Path(__file__).resolve().parents[2])
_GRACE = 60.0  # seconds beyond the program's own in which a supervisor must answer (it may import sympy first)

# The protocol of eval.sandbox.supervisor, which is loaded in its own process only
_REQUEST = struct.Struct("!dQI")
_RESULT = struct.Struct("!B?dII")
_STATUSES = ("ok", "error", "timeout", "memory", "output", "killed")
_MAX_PROGRAM = 4 * 1024 * 1024
_MOST_LOST_STARTS = 5  # in a row: then it is no passing shortage


class SandboxUnavailable(UserError):
    """This machine offers too little isolation, and the user did not allow less."""


@dataclass(frozen=True, slots=True)
class Execution:
    """What a program did.

    status: ok · error (exception or exit status) · timeout · memory · output (more than 64 KiB) · killed (a signal,
    the machine out of memory, a lost worker).
    """

    status: str
    stdout: str
    stderr: str
    seconds: float  # wall time


class _Worker:
    """One supervisor process and the socket to it."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.channel, theirs = socket.socketpair()

        # Packages are found where the host finds them, whatever put them on its path.
        packages = [path for path in sys.path if path.endswith("-packages")]
        environment = {
            "PYTHONPATH": os.pathsep.join([_REPOSITORY, *packages]),
            "PYTHONHASHSEED": "0",  # equal runs of a program print the same
            "PYTHONUTF8": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            # A program has one core; threads of BLAS would count against its limit.
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "MKL_NUM_THREADS": "1",
        }
        command = [sys.executable, "-s", "-m", "eval.sandbox.supervisor"]
        with theirs:
            self.process = subprocess.Popen(
                [*command, str(theirs.fileno()), json.dumps(options)],
                env=environment,
                cwd="/",
                pass_fds=[theirs.fileno()],
                start_new_session=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )

        self.healthy = True
        self.channel.settimeout(_GRACE)
        try:
            (length,) = struct.unpack("!I", self._receive(4))
            self.hello: dict[str, Any] = json.loads(self._receive(length))
        except OSError:
            self.hello = {"failed": self._last_words()}

    def _last_words(self) -> str:
        """The last line that a supervisor wrote which did not start."""
        self.process.kill()
        lines = self.process.communicate()[1].decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else "the supervisor did not start"

    def run(self, source: bytes, seconds: float, memory: int) -> Execution:
        """One program. OSError when the worker is lost."""
        self.channel.settimeout(seconds + _GRACE)
        self.channel.sendall(_REQUEST.pack(seconds, memory, len(source)) + source)

        status, self.healthy, elapsed, out, err = _RESULT.unpack(self._receive(_RESULT.size))
        data = self._receive(out + err)
        return Execution(
            _STATUSES[status],
            data[:out].decode("utf-8", "replace"),
            data[out:].decode("utf-8", "replace"),
            elapsed,
        )

    def _receive(self, count: int) -> bytes:
        data = bytearray()
        while len(data) < count:
            part = self.channel.recv(count - len(data))
            if not part:
                raise ConnectionError("the worker is gone")
            data += part
        return bytes(data)

    def alive(self) -> bool:
        """Whether it can take a program. Between programs nothing is to be read but the end of a lost worker."""
        if not self.healthy or self.process.poll() is not None or self.channel.fileno() < 0:
            return False
        ready = select.poll()
        ready.register(self.channel, select.POLLIN)
        return not ready.poll(0)

    def close(self) -> None:
        """End the supervisor: it leaves when the socket closes, and takes a running program with it."""
        with contextlib.suppress(OSError):
            self.channel.shutdown(socket.SHUT_RDWR)
        self.channel.close()
        try:
            self.process.wait(timeout=2)
        except subprocess.TimeoutExpired:  # it is importing a library, or stopped
            self.process.kill()
            self.process.wait()
        if self.process.stderr:
            self.process.stderr.close()


class Sandbox:
    """Runs programs under the strongest isolation that this machine offers.

    timeout: wall seconds of a program; memory_mb: its address space; workers: programs at the same time;
    allow_weak: run even where isolation is too weak (else SandboxUnavailable); without: protections to leave out
    ("namespaces", "landlock", "seccomp"), for tests of the weaker levels; disk_mb: its private folder.
    """

    def __init__(
        self, timeout: float = 10.0, memory_mb: int = 1024, workers: int = 1, *, allow_weak: bool = False,
        disk_mb: int = 16, without: Iterable[str] = (),
    ) -> None:  # fmt: skip
        if not sys.platform.startswith("linux"):
            raise SandboxUnavailable(f"the sandbox needs Linux, this is {sys.platform}")
        self.timeout = timeout
        self.memory = memory_mb * 1024 * 1024
        self.workers = workers
        self.reached: list[str] = []  # what programs got at in the self-test
        self._options: dict[str, Any] = {
            "without": sorted(without),
            "disk_mb": disk_mb,
            "empty": None,  # the folder that programs stand in where there is no private root
            "repository": _REPOSITORY,
        }

        # None stands for a worker that is started when it is first needed. The one used last is taken first.
        self._lost_starts = 0
        self._idle: queue.LifoQueue[_Worker | None] = queue.LifoQueue()
        self._busy: set[_Worker | None] = set()
        try:
            first = self._first_worker()
            self._idle.put(first)
            self._check(first, allow_weak)
        except BaseException:
            self.close()
            raise
        for _ in range(workers - 1):
            self._idle.queue.insert(0, None)

    def _first_worker(self) -> _Worker:
        """Start one worker; where the full isolation cannot be set up, the next weaker one."""
        worker = self._start()
        if "failed" in worker.hello and "namespaces" not in self._options["without"]:
            worker.close()
            self._options["without"] = [*self._options["without"], "namespaces"]
            worker = self._start()
        if "failed" in worker.hello:
            worker.close()
            raise SandboxUnavailable(f"the sandbox does not start: {worker.hello['failed']}")
        self._held = worker.hello["level"]
        return worker

    def _start(self) -> _Worker:
        if "namespaces" in self._options["without"] and self._options["empty"] is None:
            # The programs' folder, which nobody may write
            folder = tempfile.mkdtemp(prefix="sandbox-")
            os.chmod(folder, 0o555)
            self._options["empty"] = folder
        return _Worker(self._options)

    def _check(self, worker: _Worker, allow_weak: bool) -> None:
        """Attack the fresh sandbox; refuse to go on where it is too weak by what was set up or by what got through."""
        self.reached = selftest.reached(
            lambda source, seconds: worker.run(source, seconds, self.memory)
        )
        walls = self._held["namespaces"] or self._held["landlock"]
        strong = self._held["seccomp"] and walls and not self.reached
        if strong or allow_weak:
            return

        if self.reached == [selftest.HOST_FILES]:
            # Without namespaces a folder inside a shown one cannot be hidden.
            raise SandboxUnavailable(
                f"programs could read this project ({_REPOSITORY}), for it lies in a folder of Python's libraries, "
                "which they may read; move it elsewhere, below /home for example"
            )

        found = ""
        if self.reached:
            found = f"; in the self-test programs reached: {', '.join(self.reached)}"
        raise SandboxUnavailable(
            f"this machine isolates programs too weakly ({self.level}); needed are seccomp and namespaces or "
            f"Landlock{found}; eval.sandbox.allow_weak: true runs them all the same"
        )

    @property
    def level(self) -> str:
        """The isolation that holds, for logs and reports."""
        parts = [name for name in ("namespaces", "landlock", "seccomp") if self._held[name]]
        held = "+".join([*parts, "rlimits"])
        if self._held["own_user"]:
            held += ", own user"
        if self.reached:
            held += f"; WEAK, programs reach: {', '.join(self.reached)}"
        return held

    def run(self, program: str | bytes, timeout: float | None = None) -> Execution:
        """Run one program (waits for a free worker)."""
        source = program if isinstance(program, bytes) else program.encode("utf-8", "surrogatepass")
        if len(source) > _MAX_PROGRAM:
            message = f"the program has {len(source)} bytes, allowed are {_MAX_PROGRAM}\n"
            return Execution("error", "", message, 0.0)

        worker = self._idle.get()
        try:
            if worker is not None and not worker.alive():
                worker.close()
                worker = None
            if worker is None:
                worker = self._new_worker()
            self._busy.add(worker)
            return worker.run(source, timeout or self.timeout, self.memory)
        except OSError as error:  # the worker died with this program, which is not run again
            return Execution("killed", "", f"the worker that ran it was lost ({error})\n", 0.0)
        except BaseException:  # Ctrl-C in the middle of an answer: nobody may read the rest of it
            if worker is not None:
                worker.healthy = False
            raise
        finally:
            self._busy.discard(worker)
            self._idle.put(worker)

    def _new_worker(self) -> _Worker:
        """A worker in the place of a lost one, of the same level. OSError: not now; the next program tries again."""
        worker = self._start()
        if worker.hello.get("level") == self._held:
            self._lost_starts = 0
            return worker

        # Programs of one run shall all be held alike: another level is as bad as none.
        worker.close()
        self._lost_starts += 1
        reason = worker.hello.get(
            "failed", f"another isolation than before, {worker.hello.get('level')}"
        )
        if self._lost_starts >= _MOST_LOST_STARTS:
            raise SandboxUnavailable(f"the sandbox does not start any more: {reason}")
        raise OSError(reason)

    def run_many(self, programs: Iterable[str | bytes]) -> list[Execution]:
        """Run all programs, `workers` at a time; results in the order given."""
        programs = list(programs)
        if self.workers == 1 or len(programs) < 2:
            return [self.run(program) for program in programs]
        with ThreadPoolExecutor(self.workers) as threads:
            return list(threads.map(self.run, programs))

    def close(self) -> None:
        """End all workers. Programs that still run in other threads end as killed."""
        for busy in list(self._busy):
            if busy is not None:
                busy.close()
        with contextlib.suppress(queue.Empty):
            while True:
                worker = self._idle.get_nowait()
                if worker is not None:
                    worker.close()
        if self._options["empty"] is not None:
            shutil.rmtree(self._options["empty"], ignore_errors=True)

    def __enter__(self) -> "Sandbox":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
