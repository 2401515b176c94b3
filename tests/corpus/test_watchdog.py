"""The watchdog: what hangs or dies is killed, named and left behind."""

import os
import signal
import time

import pytest

from corpus.html.watchdog import Failure, guarded
from pipeline.errors import UserError


def _label(item: int) -> tuple[str]:
    return (f"item {item}",)


def _work(item: int) -> int:
    """Squares; hangs on 2, dies of 4."""
    if item == 2:
        while True:
            pass
    if item == 4:
        os.kill(os.getpid(), signal.SIGKILL)
    return item * item


def test_the_guard_kills_what_hangs_or_dies_and_goes_on_behind_it():
    outcomes = list(guarded(lambda: range(6), _work, _label, seconds=0.5, memory_mb=1024))

    hung, died = outcomes[2], outcomes[4]
    assert isinstance(hung, Failure) and (hung.label[0], hung.reason) == ("item 2", "timeout")
    assert isinstance(died, Failure) and (died.label[0], died.reason) == ("item 4", "crash")
    assert [outcome for outcome in outcomes if not isinstance(outcome, Failure)] == [0, 1, 9, 25]
    assert len(outcomes) == 6


def test_what_waits_for_ever_is_ended_by_the_clock():
    outcomes = list(guarded(lambda: [60, 0], time.sleep, _label, seconds=0.05, memory_mb=1024))
    assert outcomes[0].reason == "timeout" and outcomes[1] is None


def test_a_page_cannot_take_more_memory_than_allowed():
    def greedy(item: int) -> str:
        try:
            return f"{len(bytearray(item << 20))}"
        except MemoryError:
            return "refused"

    outcomes = guarded(lambda: [1, 2000], greedy, _label, seconds=20, memory_mb=600)
    assert list(outcomes) == [str(1 << 20), "refused"]


def test_mistakes_in_the_guarded_process_are_not_swallowed():
    def missing():
        yield 1
        raise UserError("no such file")

    with pytest.raises(UserError, match="no such file"):
        list(guarded(missing, str, _label, seconds=5, memory_mb=1024))
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        list(guarded(lambda: [0], lambda item: 1 // item, _label, seconds=5, memory_mb=1024))
