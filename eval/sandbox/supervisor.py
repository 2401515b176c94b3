"""The warm process that forks once per program: `python -m eval.sandbox.supervisor FD OPTIONS`, started by the pool.

It reads requests from the socket FD and answers with results that it alone builds: a program's process cannot reach
the socket. Started by exec with an empty environment, so that nothing of the host's memory, files or variables is
there to be read. numpy and sympy are imported when the first program mentions them, and stay.
"""

import contextlib
import gc
import io
import json
import os
import select
import shutil
import signal
import socket
import struct
import sys
import time
from typing import Any

from eval.sandbox import child, confine, linux, seccomp
from eval.sandbox.warmup import LIBRARIES, warm

# The protocol, spoken by eval.sandbox.pool on the other side
REQUEST = struct.Struct("!dQI")  # seconds, bytes of memory, length of the program
RESULT = struct.Struct("!B?dII")  # status, may more come?, seconds, lengths of stdout and stderr
STATUSES = ("ok", "error", "timeout", "memory", "output", "killed")
MAX_OUTPUT = 64 * 1024  # bytes of each stream
MAX_PROGRAM = 4 * 1024 * 1024
_READ = 65536
# A read begins below MAX_OUTPUT at the latest and brings at most _READ.
_STREAM = MAX_OUTPUT + _READ


def main() -> None:
    channel = socket.socket(fileno=int(sys.argv[1]))
    channel.set_inheritable(False)
    options = json.loads(sys.argv[2])
    os.environ.clear()

    try:
        state, statm = _confine(options)
    except OSError as error:
        _send(channel, json.dumps({"failed": str(error)}).encode())
        return

    supervisor = Supervisor(channel, state, statm, options)
    supervisor.serve()


def _confine(options: dict[str, Any]) -> tuple[confine.Confinement, int]:
    """Give up everything that is not needed; returns what holds, and a descriptor to read our own size from."""
    # Short of memory, the machine shall end a program, not the training beside it.
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")

    state = confine.Confinement(readable=confine.library_folders(options["repository"]))
    without = options["without"]
    number = os.getpid()  # on the host: in a namespace of its own every supervisor is process 1

    state.namespaces = "namespaces" not in without and confine.unshare_namespaces()
    if state.namespaces:
        _continue_as_first_process()

    # The new root has no /proc and no /dev: what is needed of them is opened before.
    statm = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
    null = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(null, stream)
    os.close(null)

    if state.namespaces:
        socket.sethostname("sandbox")
        confine.build_root(state.readable, options["repository"], options["disk_mb"])
        state.box = confine.BOX
    else:
        os.chdir(options["empty"])
        state.readable.append(options["empty"])

    # Another user must still be able to read Python: where it lies below /root, only in a root of our own.
    reachable = state.namespaces or confine.readable_by_others(state.readable)
    state.own_user = confine.drop_privileges(reachable, number)

    state.landlock = 0 if "landlock" in without else linux.landlock_abi()
    return state, statm


def _continue_as_first_process() -> None:
    """Go on as process 1 of the new namespace: when it ends, the kernel ends all that is left in there."""
    pid = os.fork()
    if pid == 0:
        return
    os.closerange(3, 256)
    with contextlib.suppress(KeyboardInterrupt):
        os.waitpid(pid, 0)
    os._exit(0)


def _send(channel: socket.socket, payload: bytes) -> None:
    channel.sendall(struct.pack("!I", len(payload)) + payload)


class Supervisor:
    """Serves programs one after another until the host's end of the socket closes."""

    def __init__(
        self,
        channel: socket.socket,
        state: confine.Confinement,
        statm: int,
        options: dict[str, Any],
    ) -> None:
        self.channel = channel
        self.state = state
        self.statm = statm

        # Texts pass through these alone and are wiped after each program: the next one must not find them in its
        # memory, which is a copy of ours.
        self.source = bytearray(MAX_PROGRAM)
        self.streams = (bytearray(_STREAM), bytearray(_STREAM))
        self.used = [0, 0]  # bytes of each stream that count
        self.filled = [0, 0]  # bytes of each buffer that were ever written

        box = [state.box] if state.box else []
        self.ruleset = linux.landlock_ruleset(state.readable, box) if state.landlock else None

        # Limits of processes count all of a user's, so they hold only where the user is ours alone; and without them
        # threads are not allowed.
        self.bounded = state.own_user or state.namespaces
        self.filter: seccomp.Filter | None = None
        if "seccomp" not in options["without"] and seccomp.available():
            self.filter = seccomp.Filter(threads=self.bounded)
        self.disk = options["disk_mb"] * 1024 * 1024 if state.box else 0

        # When the host dies, so do we, and with us the running program.
        linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
        self.level = {
            "namespaces": state.namespaces,
            "landlock": state.landlock,
            "seccomp": self.filter is not None,
            "own_user": state.own_user,
        }

        # Programs import installed packages, never this project.
        sys.path[:] = [path for path in sys.path if path and path != options["repository"]]
        # A program that is killed has then shown its whole lines.
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(line_buffering=True)

    def serve(self) -> None:
        """Say what holds, then run programs until the host leaves."""
        _send(self.channel, json.dumps({"level": self.level}).encode())

        # Frozen objects are not visited by the collector, so a fork does not copy their pages.
        gc.collect()
        gc.freeze()

        header = bytearray(REQUEST.size)
        while True:
            self._receive(memoryview(header))
            seconds, memory, length = REQUEST.unpack(header)
            self._receive(memoryview(self.source)[:length])

            self._warm(length)
            status, elapsed, sizes = self._run(length, seconds, memory)
            clean = self._empty_box()

            self.channel.sendall(RESULT.pack(STATUSES.index(status), clean, elapsed, *sizes))
            for stream, size in zip(self.streams, sizes, strict=True):
                self.channel.sendall(memoryview(stream)[:size])

            self._wipe(length)

    def _receive(self, target: memoryview) -> None:
        """Fill `target`; the end of the socket is our end."""
        while len(target):
            count = self.channel.recv_into(target)
            if not count:
                os._exit(0)
            target = target[count:]

    def _wipe(self, length: int) -> None:
        """Leave nothing of this program in the memory that the next one inherits."""
        self.source[:length] = bytes(length)
        for stream, filled in zip(self.streams, self.filled, strict=True):
            stream[:filled] = bytes(filled)

    def _warm(self, length: int) -> None:
        """Import what the program will import, once for all programs."""
        if warm({name for name in LIBRARIES if self.source.find(name.encode(), 0, length) >= 0}):
            gc.collect()
            gc.freeze()

    def _run(self, length: int, seconds: float, memory: int) -> tuple[str, float, tuple[int, int]]:
        """Run the program in `self.source`; status, seconds, and how much of `self.streams` it filled."""
        self.used, self.filled = [0, 0], [0, 0]

        pipes = [os.pipe2(os.O_CLOEXEC) for _ in range(3)]
        (stdin, no_input), out, err = pipes
        os.close(no_input)  # reading finds the end at once

        # The limit of address space counts what the program inherits from us.
        pages = int(os.pread(self.statm, 64, 0).split()[0])
        size = pages * os.sysconf("SC_PAGE_SIZE")

        start = time.monotonic()
        try:
            pid = os.fork()
        except OSError:  # no memory or processes left on the machine
            for end in (stdin, *out, *err):
                os.close(end)
            text = b"no process could be started\n"
            self.streams[1][: len(text)], self.used = text, [0, len(text)]
            self.filled = [0, len(text)]
            return "killed", 0.0, (0, len(text))

        if pid == 0:
            child.run_program(
                bytes(self.source[:length]), (stdin, out[1], err[1]), seconds, size + memory, ruleset=self.ruleset,
                seccomp=self.filter, limit_processes=self.bounded, file_bytes=self.disk,
            )  # fmt: skip

        for end in (stdin, out[1], err[1]):
            os.close(end)
        reason = self._watch(pid, (out[0], err[0]), start + seconds)

        _, wait_status = os.waitpid(pid, 0)
        status = reason or _status(wait_status)
        out_size, err_size = (min(used, MAX_OUTPUT) for used in self.used)
        return status, time.monotonic() - start, (out_size, err_size)

    def _watch(self, pid: int, pipes: tuple[int, int], deadline: float) -> str | None:
        """Collect both streams until they end; kill at the deadline, at too much output, or when the host leaves."""
        # A pidfd besides the pipes: a program may close its streams and go on, or leave children that hold them open.
        poll = select.poll()
        for pipe in pipes:
            poll.register(pipe, select.POLLIN)
        poll.register(self.channel, select.POLLRDHUP)
        process = os.pidfd_open(pid)
        poll.register(process, select.POLLIN)

        reason: str | None = None
        open_pipes = set(pipes)
        while open_pipes:
            left = deadline - time.monotonic()
            # Killed, it has a second to end: a child that was left behind may hold its streams for ever.
            events = poll.poll(max(0, left * 1000)) if reason is None else poll.poll(1000)

            if not events and reason is None:
                reason = "timeout"
                os.kill(pid, signal.SIGKILL)
            elif not events:
                break
            for descriptor, _ in events:
                if descriptor == self.channel.fileno():
                    # The host is gone; our process namespace and PDEATHSIG end the program.
                    os._exit(0)
                if descriptor == process:
                    poll.unregister(process)
                    continue
                if not self._read(descriptor, pipes.index(descriptor), keep=reason is None):
                    open_pipes.discard(descriptor)
                    poll.unregister(descriptor)
                elif reason is None and max(self.used) > MAX_OUTPUT:
                    reason = "output"
                    os.kill(pid, signal.SIGKILL)

        if reason is None:
            left = max(0.0, deadline - time.monotonic())
            ended, _, _ = select.select([process], [], [], left)
            if not ended:
                reason = "timeout"  # it closed its streams and went on
                os.kill(pid, signal.SIGKILL)

        for descriptor in (*pipes, process):
            os.close(descriptor)
        return reason

    def _read(self, descriptor: int, stream: int, keep: bool) -> int:
        """Bytes read into the stream's buffer (0 at its end); without `keep` they are dropped."""
        # Beyond MAX_OUTPUT every read overwrites the last: the buffer never grows.
        place = min(self.used[stream], MAX_OUTPUT)
        count = os.readv(descriptor, [memoryview(self.streams[stream])[place : place + _READ]])
        self.filled[stream] = max(self.filled[stream], place + count)
        self.used[stream] += count if keep else 0
        return count

    def _empty_box(self) -> bool:
        """Leave nothing for the next program. False: it cannot be emptied, and the pool must replace this worker."""
        if self.state.box is None or not os.listdir(self.state.box):
            return True

        # A program may have taken itself the right to delete its folders.
        def make_removable(_function: object, path: str, _error: object) -> None:
            os.chmod(path, 0o700)
            if os.path.isdir(path):
                shutil.rmtree(path)
            else:
                os.unlink(path)

        try:
            for name in os.listdir(self.state.box):
                path = os.path.join(self.state.box, name)
                if os.path.isdir(path) and not os.path.islink(path):
                    shutil.rmtree(path, onerror=make_removable)
                else:
                    os.unlink(path)
        except (OSError, RecursionError):
            return False
        return not os.listdir(self.state.box)


def _status(wait_status: int) -> str:
    """The name of a program's end that we did not bring about."""
    if os.WIFSIGNALED(wait_status):
        return "timeout" if os.WTERMSIG(wait_status) == signal.SIGXCPU else "killed"

    code = os.WEXITSTATUS(wait_status)
    if code == child.EXIT_MEMORY:
        return "memory"
    return "ok" if code == 0 else "error"


if __name__ == "__main__":
    main()
