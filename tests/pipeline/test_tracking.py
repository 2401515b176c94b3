"""Metrics on their way to TensorBoard and to trackers, across a training that was killed."""

import importlib
import json
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tensorboardX.proto.event_pb2 import Event

from pipeline.artifacts.tensorboard import EVENTS, write_events
from pipeline.config.load import load_preset
from pipeline.config.tracking import VARIABLE
from pipeline.errors import UserError
from pipeline.training import tracking
from pipeline.training.tracking import STATE, MetricsTracker
from pipeline.workflow import SECTIONS, check_tracker, settings_file, shell_prefix

TRACKERS = ("wandb", "mlflow", "trackio")


def events(path: Path) -> list[Event]:
    """All records of an event file: length, its checksum, the record, its checksum."""
    data, found = path.read_bytes(), []
    while data:
        (length,) = struct.unpack("<Q", data[:8])
        found.append(Event.FromString(data[12 : 12 + length]))
        data = data[16 + length :]
    return found[1:]


class Recorder:
    """A client that remembers what it was told; `down` makes it refuse."""

    def __init__(self):
        self.run_id, self.logged, self.down, self.finished = "run-1", [], False, False
        self.opened_with = []

    def log(self, step, values, wall_time):
        if self.down:
            raise ConnectionError("no route\nto host")
        self.logged.append((step, values, wall_time))

    def finish(self):
        self.finished = True


@pytest.fixture
def recorder(monkeypatch):
    client = Recorder()

    def open_client(settings, name, config, run_id):
        client.opened_with.append(run_id)
        return client

    monkeypatch.setenv(VARIABLE, '{"tracker": "wandb"}')
    monkeypatch.setattr(tracking, "open_client", open_client)
    monkeypatch.setattr(tracking, "_SEND_SECONDS", 0)
    return client


def test_an_event_carries_the_time_of_its_line_and_not_that_of_writing(tmp_path):
    lines = [{"step": 3, "time": 1_000_000_000.25, "loss": 2.0, "note": "text", "bins": [1, 2]}]
    write_events(tmp_path / EVENTS, lines)
    (event,) = events(tmp_path / EVENTS)
    assert (event.step, event.wall_time) == (3, 1_000_000_000.25)
    assert [(value.tag, value.simple_value) for value in event.summary.value] == [("loss", 2.0)]


def test_lines_are_shown_while_the_training_runs(tmp_path, monkeypatch):
    clock = iter((100.0, 160.0))
    monkeypatch.setattr("time.time", lambda: next(clock))
    tracker, lines = MetricsTracker("sft", {}, tmp_path), []

    for step in (1, 2):
        lines.append({"step": step, "loss": 1.0 / step})
        tracker.show(lines)

        assert [event.step for event in events(tmp_path / EVENTS)] == list(range(1, step + 1))
        written = (tmp_path / "metrics.jsonl").read_text().splitlines()
        assert [json.loads(line) for line in written] == lines

    assert [line["time"] for line in lines] == [100.0, 160.0]
    assert [event.wall_time for event in events(tmp_path / EVENTS)] == [100.0, 160.0]


def test_a_resumed_training_continues_the_run_and_doubles_no_step(tmp_path, recorder):
    lines = [{"step": step, "loss": float(step)} for step in range(1, 6)]
    killed = MetricsTracker("rl", {}, tmp_path)
    killed.show(lines[:3])
    killed.show(lines[:5])

    # The checkpoint was of step 3: steps 4 and 5 are computed again.
    again = [dict(line) for line in lines[:3]]
    resumed = MetricsTracker("rl", {}, tmp_path)
    resumed.show(again)
    again += [{"step": step, "loss": float(step)} for step in (4, 5, 6)]
    resumed.finish(again)

    assert recorder.opened_with == [None, "run-1"]
    assert [step for step, _, _ in recorder.logged] == [1, 2, 3, 4, 5, 6]
    assert [event.step for event in events(tmp_path / EVENTS)] == [1, 2, 3, 4, 5, 6]
    assert recorder.finished


def test_another_project_begins_a_run_of_its_own(tmp_path, recorder, monkeypatch):
    MetricsTracker("rl", {}, tmp_path).show([{"step": 1, "loss": 1.0}])
    monkeypatch.setenv(VARIABLE, '{"tracker": "wandb", "project": "other"}')
    MetricsTracker("rl", {}, tmp_path).show([{"step": 1, "loss": 1.0}])
    assert recorder.opened_with == [None, None] and len(recorder.logged) == 2


def test_a_tracker_that_is_down_costs_one_warning_and_is_sent_the_rest_later(
    tmp_path, recorder, capsys
):
    tracker, lines = MetricsTracker("rl", {}, tmp_path), []
    for step, down in ((1, False), (2, True), (3, True), (4, False)):
        recorder.down = down
        lines.append({"step": step, "loss": 1.0})
        tracker.show(lines)

    assert [step for step, _, _ in recorder.logged] == [1, 2, 3, 4]
    assert capsys.readouterr().err == "warning: wandb: no route to host; training goes on\n"
    assert json.loads((tmp_path / STATE).read_text())["sent"] == 4


def test_a_tracker_changes_no_settings_of_any_stage(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    plain = load_preset("mini")
    tracked = load_preset("mini", {"tracking": {"tracker": "wandb", "project": "mine"}})
    for section in SECTIONS:
        assert settings_file(plain, section) == settings_file(tracked, section)
    assert tracked.result_settings() == plain.result_settings()


def test_jobs_are_told_the_tracker_by_their_environment(tmp_path):
    config = load_preset("mini", {"tracking": {"tracker": "wandb", "project": "it's {mine}"}})
    # Snakemake formats the prefix.
    command = shell_prefix(config).format() + f"printenv {VARIABLE}"
    found = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert json.loads(found.stdout) == {"tracker": "wandb", "project": "it's {mine}"}


@pytest.mark.parametrize("tracker", TRACKERS)
def test_a_missing_client_library_is_one_line_before_any_job(tracker, monkeypatch):
    config = load_preset("mini", {"tracking": {"tracker": tracker}})
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match="is not installed; pip install") as error:
        check_tracker(config)
    assert f"tracking.tracker = {tracker}: " in str(error.value) and "\n" not in str(error.value)


def test_a_wrong_value_of_the_variable_is_one_line(monkeypatch):
    monkeypatch.setenv(VARIABLE, '{"tracker": "comet"}')
    with pytest.raises(UserError, match="tracker: Input should be"):
        MetricsTracker("rl", {}, None)


@pytest.mark.parametrize("tracker", TRACKERS)
def test_a_real_client_takes_a_run_that_was_killed_and_resumed(tracker, tmp_path, monkeypatch):
    library = pytest.importorskip(tracker, reason="optional: requirements-trackers.txt")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path / "trackio"))
    monkeypatch.setenv(VARIABLE, json.dumps({"tracker": tracker, "project": "test"}))

    folder = tmp_path / "resume"
    folder.mkdir()
    lines = [{"step": step, "time": 1e9 + step, "loss": 1.0 / step} for step in (1, 2, 3)]
    config = {"optimisation": {"clip_norm": 1.0}}
    MetricsTracker("toy", config, folder).show(lines[:2])
    resumed = MetricsTracker("toy", config, folder)
    resumed.finish(lines)

    found = READERS[tracker](library, resumed.run_id)
    assert found == [(1, 1.0), (2, 0.5), (3, pytest.approx(1 / 3))]


def _mlflow_points(mlflow, run_id):
    history = mlflow.MlflowClient().get_metric_history(run_id, "loss")
    assert [metric.timestamp for metric in history] == [
        1_000_000_000_000 + 1000 * n for n in (1, 2, 3)
    ]
    return [(metric.step, metric.value) for metric in history]


def _trackio_points(trackio, run_id):
    storage = importlib.import_module("trackio.sqlite_storage").SQLiteStorage
    return [(row["step"], row["loss"]) for row in storage.get_logs("test", run_id)]


def _wandb_points(wandb, run_id):
    """The history records of all offline parts of the run."""
    from wandb.proto import wandb_internal_pb2

    points = []
    for file in sorted(Path("wandb").glob(f"offline-run-*-{run_id}/*.wandb")):
        for data in _wandb_records(file.read_bytes()):
            record = wandb_internal_pb2.Record.FromString(data)
            items = {
                item.key or item.nested_key[0]: json.loads(item.value_json)
                for item in record.history.item
            }
            if "loss" in items:
                points.append((record.history.step.num, items["loss"]))
    return points


def _wandb_records(data: bytes) -> Iterator[bytes]:
    """Records of LevelDB's log format: blocks of 32 KiB, in them pieces with a head of checksum, length and kind."""
    place, record = 7, b""  # behind the file's own head
    while place + 7 <= len(data):
        room = -place % 32768
        if 0 < room < 7:
            place += room
        _, length, kind = struct.unpack("<IHB", data[place : place + 7])
        record += data[place + 7 : place + 7 + length]
        place += 7 + length

        is_whole, is_last = kind == 1, kind == 4
        if is_whole or is_last:
            yield record
            record = b""


READERS = {"wandb": _wandb_points, "mlflow": _mlflow_points, "trackio": _trackio_points}
