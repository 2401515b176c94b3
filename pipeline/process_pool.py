"""One function over many jobs, in this process or in several: the pool that every stage uses.

The sandbox (`eval.sandbox`) has a pool of its own: its workers run programs that nobody trusts.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any, Literal, TypeVar

Result = TypeVar("Result")


def run_jobs(
    work: Callable[..., Result],
    jobs: Sequence[tuple],
    workers: int,
    *,
    shared: tuple = (),
    start: Literal["spawn", "fork"] = "spawn",
    ahead: int | None = None,
) -> Iterator[Result]:
    """Yield `work(*job, *shared)` for each job, in the order of the jobs.

    Args:
        work: a function of a module's top level, for processes that are spawned import it by name.
        jobs: the arguments of each call.
        workers: how many processes. With one, or for a single job, everything runs in this process.
        shared: arguments that are the same in every call; each process receives them once.
        start: "spawn" is safe beside threads (tokenizers, DuckDB, OpenMP). "fork" hands large `shared`
            objects over without a copy, and is only for a process that has no such threads yet.
        ahead: how many jobs may have been given out beyond the one whose result comes next; None
            gives out all of them. A caller that may stop early sets it.

    When the caller stops early or a job fails, jobs that have not begun are cancelled.
    """
    workers = min(workers, len(jobs))
    if workers <= 1:
        for job in jobs:
            yield work(*job, *shared)
        return

    waiting: deque[Future[Result]] = deque()
    with ProcessPoolExecutor(workers, get_context(start), _remember, (work, shared)) as pool:
        try:
            for job in jobs:
                waiting.append(pool.submit(_run, job))
                if ahead is not None and len(waiting) > ahead:
                    yield waiting.popleft().result()

            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


# What a worker process was started for. An argument of each call would be pickled with each job.
_work: Callable[..., Any]
_shared: tuple


def _remember(work: Callable[..., Any], shared: tuple) -> None:
    global _work, _shared
    _work, _shared = work, shared


def _run(job: tuple) -> Any:
    return _work(*job, *_shared)
