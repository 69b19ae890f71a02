"""Trackers, replaced by fakes: the values they receive, the folders they write to, and the messages on failure."""

import os
import sys
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest
from accelerate.tracking import LOGGER_TYPE_TO_CLASS

from memtape.training.settings import SettingsError
from memtape.training.tracking import TrackerError, require_tracker, tracking

NAMES = ("tensorboard", "trackio", "wandb", "mlflow")
OURS = ("TRACKIO", "WANDB", "MLFLOW")


class FakeTracker:
    """Record the received values, and the environment at the start."""

    def __init__(self, **arguments):
        self.arguments, self.received = arguments, []

    def start(self):
        self.environment = {name: value for name, value in os.environ.items() if name.startswith(OURS)}

    def store_init_configuration(self, values):
        self.received.append(values)

    def log(self, values, step):
        self.received.append((step, values))

    def finish(self):
        self.received.append("end")


@pytest.fixture
def started(monkeypatch, tmp_path):
    """The started trackers, all of them fakes, without settings in the environment."""
    made = []

    def make(**arguments):
        made.append(FakeTracker(**arguments))
        return made[-1]

    for name in NAMES:
        monkeypatch.setitem(LOGGER_TYPE_TO_CLASS, name, make)
    for name in [name for name in os.environ if name.startswith(OURS)]:
        monkeypatch.delenv(name)
    monkeypatch.setitem(sys.modules, "trackio", SimpleNamespace(TRACKIO_DIR=tmp_path / "tracker"))
    return made


def start(name, folder, records=(), options=None):
    return tracking(name, folder / "tracker", title="run", options=options or {}, records=records)


def test_a_tracker_receives_options_then_old_records_then_new_ones(started, tmp_path):
    old = {"kind": "train", "step": 10, "loss": 0.5, "sequences": 40}
    with start("tensorboard", tmp_path, [old], {"model": "ntm", "train.tbptt": None}) as record:
        record({"kind": "skip", "step": 11, "sequences": 44, "place": "the loss"})
    assert started[0].received == [
        {"model": "ntm", "train.tbptt": "none"},
        (10, {"train/loss": 0.5, "train/sequences": 40}),
        (11, {"skip/sequences": 44}),
        "end",
    ]


def test_earlier_files_of_a_tracker_are_removed(started, tmp_path):
    (tmp_path / "tracker").mkdir()
    (tmp_path / "tracker" / "old").write_text("")
    with start("tensorboard", tmp_path):
        assert list((tmp_path / "tracker").iterdir()) == []


def test_without_a_tracker_nothing_is_written(started, tmp_path):
    with start("none", tmp_path) as record:
        record({"kind": "train", "step": 1, "loss": 1.0})
    assert started == []
    assert list(tmp_path.iterdir()) == []


OFFLINE = {
    "tensorboard": ({}, {"run_name": "", "logging_dir": "HERE"}),
    "trackio": ({"TRACKIO_DIR": "HERE"}, {"run_name": "memtape", "name": "run"}),
    "wandb": (
        {"WANDB_CACHE_DIR": "HERE/cache", "WANDB_ERROR_REPORTING": "false"},
        {"run_name": "memtape", "name": "run", "mode": "offline", "dir": "HERE"},
    ),
    "mlflow": (
        {"MLFLOW_TRACKING_URI": "sqlite:///HERE/mlflow.db", "MLFLOW_DISABLE_TELEMETRY": "true"},
        {"experiment_name": "memtape", "run_name": "run", "logging_dir": "HERE/artifacts"},
    ),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_tracker_stays_offline_and_in_its_folder_and_does_not_change_the_environment(started, tmp_path, name):
    before = dict(os.environ)
    with start(name, tmp_path):
        pass
    assert dict(os.environ) == before
    with pytest.raises(KeyError), start(name, tmp_path):
        raise KeyError
    assert dict(os.environ) == before
    here = str(tmp_path / "tracker")
    variables, arguments = OFFLINE[name]
    for tracker in started:
        assert tracker.environment == {key: value.replace("HERE", here) for key, value in variables.items()}
        assert {key: str(value) for key, value in tracker.arguments.items()} == {
            key: value.replace("HERE", here) for key, value in arguments.items()
        }


def test_a_relative_folder_does_not_depend_on_later_changes_of_directory(started, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with start("mlflow", Path()):
        assert started[0].environment["MLFLOW_TRACKING_URI"] == f"sqlite:///{tmp_path}/tracker/mlflow.db"


@pytest.mark.parametrize(
    ("name", "wish", "arguments"),
    [
        ("wandb", {"WANDB_MODE": "online"}, {"mode": "online"}),
        ("wandb", {"WANDB_MODE": "offline", "WANDB_DIR": "/mine", "WANDB_CACHE_DIR": "/cache"}, {"dir": "/mine"}),
        ("mlflow", {"MLFLOW_TRACKING_URI": "http://there"}, {"logging_dir": None}),
        ("trackio", {"TRACKIO_DIR": "/mine", "TRACKIO_SPACE_ID": "me/mine"}, {}),
    ],
)
def test_the_environment_overrides_the_defaults(started, tmp_path, monkeypatch, name, wish, arguments):
    for key, value in wish.items():
        monkeypatch.setenv(key, value)
    monkeypatch.setitem(sys.modules, "trackio", SimpleNamespace(TRACKIO_DIR=Path("/mine")))
    with start(name, tmp_path):
        pass
    assert wish.items() <= started[0].environment.items()
    assert arguments.items() <= started[0].arguments.items()
    assert wish.items() <= os.environ.items()
    if wish.get("WANDB_MODE") == "online":
        assert started[0].environment == wish


@pytest.mark.parametrize("place", ["start", "store_init_configuration", "log", "finish"])
def test_a_failing_tracker_is_reported_in_one_sentence(started, tmp_path, monkeypatch, place):
    def fail(*_, **__):
        raise ValueError("what came\nof it") from OSError(28, "No space left on device")

    monkeypatch.setattr(FakeTracker, place, fail)
    sentence = (
        r"the tracker wandb failed \(\[Errno 28\] No space left on device\); "
        rf"repair that and continue with `memtape resume {tmp_path}`"
    )
    before = dict(os.environ)
    with pytest.raises(TrackerError, match=sentence), start("wandb", tmp_path) as record:
        record({"kind": "train", "step": 1, "loss": 1.0})
    assert dict(os.environ) == before
    assert ("end" in started[0].received) == (place in ("store_init_configuration", "log"))


def test_an_error_of_training_closes_the_tracker_and_is_raised(started, tmp_path, monkeypatch):
    monkeypatch.setattr(FakeTracker, "finish", lambda self: self.received.append("end") or 1 / 0)
    with pytest.raises(KeyError), start("mlflow", tmp_path):
        raise KeyError("of the training")
    assert started[0].received[-1] == "end"


def test_trackio_cannot_write_into_the_previous_run(started, tmp_path):
    (tmp_path / "other").mkdir()
    with (
        pytest.raises(TrackerError, match=r"it writes to .*tracker until this process ends; train in another"),
        start("trackio", tmp_path / "other"),
    ):
        pass


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_tracker_is_reported_with_the_install_command(monkeypatch, name):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    require_tracker("none")
    monkeypatch.setattr(metadata, "version", missing)
    require_tracker("none")
    sentence = rf'tracker is {name}, which is not installed; run pip install "memtape\[{name}\]"'
    with pytest.raises(SettingsError, match=sentence):
        require_tracker(name)
