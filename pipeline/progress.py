"""Progress a person can read: a bar redrawn on a terminal, a plain line every so often in a log.

A job of the DAG writes into a pipe (its log and the screen); where the DAG itself runs on a
terminal, which it says by the environment variable below, the bar is drawn there beside the log's
lines.
"""

import os
import sys
import time
from collections.abc import Iterable, Iterator, Sized
from typing import TextIO, TypeVar

T = TypeVar("T")
TERMINAL_VARIABLE = "DEEPSEEKMATH_TERMINAL"
_TERMINAL_SECONDS = 0.2
_LOG_SECONDS = 10.0
_CLEAR = "\r\033[K"
"""Back to the start of the terminal's line, and the rest of it deleted."""
_BAR_WIDTH = 24


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
        self.done = 0.0
        self.notes: dict[str, object] = {}
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
            # The bar must not stay in front of the line.
            print(_CLEAR, end="", file=self.terminal, flush=True)
        print(self._text() + end, file=self.stream, flush=True)

    def _bar(self) -> str:
        if not self.total:
            return ""
        filled = round(_BAR_WIDTH * min(1.0, self.done / self.total))
        return "█" * filled + "░" * (_BAR_WIDTH - filled) + " "

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
