"""Run model-written Python in isolation: `with Sandbox(timeout=10) as box: box.run_many(programs)`.

pool.py     the host's side: workers, time-outs, healing; results are built here and in supervisor.py only
supervisor.py  a warm process with an empty environment that forks once per program
confine.py  what the supervisor gives up for good: namespaces, file system, user, capabilities
child.py    what a program gives up on top (limits, Landlock, seccomp), and how it is run
selftest.py  attacks on a fresh sandbox, before it is trusted
warmup.py   what is imported once for all programs
seccomp.py  the filter of system calls
linux.py    the kernel's calls that Python does not offer
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eval.sandbox.pool import Execution, Sandbox, SandboxUnavailable

__all__ = ["Execution", "Sandbox", "SandboxUnavailable"]


def __getattr__(name: str) -> object:
    """Load the host's side only in the host: every page that the supervisor holds is copied at each fork."""
    if name in __all__:
        from eval.sandbox import pool

        return getattr(pool, name)
    raise AttributeError(name)
