"""metrics.jsonl as an event file that TensorBoard shows: `tensorboard --logdir results`."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tensorboardX.proto.event_pb2 import Event
from tensorboardX.proto.summary_pb2 import Summary
from tensorboardX.record_writer import RecordWriter

from pipeline.artifacts.write import atomic_path

EVENTS = "events.out.tfevents.metrics"
"""The file's name; TensorBoard knows such files by "tfevents" in it."""


class EventFile:
    """An event file that grows while TensorBoard may be reading it."""

    def __init__(self, path: str | Path):
        self.writer = RecordWriter(str(path))
        # TensorBoard takes a file for one of its own by this first record.
        self.writer.write(Event(file_version="brain.Event:2").SerializeToString())

    def add(self, line: Mapping[str, Any]) -> None:
        """Add the numbers of a line of metrics that has a "step", at the line's "time"."""
        values = [Summary.Value(tag=name, simple_value=v) for name, v in numbers(line).items()]
        if "step" not in line or not values:
            return
        event = Event(
            step=line["step"], wall_time=line.get("time", 0.0), summary=Summary(value=values)
        )
        self.writer.write(event.SerializeToString())

    def flush(self) -> None:
        """Make what was added visible to readers."""
        self.writer.flush()

    def close(self) -> None:
        self.writer.close()


def numbers(line: Mapping[str, Any]) -> dict[str, float]:
    """What a line of metrics measures: its numbers, without the step and the time of day."""
    return {
        name: float(value)
        for name, value in line.items()
        if name not in ("step", "time") and isinstance(value, int | float)
    }


def write_events(path: str | Path, lines: Iterable[Mapping[str, Any]]) -> None:
    """Write every number of every line that has a "step"; equal lines give equal bytes.

    The time of an event is the line's own "time" (seconds since 1970), not that of writing.
    """
    with atomic_path(path) as temporary:
        events = EventFile(temporary)
        for line in lines:
            events.add(line)
        events.close()
