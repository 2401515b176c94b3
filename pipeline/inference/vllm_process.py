"""The process in which vLLM runs (pipeline/inference/vllm_worker.py): started, spoken to, ended.

It may have a Python of its own, since vLLM wants other versions of torch and transformers than this project. The two
share nothing but a socket and a folder; the process ends when this one does, killed or not.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import weakref
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from pipeline.config.engines import VLLM
from pipeline.errors import UserError

WORKER = Path(__file__).with_name("vllm_worker.py")
HOW_TO_INSTALL = (
    "install requirements-vllm.txt into an environment of its own and name its Python in the setting vllm.python or in "
    "the variable VLLM_PYTHON (docs/models.md)"
)

FOREIGN_VARIABLES = (
    "RANK", "LOCAL_RANK", "GROUP_RANK", "ROLE_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "GROUP_WORLD_SIZE",
    "ROLE_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT",
)  # fmt: skip
"""What torchrun tells its processes; vLLM's is none of them."""

QUIET = {"VLLM_NO_USAGE_STATS": "1", "VLLM_CPU_OMP_THREADS_BIND": "nobind"}
"""No reports to its makers, and on a processor the threads that OMP_NUM_THREADS gives, wherever there is room. What
the user's environment says comes first."""

SHARED_MEMORY = Path("/dev/shm")
"""A file system in memory, where weights are handed over."""


def python_with_vllm(settings: VLLM) -> str:
    """The Python that vLLM runs with. Raises UserError where it is missing or has no vLLM."""
    python = settings.python or os.environ.get("VLLM_PYTHON") or sys.executable
    look = "import importlib.util, sys; sys.exit(importlib.util.find_spec('vllm') is None)"
    try:
        found = subprocess.run([python, "-c", look], capture_output=True, check=False)
    except OSError as error:
        reason = (error.strerror or "cannot be run").lower()
        raise UserError(f"engine vllm: {python}: {reason}; {HOW_TO_INSTALL}") from None
    if found.returncode != 0:
        raise UserError(f"engine vllm: {python} has no vLLM; {HOW_TO_INSTALL}")
    return python


class VLLMProcess:
    """vLLM at the other end of a socket.

    `folder` is for the two alone, and deleted at the end: the worker's log, and weights on their way. `options` are
    those of the worker's order "start".
    """

    def __init__(self, settings: VLLM, folder: Path, options: dict[str, Any]):
        self.log = folder / "vllm.log"
        python = python_with_vllm(settings)

        mine, its = socket.socketpair()
        with its, self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [python, str(WORKER), str(its.fileno()), str(folder)],
                pass_fds=[its.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=_environment(),
            )
        self._connection = Connection(mine.detach())
        self.close = weakref.finalize(self, _end, self._process, self._connection, folder)
        """Ends the process; also called when this object, or the program, ends."""

        self._send({"do": "start", "options": options})
        self.ready: dict[str, Any] = self._receive(settings.start_seconds)["ready"]
        """What the worker said of itself: its context, and whether it can sleep."""

    def order(self, what: str, **more: Any) -> None:
        """Have something done that gives nothing back."""
        self._send({"do": what, **more})
        self._receive()

    def ask(self, **order: Any) -> "Answers":
        """Give an order whose answers come one after another."""
        self._send(order)
        return Answers(self)

    def _send(self, order: dict[str, Any]) -> None:
        try:
            self._connection.send(order)
        except OSError:
            raise self._ended() from None

    def _receive(self, seconds: float | None = None) -> dict[str, Any]:
        """The next answer; `seconds`: how long to wait for it, None: as long as the process lives."""
        deadline = None if seconds is None else time.monotonic() + seconds
        while not self._connection.poll(1.0):
            if deadline is not None and time.monotonic() > deadline:
                raise UserError(
                    f"engine vllm: not ready after {seconds:g} seconds (vllm.start_seconds); {self._last_words()}"
                )
        try:
            answer: dict[str, Any] = self._connection.recv()
        except (EOFError, OSError):
            raise self._ended() from None
        if "error" in answer:
            raise UserError(f"engine vllm: {_first_line(answer['error'])}; {self._last_words()}")
        return answer

    def _ended(self) -> UserError:
        """What is raised where the process is gone."""
        try:
            status = self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            return UserError(f"engine vllm: its process does not answer; {self._last_words()}")
        how = f"signal {-status}" if status < 0 else f"exit status {status}"
        return UserError(f"engine vllm: its process ended ({how}); {self._last_words()}")

    def _last_words(self) -> str:
        """Keep the log where it can be read, and say where."""
        with tempfile.NamedTemporaryFile(prefix="vllm-", suffix=".log", delete=False) as kept:
            try:
                kept.write(self.log.read_bytes())
            except OSError:
                return "its log is gone"
        return f"its log: {kept.name}"


class Answers:
    """The answers to one order, up to the word that it is done."""

    def __init__(self, process: VLLMProcess):
        self._process = process

    def __iter__(self) -> "Answers":
        return self

    def __next__(self) -> dict[str, Any]:
        answer = self._process._receive()
        if "done" in answer:
            raise StopIteration
        return answer


def new_folder(size: int = 0) -> Path:
    """A folder of the user's own with room for `size` bytes: in memory, or on disk where that has too little."""
    place = None
    if os.access(SHARED_MEMORY, os.W_OK) and shutil.disk_usage(SHARED_MEMORY).free > 2 * size:
        place = SHARED_MEMORY
    return Path(tempfile.mkdtemp(prefix="vllm-", dir=place))


def _environment() -> dict[str, str]:
    """The variables of vLLM's process: those of this one, with the GPU that this one computes on."""
    variables = QUIET | {
        name: value for name, value in os.environ.items() if name not in FOREIGN_VARIABLES
    }
    # Whoever only asks whether vLLM is there does not wait for torch.
    import torch

    if torch.cuda.is_available():
        visible = os.environ.get("CUDA_VISIBLE_DEVICES", "")
        all_of_them = (
            visible.split(",") if visible else [str(i) for i in range(torch.cuda.device_count())]
        )
        variables["CUDA_VISIBLE_DEVICES"] = all_of_them[torch.cuda.current_device()]
    return variables


def _end(process: subprocess.Popen, connection: Connection, folder: Path) -> None:
    """Close the connection, at which the worker ends; a worker that does not is killed."""
    connection.close()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    shutil.rmtree(folder, ignore_errors=True)


def _first_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[0] if lines else "unknown"
