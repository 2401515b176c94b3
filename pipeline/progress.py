"""Progress a person can read: a bar redrawn on a terminal, a whole line every ten seconds elsewhere.

Jobs of the DAG write into a pipe (the log and the screen), several of them at a time, so they write
lines, each of which begins with the job's name; only a command that is started by hand on a
terminal draws a bar.
"""

import sys
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sized
from contextlib import contextmanager
from typing import TextIO, TypeVar

T = TypeVar("T")
_TERMINAL_SECONDS = 0.2
_LINE_SECONDS = 10.0
_BEAT_SECONDS = 1.0
_CLEAR = "\r\033[K"
"""Back to the start of the terminal's line, and the rest of it deleted."""
_BAR_WIDTH = 24

_WINDOW = 30
"""Points in time, a line's distance apart, over which the rate is measured that the time left is told by."""
_SETTLED_SECONDS = 20.0
_SETTLED_UNITS = 3
"""The time left is told after so much time and so many units: the first ones compile and fill caches."""


class Progress:
    """Count units of work and report rate and time left on stderr.

    >>> with Progress("extract", total=1000, unit="pages") as progress:
    ...     progress.add(1, kept=1)

    With `beats` a line comes every ten seconds even while a unit takes longer: for trainings and
    evaluations. It costs a thread, which a process that forks others must not have.
    """

    def __init__(
        self,
        name: str,
        total: float | None = None,
        unit: str = "items",
        stream: TextIO | None = None,
        beats: bool = False,
    ):
        self.name = name
        self.total = total
        self.unit = unit
        self.stream = stream or sys.stderr
        self.terminal = self.stream.isatty()

        # What there is to show.
        self.done = 0.0
        self.notes: dict[str, object] = {}
        self.doing = ""

        # When it was shown, and the points that the rate comes from.
        now = time.monotonic()
        self.start = now
        self.drawn = now
        self.written = now
        self._begun = now
        self._done_before = 0.0
        self._points: deque[tuple[float, float]] = deque([(now, 0.0)], maxlen=_WINDOW)

        self._stopped = threading.Event()
        self._beats = threading.Thread(target=self._beat, daemon=True) if beats else None

    def __enter__(self) -> "Progress":
        if self._beats:
            self._beats.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._stopped.set()
        if self._beats:
            self._beats.join()
        self._write(_CLEAR if self.terminal else "", end=" (stopped)\n" if kind else "\n")

    def begin(self, done: float = 0) -> None:
        """Measure rates from here on: the part before (read from a checkpoint, or none) took no time."""
        self.done = self._done_before = done
        self._begun = time.monotonic()
        self._points.clear()
        self._points.append((self._begun, done))

    def add(self, amount: float = 1, **notes: object) -> None:
        """Advance by `amount`; `notes` are shown behind the numbers (loss=…, kept=…)."""
        self.done += amount
        self.notes.update(notes)
        self._show()

    @contextmanager
    def during(self, what: str) -> Iterator[None]:
        """Show `what` is being done besides the units that are counted ("evaluating 200 problems")."""
        self.doing = what
        try:
            yield
        finally:
            self.doing = ""

    def _beat(self) -> None:
        while not self._stopped.wait(_BEAT_SECONDS):
            self._show()

    def _show(self) -> None:
        now = time.monotonic()
        if self.terminal and now - self.drawn >= _TERMINAL_SECONDS:
            self.drawn = now
            self._write(f"{_CLEAR}{self._bar()}")
        if now - self.written >= _LINE_SECONDS:
            # On a terminal the bar is enough, but the rate is measured all the same.
            self.written = now
            if not self.terminal:
                self._write(end="\n")
            self._points.append((now, self.done))

    def _write(self, before: str = "", end: str = "") -> None:
        # In one piece, so that no line of another job comes in between.
        self.stream.write(f"{before}{self._text()}{end}")
        self.stream.flush()

    def _bar(self) -> str:
        if not self.total:
            return ""
        filled = round(_BAR_WIDTH * min(1.0, self.done / self.total))
        return "█" * filled + "░" * (_BAR_WIDTH - filled) + " "

    def _text(self) -> str:
        now = time.monotonic()
        rate = (self.done - self._done_before) / max(now - self._begun, 1e-9)

        text = f"{self.name}: {self.done:,.0f}"
        if self.total:
            text += f"/{self.total:,.0f} ({100 * self.done / self.total:.0f}%)"
        text += f" {self.unit}, {rate:,.1f}/s, {_clock(now - self.start)} passed"

        left = self._seconds_left(now)
        if left is not None:
            text += f", {_clock(left)} left"
        if self.doing:
            text += f", {self.doing}"

        for key, value in self.notes.items():
            text += f", {key} {value:.4g}" if isinstance(value, float) else f", {key} {value}"
        return text

    def _seconds_left(self, now: float) -> float | None:
        """By the rate of the last minutes; None while that says nothing yet."""
        counted = self.done - self._done_before
        if not self.total or not 0 < self.done < self.total:
            return None
        if counted < _SETTLED_UNITS or now - self._begun < _SETTLED_SECONDS:
            return None

        since, done_then = self._points[0]
        rate = (self.done - done_then) / max(now - since, 1e-9)
        return (self.total - self.done) / rate if rate else None


def track(
    items: Iterable[T], name: str, total: float | None = None, unit: str = "items"
) -> Iterator[T]:
    """Yield `items`, reporting progress."""
    if total is None and isinstance(items, Sized):
        total = len(items)
    with Progress(name, total, unit) as progress:
        for item in items:
            yield item
            progress.add()


def _clock(seconds: float) -> str:
    """Seconds as 1:02:03 or 2:03."""
    minutes, rest = divmod(int(seconds + 0.5), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
