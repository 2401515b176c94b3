"""metrics.jsonl as an event file that TensorBoard shows: `tensorboard --logdir results`."""

from collections.abc import Iterable
from pathlib import Path

from tensorboardX.proto.event_pb2 import Event
from tensorboardX.proto.summary_pb2 import Summary
from tensorboardX.record_writer import RecordWriter

from pipeline.artifacts.write import atomic_path

EVENTS = "events.out.tfevents.metrics"
"""The file's name; TensorBoard knows such files by "tfevents" in it."""


def write_events(path: str | Path, lines: Iterable[dict]) -> None:
    """Write every number of every line that has a "step".

    Equal lines give equal bytes: the events carry no time of day.
    """
    with atomic_path(path) as temporary:
        writer = RecordWriter(str(temporary))
        # TensorBoard takes a file for one of its own by this first record.
        writer.write(Event(file_version="brain.Event:2").SerializeToString())
        for line in lines:
            values = [
                Summary.Value(tag=name, simple_value=float(value))
                for name, value in line.items()
                if name != "step" and isinstance(value, int | float)
            ]
            if "step" in line and values:
                event = Event(step=line["step"], summary=Summary(value=values))
                writer.write(event.SerializeToString())
        writer.close()
