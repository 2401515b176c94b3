"""Extraction under a watchdog: the work is done in a child process that can be killed.

Native code cannot be interrupted from inside its process, by signals or threads. The child writes what it is working
on into shared memory; when one record takes longer than the limit, or the child dies of it, the parent kills it,
counts that record under a reason, and starts another child behind it. Pages that behave cost nothing extra.

The limit is processor time, so that a busy machine changes no result; the clock only ends what waits for ever.
Reads /proc: this module works on Linux.
"""

import mmap
import multiprocessing
import os
import pickle
import resource
import signal
import struct
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from pipeline.errors import UserError

_STATE = struct.Struct(
    "<qddH"
)  # number of the item (-1: none); processor and clock time at its begin; bytes of label
_LABEL_BYTES = 3_000
_WAITING = 30  # times the limit, in wall-clock time: for an item that waits instead of working
_fork = multiprocessing.get_context("fork")


@dataclass(frozen=True, slots=True)
class Failure:
    """An item that its process did not survive."""

    label: Any  # what `label` gave for it
    reason: str  # "timeout", "memory" or "crash"
    detail: str


def guarded(
    items: Callable[[], Iterable[Any]],
    work: Callable[[Any], Any],
    label: Callable[[Any], tuple],
    seconds: float,
    memory_mb: int,
) -> Iterator[Any]:
    """`work(item)` for every item, in order, or a `Failure` in its place.

    Args:
        items: called in the child, again after every restart; must give the same items in the same order.
        work: must not fail for a reason of its own; an exception ends the run.
        label: a short picklable description of an item, carried by its Failure.
        seconds: limit for one item, processor time.
        memory_mb: address space of the child beyond what it inherits.

    A UserError in the child is raised here; any other exception as RuntimeError with the child's traceback.
    """
    start = 0
    while start >= 0:
        start = yield from _run_child(items, work, label, seconds, memory_mb, start)


def _run_child(items, work, label, seconds: float, memory_mb: int, start: int) -> Iterator[Any]:
    """Run one child from item `start`; return where the next one must begin, or -1 at the end."""
    state = mmap.mmap(-1, _STATE.size + _LABEL_BYTES)
    state[: _STATE.size] = _STATE.pack(-1, 0.0, 0.0, 0)
    receiver, sender = _fork.Pipe(duplex=False)
    child = _fork.Process(
        target=_child, args=(items, work, label, memory_mb, start, state, sender), daemon=True
    )
    child.start()
    sender.close()
    number, failed = start, ""
    try:
        while not failed:
            if not receiver.poll(min(0.25, seconds / 4)):
                failed = "timeout" if _overdue(state, child.pid, seconds) else ""
                continue
            try:
                kind, value = pickle.loads(receiver.recv_bytes())
            except EOFError:
                failed = "crash"
                continue
            if kind == "end":
                return -1
            if kind == "user_error":
                raise UserError(value)
            if kind == "error":
                raise RuntimeError(value)
            number += 1
            yield value
    finally:
        child.kill()
        child.join()
        receiver.close()
    yield _failure(state, failed, seconds, memory_mb, child.exitcode)
    return number + 1


def _overdue(state: mmap.mmap, pid: int, seconds: float) -> bool:
    begun, worked, since, _ = _STATE.unpack_from(state)
    if begun < 0:
        return False
    return (
        _processor_seconds(pid) - worked > seconds or time.monotonic() - since > _WAITING * seconds
    )


def _processor_seconds(pid: int) -> float:
    """User and system time of a process (proc(5): fields 14 and 15 of stat, counted behind the name's bracket)."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _failure(
    state: mmap.mmap, reason: str, seconds: float, memory_mb: int, status: int | None
) -> Failure:
    begun, _, _, size = _STATE.unpack_from(state)
    if begun < 0:
        raise RuntimeError(f"the extracting process ended with status {status} between two records")
    label = pickle.loads(state[_STATE.size : _STATE.size + size])
    detail = f"more than {seconds:g} s"
    if reason == "crash":
        # Rust and C++ abort when an allocation fails.
        reason = "memory" if status == -signal.SIGABRT else "crash"
        detail = (
            f"more than {memory_mb} MB"
            if reason == "memory"
            else f"process ended with status {status}"
        )
    return Failure(label, reason, detail)


def _child(
    items, work, label, memory_mb: int, start: int, state: mmap.mmap, sender: Connection
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    _limit_memory(memory_mb)
    try:
        for number, item in enumerate(items()):
            if number < start:
                continue
            _announce(state, number, label(item))
            sender.send_bytes(pickle.dumps(("item", work(item)), protocol=5))
            state[: _STATE.size] = _STATE.pack(-1, 0.0, 0.0, 0)
        message = ("end", None)
    except UserError as error:
        message = ("user_error", str(error))
    except BrokenPipeError:
        os._exit(1)  # the parent is gone
    except BaseException as error:
        import traceback

        message = ("error", "".join(traceback.format_exception(error)))
    sender.send_bytes(pickle.dumps(message))
    sender.close()
    os._exit(0)


def _announce(state: mmap.mmap, number: int, label: tuple) -> None:
    packed = pickle.dumps(label)
    if len(packed) > _LABEL_BYTES:
        packed = pickle.dumps(
            tuple(part[:200] if isinstance(part, str) else part for part in label)
        )
    state[_STATE.size : _STATE.size + len(packed)] = packed
    state[: _STATE.size] = _STATE.pack(number, time.process_time(), time.monotonic(), len(packed))


def _limit_memory(memory_mb: int) -> None:
    with open("/proc/self/statm") as statm:
        inherited = int(statm.read().split()[0]) * resource.getpagesize()
    limit = inherited + memory_mb * (1 << 20)
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (limit if hard < 0 else min(limit, hard), hard))
