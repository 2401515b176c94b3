"""Progress a person can read: a bar redrawn on a terminal, a plain line every so often in a log.

A job of the DAG writes into a pipe (its log and the screen); where the DAG itself runs on a
terminal, which it says by the environment variable below, the bar is drawn there beside the log's
lines.
"""

import os
import sys
import time
from collections.abc import Iterable, Iterator
from typing import TextIO, TypeVar

T = TypeVar("T")
_TERMINAL_SECONDS, _LOG_SECONDS = 0.2, 10.0
_CLEAR, _BAR = "\r\033[K", 24
TERMINAL_VARIABLE = "DEEPSEEKMATH_TERMINAL"


class Progress:
    """Count units of work and report rate and time left on stderr.

    >>> with Progress("extract", total=1000, unit="pages") as progress:
    ...     progress.add(1, kept=1)
    """

    def __init__(
        self,
        name: str,
        total: float | None = None,
        unit: str = "items",
        stream: TextIO | None = None,
    ):
        self.name, self.total, self.unit = name, total, unit
        self.stream = stream or sys.stderr
        self.terminal = self.stream if self.stream.isatty() else _terminal()
        self.done, self.notes = 0.0, {}
        self.start = self.drawn = self.logged = time.monotonic()

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._log(end="" if kind is None else " (stopped)")
        if self.terminal and self.terminal is not self.stream:
            self.terminal.close()

    def add(self, amount: float = 1, **notes: object) -> None:
        """Advance by `amount`; `notes` are shown behind the numbers (loss=…, kept=…)."""
        self.done += amount
        self.notes.update(notes)
        now = time.monotonic()
        if self.terminal is not self.stream and now - self.logged >= _LOG_SECONDS:
            self.logged = now
            self._log()
        if self.terminal and now - self.drawn >= _TERMINAL_SECONDS:
            self.drawn = now
            print(f"{_CLEAR}{self._bar()}{self._text()}", end="", file=self.terminal, flush=True)

    def _log(self, end: str = "") -> None:
        if self.terminal:
            print(_CLEAR, end="", file=self.terminal, flush=True)
        print(self._text() + end, file=self.stream, flush=True)

    def _bar(self) -> str:
        if not self.total:
            return ""
        filled = round(_BAR * min(1.0, self.done / self.total))
        return "█" * filled + "░" * (_BAR - filled) + " "

    def _text(self) -> str:
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
        return text


def _terminal() -> TextIO | None:
    """The terminal that the DAG runs on, for a job whose own output is a pipe."""
    if not os.environ.get(TERMINAL_VARIABLE):
        return None
    try:
        return open("/dev/tty", "w", encoding="utf-8")
    except OSError:
        return None


def track(
    items: Iterable[T], name: str, total: float | None = None, unit: str = "items"
) -> Iterator[T]:
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
