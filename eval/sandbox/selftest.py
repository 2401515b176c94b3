"""Attacks on a fresh sandbox, before it is trusted: `reached(run)` names what a program got at.

What the kernel agreed to set up is one thing, what then holds is another (a container may answer calls and do nothing);
only the second counts. One program tries everything in about ten milliseconds. It is a spot check of each wall, not
the hostile suite of the tests.
"""

import os
from collections.abc import Callable
from typing import Any

HOST_FILES = "files of the host"
# What a program must not reach, and a statement that fails where it does not
_PROBES = {
    HOST_FILES: "open(HOST_FILE).read()",
    "writing to the host": "open('/tmp/.sandbox-escape', 'w'); os.unlink('/tmp/.sandbox-escape')",
    "the environment": "assert len(os.environ) + len(os.environb)",
    "other processes": "assert any(name.isdigit() for name in os.listdir('/proc'))",
    "signals to others": "os.kill(os.getppid(), 0)",
    "signals to the host": "os.kill(HOST, 0)",
    "tracing": "assert libc.ptrace(16, os.getppid(), 0, 0) == 0",
    "memory of others": "assert libc.syscall(310, os.getppid(), None, 0, None, 0, 0) >= 0",
    "the network": "socket.socket(socket.AF_INET)",
    "named sockets": "socket.socket(socket.AF_UNIX).bind(chr(0) + 'escape')",
    "hidden files": "os.memfd_create('x')",
    "namespaces of its own": "assert libc.unshare(0x10000000) == 0",
    "higher limits": "resource.setrlimit(resource.RLIMIT_AS, (-1, -1))",
    "new processes": "os._exit(0) if os.fork() == 0 else os.wait()",
}
_END = "end of the probes"
_NEW_PROGRAMS, _TIME = "other programs", "time without limit"


def reached(run: Callable[[bytes, float], Any]) -> list[str]:
    """What a program reached; an empty list is what is wanted. `run(source, seconds)` gives an Execution."""
    result = run(_program().encode(), 10.0)
    lines = result.stdout.splitlines()
    found = [name for name in _PROBES if name in lines]

    # The last probe became another program, or the sandbox cannot run anything.
    if _END not in lines:
        error = result.stderr.strip()
        found.append(f"nothing: no program runs ({error})" if result.stderr else _NEW_PROGRAMS)

    if run(b"while True: pass", 0.05).status != "timeout":
        found.append(_TIME)
    return found


def _program() -> str:
    """All probes as one program: each prints its name where it got through."""
    head = (
        "import ctypes, os, resource, socket, sys\n"
        "libc = ctypes.CDLL(None)\n"
        f"HOST, HOST_FILE = {os.getpid()}, {os.path.abspath(__file__)!r}\n"
    )
    probes = "".join(
        f"try:\n    {body}\n    print({name!r})\nexcept BaseException: pass\n"
        for name, body in _PROBES.items()
    )
    leave = "sys.stdout.flush()\ntry: os.execv(sys.executable, [sys.executable, '-c', ''])\nexcept OSError: pass\n"
    return f"{head}{probes}{leave}print({_END!r})\n"
