"""Several micro-batches at a time on the cores of one processor.

Small models leave cores idle when each operation is split over them, so whole micro-batches go to threads of their
own (PyTorch releases the interpreter lock while it computes). Results come back in order, and each micro-batch
is computed by one thread, so sums over them have the same bits on any number of cores.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import TypeVar

import torch

Item = TypeVar("Item")
Result = TypeVar("Result")


def ordered_map(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """Yield `function(item)` in order, computed on as many threads as torch may use.

    Items are taken from the iterable as they are needed, and few results wait at a time.
    """
    workers, pool = _pool()
    waiting: deque[Future[Result]] = deque()

    for item in items:
        waiting.append(pool.submit(function, item))
        # One more than there are threads, so that none is idle while a result is used.
        if len(waiting) > workers:
            yield waiting.popleft().result()

    while waiting:
        yield waiting.popleft().result()


@cache
def _pool() -> tuple[int, ThreadPoolExecutor]:
    """As many threads as torch would use (OMP_NUM_THREADS, or the machine's cores), each computing alone."""
    workers = torch.get_num_threads()
    pool = ThreadPoolExecutor(
        workers, "micro-batch", initializer=torch.set_num_threads, initargs=(1,)
    )
    return workers, pool
