"""The process of one program: its limits, then the program itself. Never returns."""

import contextlib
import linecache
import os
import resource
import signal
import sys
import threading
import traceback
import types

from eval.sandbox import linux
from eval.sandbox.seccomp import Filter

EXIT_MEMORY = 77  # exit status that stands for a MemoryError
_NAME = "program.py"
_THREADS = 32
_OPEN_FILES = 64


def run_program(
    source: bytes, streams: tuple[int, int, int], seconds: float, memory: int, *, ruleset: int | None,
    seccomp: Filter | None, limit_processes: bool, file_bytes: int,
) -> None:  # fmt: skip
    """Become the program: standard streams, limits, isolation, then its code. Ends the process.

    `memory`: bytes of address space; `ruleset`: Landlock's; `file_bytes`: largest file it may write.
    """
    # The order matters: Landlock needs its ruleset's descriptor, which closerange then closes; the filter comes last,
    # since it forbids the calls that set up the rest.
    code = 1
    try:
        linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
        for target, stream in enumerate(streams):
            os.dup2(stream, target)

        if ruleset is not None:
            linux.landlock_restrict(ruleset)
        os.closerange(3, 256)
        _limit(seconds, memory, limit_processes, file_bytes)
        if seccomp is not None:
            seccomp.install()

        code = _execute(source)
    except BaseException:
        with contextlib.suppress(BaseException):
            traceback.print_exc()
    finally:
        # Never back into the supervisor's code, whatever happened.
        os._exit(code)


def _limit(seconds: float, memory: int, limit_processes: bool, file_bytes: int) -> None:
    """Set the resource limits, for good: hard limits too."""
    cpu = int(seconds) + 3  # reached before the deadline by programs with many threads only
    limits = {
        resource.RLIMIT_AS: memory,
        resource.RLIMIT_CPU: cpu,
        resource.RLIMIT_FSIZE: file_bytes,
        resource.RLIMIT_NOFILE: _OPEN_FILES,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_MEMLOCK: 0,
        resource.RLIMIT_MSGQUEUE: 0,
    }
    if limit_processes:
        limits[resource.RLIMIT_NPROC] = _THREADS

    for kind, value in limits.items():
        hard = resource.getrlimit(kind)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        # The end of CPU time is announced by SIGXCPU, which tells it from other deaths, a second before SIGKILL.
        soft = value - 1 if kind == resource.RLIMIT_CPU else value
        resource.setrlimit(kind, (soft, value))

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a file that grows too large is an OSError


def _execute(source: bytes) -> int:
    """Run the code as `__main__`; the exit status as the interpreter would give it, or EXIT_MEMORY."""
    module = types.ModuleType("__main__")
    module.__dict__.update(__builtins__=sys.modules["builtins"], __file__=_NAME)
    sys.modules["__main__"] = module
    sys.argv = [_NAME]

    status = 0
    try:
        exec(compile(source, _NAME, "exec", dont_inherit=True), module.__dict__)
        # As the interpreter does at its end
        for thread in threading.enumerate():
            if thread is not threading.current_thread() and not thread.daemon:
                thread.join()
    except SystemExit as leaving:
        status = _exit_status(leaving.code)
    except MemoryError:
        status = EXIT_MEMORY
    except BaseException as error:
        status = 1
        _report(error, source)

    # What is still buffered counts, and may fail as the program may.
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except MemoryError:
        return EXIT_MEMORY
    except Exception:
        return status or 1
    return status


def _exit_status(code: object) -> int:
    """What `sys.exit(code)` means."""
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    print(code, file=sys.stderr)
    return 1


def _report(error: BaseException, source: bytes) -> None:
    """The traceback, with the program's lines and without our frames."""
    text = source.decode("utf-8", "replace")
    linecache.cache[_NAME] = (len(source), None, text.splitlines(keepends=True), _NAME)
    frames = error.__traceback__.tb_next if error.__traceback__ else None
    sys.stderr.write("".join(traceback.format_exception(type(error), error, frames)))
