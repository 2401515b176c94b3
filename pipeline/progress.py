"""Progress a person can read: one line redrawn on a terminal, a plain line every so often in a log."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TextIO, TypeVar

T = TypeVar("T")
_TERMINAL_SECONDS, _LOG_SECONDS = 0.2, 10.0


class Progress:
    """Count units of work and report rate and time left on stderr.

    >>> with Progress("extract", total=1000, unit="pages") as progress:
    ...     progress.add(1, kept=1)
    """

    def __init__(self, name: str, total: float | None = None, unit: str = "items", stream: TextIO | None = None):
        self.name, self.total, self.unit = name, total, unit
        self.stream = stream or sys.stderr
        self.terminal = self.stream.isatty()
        self.done, self.notes = 0.0, {}
        self.start = self.shown = time.monotonic()

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._show(end="\n" if kind is None else " (stopped)\n")

    def add(self, amount: float = 1, **notes: object) -> None:
        """Advance by `amount`; `notes` are shown behind the numbers (loss=…, kept=…)."""
        self.done += amount
        self.notes.update(notes)
        now = time.monotonic()
        if now - self.shown >= (_TERMINAL_SECONDS if self.terminal else _LOG_SECONDS):
            self.shown = now
            self._show(end="" if self.terminal else "\n")

    def _show(self, end: str) -> None:
        seconds = max(time.monotonic() - self.start, 1e-9)
        rate = self.done / seconds
        text = f"{self.name}: {self.done:,.0f}"
        if self.total:
            text += f"/{self.total:,.0f} ({100 * self.done / self.total:.0f}%)"
        text += f" {self.unit}, {rate:,.1f}/s, {_clock(seconds)} passed"
        if self.total and 0 < self.done < self.total:
            text += f", {_clock((self.total - self.done) / rate)} left"
        for key, value in self.notes.items():
            text += f", {key} {value:.4g}" if isinstance(value, float) else f", {key} {value}"
        print(("\r\033[K" if self.terminal else "") + text, end=end, file=self.stream, flush=True)


def track(items: Iterable[T], name: str, total: float | None = None, unit: str = "items") -> Iterator[T]:
    """Yield `items`, reporting progress."""
    if total is None and hasattr(items, "__len__"):
        total = len(items)  # type: ignore[arg-type]
    with Progress(name, total, unit) as progress:
        for item in items:
            yield item
            progress.add()


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds + 0.5), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
