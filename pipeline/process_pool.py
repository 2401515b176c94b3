"""One function over many jobs, in this process or in several: the pool that every stage uses.

The sandbox (`eval.sandbox`) has a pool of its own: its workers run programs that nobody trusts.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from functools import partial
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
    on_failure: Callable[..., Result] | None = None,
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
        on_failure: called with a job's arguments when the job or its process failed; what it returns
            takes the place of the result. Without it the job's error is raised.

    When the caller stops early or a job's error is raised, jobs that have not begun are cancelled.
    """
    workers = min(workers, len(jobs))
    if workers <= 1:
        for job in jobs:
            yield _result(partial(work, *job, *shared), job, on_failure)
        return

    waiting: deque[tuple[Future[Result], tuple]] = deque()

    def next_result() -> Result:
        future, job = waiting.popleft()
        return _result(future.result, job, on_failure)

    with ProcessPoolExecutor(workers, get_context(start), _remember, (work, shared)) as pool:
        try:
            for job in jobs:
                waiting.append((pool.submit(_run, job), job))
                if ahead is not None and len(waiting) > ahead:
                    yield next_result()

            while waiting:
                yield next_result()
        finally:
            for future, _ in waiting:
                future.cancel()


def _result(
    compute: Callable[[], Result], job: tuple, on_failure: Callable[..., Result] | None
) -> Result:
    """What `compute` returns, or what takes its place where it fails."""
    if on_failure is None:
        return compute()
    try:
        return compute()
    except Exception:
        return on_failure(*job)


# What a worker process was started for. An argument of each call would be pickled with each job.
_work: Callable[..., Any]
_shared: tuple


def _remember(work: Callable[..., Any], shared: tuple) -> None:
    global _work, _shared
    _work, _shared = work, shared


def _run(job: tuple) -> Any:
    return _work(*job, *_shared)
