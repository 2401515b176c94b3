"""Extraction under a watchdog: the work is done in a child process that can be killed.

Native code cannot be interrupted from inside its process, by signals or threads. The child writes
what it is working on into shared memory; when one record takes longer than the limit, or the child
dies of it, the parent kills it, counts that record under a reason, and starts another child with
the next record. Pages that behave cost nothing extra.

The limit is processor time, so that a busy machine changes no result; the clock only ends what
waits forever. Reads /proc: this module works on Linux.
"""

import mmap
import multiprocessing
import os
import pickle
import resource
import signal
import struct
import time
import traceback
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Generic, TypeVar

from pipeline.errors import UserError

Item = TypeVar("Item")
Result = TypeVar("Result")
Label = tuple[str | int, ...]

_LABEL_BYTES = 3_000
_WAITING = 30  # times the limit, in wall-clock time: for an item that waits instead of working
_POLL = 0.25  # seconds between two looks at the child, at most
_END = -1  # there is no next item

# The child starts in the state of its parent: open files and imported libraries cost nothing.
_fork = multiprocessing.get_context("fork")


@dataclass(frozen=True, slots=True)
class Failure:
    """An item that its process did not survive."""

    label: Label  # what `label` gave for it
    reason: str  # "timeout", "memory" or "crash"
    detail: str


@dataclass(frozen=True, slots=True)
class _Work(Generic[Item, Result]):
    """What a child does, and within which limits; see `guarded`."""

    items: Callable[[], Iterable[Item]]
    work: Callable[[Item], Result]
    label: Callable[[Item], Label]
    seconds: float
    memory_mb: int


def guarded(
    items: Callable[[], Iterable[Item]],
    work: Callable[[Item], Result],
    label: Callable[[Item], Label],
    seconds: float,
    memory_mb: int,
) -> Iterator[Result | Failure]:
    """`work(item)` for every item, in order, or a `Failure` in its place.

    Args:
        items: called in the child, again after every restart; must give the same items in the same
            order.
        work: must not fail for a reason of its own; an exception ends the run.
        label: a short picklable description of an item, carried by its Failure.
        seconds: limit for one item, processor time.
        memory_mb: address space of the child beyond what it inherits.

    A UserError in the child is raised here; any other exception as RuntimeError with the child's
    traceback.
    """
    todo = _Work(items, work, label, seconds, memory_mb)
    start = 0
    while start != _END:
        start = yield from _run_child(todo, start)


def _run_child(todo: _Work[Item, Result], start: int) -> Generator[Result | Failure, None, int]:
    """Run one child from item `start`; return where the next one must begin, or _END."""
    state = _SharedState()
    receiver, sender = _fork.Pipe(duplex=False)
    child = _fork.Process(target=_child, args=(todo, start, state, sender), daemon=True)
    child.start()
    # Only the child may hold the sending end: else its death would not end the stream.
    sender.close()

    number = start
    failed = ""
    try:
        while not failed:
            if not receiver.poll(min(_POLL, todo.seconds / 4)):
                if _is_overdue(state, child.pid, todo.seconds):
                    failed = "timeout"
                continue
            try:
                kind, value = pickle.loads(receiver.recv_bytes())
            except EOFError:
                failed = "crash"
                continue

            match kind:
                case "item":
                    number += 1
                    yield value
                case "end":
                    return _END
                case "user_error":
                    raise UserError(value)
                case _:
                    raise RuntimeError(value)
    finally:
        child.kill()
        child.join()
        receiver.close()

    yield _failure(state, failed, todo, child.exitcode)
    return number + 1


# ---- the item in work, in memory that both processes see ----


@dataclass(frozen=True, slots=True)
class _Begin:
    """When the child began with the item in work."""

    processor_time: float  # seconds, of the child
    clock: float  # seconds, monotonic: the same clock in both processes


class _SharedState:
    """Holds at most one item: the child writes it, the parent reads it when the child is silent."""

    # Is there an item; processor and clock time at its start; bytes of the pickled label that
    # follows this head.
    HEAD = struct.Struct("<?ddH")

    def __init__(self) -> None:
        self.memory = mmap.mmap(-1, self.HEAD.size + _LABEL_BYTES)
        self.clear()

    def clear(self) -> None:
        self.memory[: self.HEAD.size] = self.HEAD.pack(False, 0.0, 0.0, 0)

    def begin(self, label: Label) -> None:
        """Note that the child starts an item. Long texts in the label are cut."""
        packed = pickle.dumps(tuple(label))
        if len(packed) > _LABEL_BYTES:
            short = tuple(part[:200] if isinstance(part, str) else part for part in label)
            packed = pickle.dumps(short)

        # The head comes last: it says that the label is whole.
        size = self.HEAD.size
        self.memory[size : size + len(packed)] = packed
        now = self.HEAD.pack(True, time.process_time(), time.monotonic(), len(packed))
        self.memory[:size] = now

    def begun(self) -> _Begin | None:
        """When the item in work was begun; None between two items."""
        is_working, processor_time, clock, _ = self.HEAD.unpack_from(self.memory)
        return _Begin(processor_time, clock) if is_working else None

    def label(self) -> Label | None:
        """The item in work, if there is one. For a dead child only: a live one may be writing."""
        is_working, _, _, length = self.HEAD.unpack_from(self.memory)
        if not is_working:
            return None
        size = self.HEAD.size
        return pickle.loads(self.memory[size : size + length])


# ---- in the parent ----


def _is_overdue(state: _SharedState, pid: int | None, seconds: float) -> bool:
    begun = state.begun()
    if begun is None or pid is None:
        return False
    worked = _processor_seconds(pid) - begun.processor_time
    waited = time.monotonic() - begun.clock
    return worked > seconds or waited > _WAITING * seconds


def _processor_seconds(pid: int) -> float:
    """User and system time of a process, in seconds (proc(5): fields 14 and 15 of stat)."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            # The second field, a name in brackets, may hold spaces: count from after it.
            fields = stat.read().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0.0
    ticks = int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _failure(
    state: _SharedState, reason: str, todo: _Work[Item, Result], status: int | None
) -> Failure:
    label = state.label()
    if label is None:
        raise RuntimeError(f"the extracting process ended with status {status} between two records")

    if reason == "timeout":
        return Failure(label, "timeout", f"more than {todo.seconds:g} s")
    # Rust and C++ abort when an allocation fails.
    if status == -signal.SIGABRT:
        return Failure(label, "memory", f"more than {todo.memory_mb} MB")
    return Failure(label, "crash", f"process ended with status {status}")


# ---- in the child ----


def _child(todo: _Work[Item, Result], start: int, state: _SharedState, sender: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    _limit_memory(todo.memory_mb)

    message: tuple[str, str]
    try:
        for number, item in enumerate(todo.items()):
            if number < start:
                continue
            state.begin(todo.label(item))
            outcome = ("item", todo.work(item))
            sender.send_bytes(pickle.dumps(outcome, protocol=5))
            state.clear()
        message = ("end", "")
    except UserError as error:
        message = ("user_error", str(error))
    except BrokenPipeError:
        os._exit(1)  # the parent is gone
    except BaseException as error:  # native extensions panic with exceptions that are no Exception
        message = ("error", "".join(traceback.format_exception(error)))
    sender.send_bytes(pickle.dumps(message))
    sender.close()

    # No clean-up: buffers and exit handlers that were inherited belong to the parent.
    os._exit(0)


def _limit_memory(megabytes: int) -> None:
    """Limit the address space of this process to so much beyond what it has inherited."""
    with open("/proc/self/statm") as statm:
        pages = int(statm.read().split()[0])
    inherited = pages * resource.getpagesize()
    limit = inherited + megabytes * (1 << 20)

    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
