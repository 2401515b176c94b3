"""One function over many shards, in this process or in several."""

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any, TypeVar

Result = TypeVar("Result")
_SHARED: tuple = ()


def each_shard(
    work: Callable[..., Result], jobs: list[tuple], shared: tuple, workers: int
) -> Iterator[Result]:
    """Yield `work(*job, *shared)` for each job, in the order of the jobs.

    `shared` reaches the processes by fork, without a copy: an index of benchmark n-grams is large.
    """
    global _SHARED
    workers = min(workers, len(jobs))
    if workers <= 1:
        for job in jobs:
            yield work(*job, *shared)
        return
    _SHARED = (work, shared)
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("fork")) as pool:
        yield from pool.map(_one, jobs)


def _one(job: tuple) -> Any:
    work, shared = _SHARED
    return work(*job, *shared)
