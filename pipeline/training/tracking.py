"""Metrics while a training runs: files beside the checkpoints, and a tracker of the user's choice.

    metrics.jsonl                    a line a step and a line an evaluation, for `tail`
    events.out.tfevents.metrics      the same for TensorBoard
    tracker.json                     which run of the tracker this is, and how many lines it has

The setting `tracking` reaches every job of the DAG by an environment variable
(pipeline/config/tracking.py), so it is no input of any stage: another tracker reruns nothing. By
hand:

    DEEPSEEKMATH_TRACKING='{"tracker": "wandb"}' python -m sft.train …

Where a tracker keeps its data, and whether it is online, is set as its own manual says
(WANDB_MODE=offline, MLFLOW_TRACKING_URI, TRACKIO_DIR).
"""

import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from pydantic import ValidationError

from pipeline.artifacts.tensorboard import EVENTS, EventFile, numbers
from pipeline.artifacts.write import read_json, write_json
from pipeline.config.tracking import VARIABLE, Tracking
from pipeline.errors import UserError
from pipeline.model import distributed
from pipeline.training.tracker_clients import Client, open_client

STATE = "tracker.json"
_SEND_SECONDS = 5.0


def tracking_settings() -> Tracking:
    """The setting as the environment has it; TensorBoard alone where it says nothing."""
    text = os.environ.get(VARIABLE)
    if not text:
        return Tracking()
    try:
        return Tracking.model_validate_json(text)
    except ValidationError as error:
        problem = error.errors()[0]
        name = ".".join(map(str, problem["loc"])) or VARIABLE
        raise UserError(f"{VARIABLE}: {name}: {problem['msg']}") from None


class MetricsTracker:
    """Shows the lines of one training as they come.

    A run that goes on from a checkpoint continues the tracker's run. The lines between that
    checkpoint and the end of the killed process come again; they were sent and are not sent twice.

    Args:
        name: of the run, e.g. "mini-rl".
        config: the training's settings, shown beside the curves.
        folder: that of the checkpoints; None keeps no TensorBoard file and cannot continue a run.
    """

    def __init__(self, name: str, config: Mapping[str, Any], folder: Path | None):
        self.name, self.config, self.folder = name, config, folder
        self.settings = tracking_settings()
        self.sent = 0
        self.run_id: str | None = None
        self._client: Client | None = None
        self._events: EventFile | None = None
        self._file: TextIO | None = None
        self._shown = 0
        self._sent_at = 0.0
        self._has_warned = False

        if distributed.is_main() and self.settings.tracker != "tensorboard":
            self._open()

    def show(self, lines: Sequence[dict[str, Any]]) -> None:
        """Take up what `lines` hold beyond the last call; a line without a "time" gets that of now."""
        now = time.time()
        for line in lines[self._shown :]:
            line.setdefault("time", round(now, 3))
        if not distributed.is_main():
            self._shown = len(lines)
            return

        self._write_files(lines)
        self._shown = len(lines)
        if time.monotonic() - self._sent_at >= _SEND_SECONDS:
            self._send(lines)

    def finish(self, lines: Sequence[dict[str, Any]]) -> None:
        """Send the rest and end the run: the training is done."""
        self.show(lines)
        if self._events is not None and self._file is not None:
            self._events.close()
            self._file.close()
        if self._client is None:
            return
        self._send(lines)
        try:
            self._client.finish()
        except Exception as error:
            self._warn(error)

    def _write_files(self, lines: Sequence[dict[str, Any]]) -> None:
        if self.folder is None:
            return
        if self._events is None or self._file is None:
            # From the first line on: what a killed process wrote beyond its last checkpoint is written anew.
            self._events = EventFile(self.folder / EVENTS)
            self._file = open(self.folder / "metrics.jsonl", "w", encoding="utf-8")  # noqa: SIM115
            self._shown = 0

        for line in lines[self._shown :]:
            self._events.add(line)
            self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
        self._events.flush()
        self._file.flush()

    # ---- The tracker of the user's choice ------------------------------------------------------------------------

    def _open(self) -> None:
        """Begin a run of the tracker, or continue the one that the checkpoints belong to."""
        known = self._known_run()
        if known:
            self.run_id, self.sent = known["run"], known["sent"]

        self._client = open_client(self.settings, self.name, self.config, self.run_id)
        self.run_id = self._client.run_id
        self._remember(self.sent)

    def _known_run(self) -> dict[str, Any] | None:
        if self.folder is None or not (self.folder / STATE).is_file():
            return None
        known = read_json(self.folder / STATE)
        return known if known["tracker"] == self.settings.model_dump() else None

    def _remember(self, sent: int) -> None:
        if self.folder is not None:
            state = {"tracker": self.settings.model_dump(), "run": self.run_id, "sent": sent}
            write_json(self.folder / STATE, state)

    def _send(self, lines: Sequence[dict[str, Any]]) -> None:
        """Send the lines that were not sent; a tracker that fails costs a warning, never the training."""
        self._sent_at = time.monotonic()
        if self._client is None or len(lines) <= self.sent:
            return

        # Noted before: a process that is killed in between loses a point of a curve and doubles none.
        self._remember(len(lines))
        try:
            for line in lines[self.sent :]:
                self._client.log(line["step"], numbers(line), line["time"])
        except Exception as error:
            self._remember(self.sent)
            self._warn(error)
            return
        self.sent = len(lines)

    def _warn(self, error: Exception) -> None:
        if not self._has_warned:
            self._has_warned = True
            reason = " ".join(str(error).split()) or type(error).__name__
            print(f"warning: {self.settings.tracker}: {reason}; training goes on", file=sys.stderr)
