"""The pool for a stage's jobs: results in order, shared arguments, stopping early, failures."""

import os
import signal
import time

import pytest

from pipeline.process_pool import run_jobs


def scaled(number: int, factor: int) -> tuple[int, int]:
    """Later jobs finish first, so that order is the pool's doing."""
    time.sleep(0.02 * (4 - number % 4))
    return number * factor, os.getpid()


def failing(number: int) -> int:
    if number == 2:
        raise ValueError("job two")
    return number


def leave_a_mark(folder: str, number: int) -> int:
    with open(os.path.join(folder, str(number)), "w"):
        return number


@pytest.mark.parametrize(("workers", "start"), [(1, "spawn"), (2, "spawn"), (2, "fork")])
def test_results_come_in_the_order_of_the_jobs(workers, start):
    jobs = [(number,) for number in range(6)]
    results = list(run_jobs(scaled, jobs, workers, shared=(10,), start=start))
    assert [value for value, _ in results] == [0, 10, 20, 30, 40, 50]
    here = {process == os.getpid() for _, process in results}
    assert here == {workers == 1}


def test_a_single_job_and_none_need_no_process():
    assert list(run_jobs(scaled, [(3,)], 8, shared=(2,))) == [(6, os.getpid())]
    assert list(run_jobs(scaled, [], 8, shared=(2,))) == []


def test_a_caller_that_stops_early_has_few_jobs_begun(tmp_path):
    jobs = [(str(tmp_path), number) for number in range(50)]
    results = run_jobs(leave_a_mark, jobs, 2, start="fork", ahead=2)
    assert next(results) == 0
    results.close()
    assert len(list(tmp_path.iterdir())) <= 3


@pytest.mark.parametrize("workers", [1, 2])
def test_a_failure_reaches_the_caller_behind_the_results_before_it(workers):
    results = run_jobs(failing, [(number,) for number in range(5)], workers, start="fork")
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(ValueError, match="job two"):
        next(results)


def dying(number: int) -> int:
    """Its process is killed, as by the kernel when memory runs out."""
    time.sleep(0.2)  # until all jobs are given out
    if number == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


@pytest.mark.parametrize("workers", [1, 2])
def test_what_takes_the_place_of_a_failed_job_stands_where_its_result_would(workers):
    jobs = [(number,) for number in range(5)]
    results = run_jobs(failing, jobs, workers, start="fork", on_failure=lambda number: -number)
    assert list(results) == [0, 1, -2, 3, 4]


def test_a_worker_that_is_killed_costs_results_and_not_the_run():
    jobs = [(number,) for number in range(5)]
    results = list(run_jobs(dying, jobs, 2, start="fork", on_failure=lambda number: -1))
    assert len(results) == 5 and results[2] == -1 and set(results) <= {-1, 0, 1, 3, 4}
