"""Trackers, here stand-ins of Accelerate's: what they are told, where they write, and how their failures are told."""

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


class StandIn:
    """Notes what it is told, and the environment in which it begins."""

    def __init__(self, **arguments):
        self.arguments, self.told = arguments, []

    def start(self):
        self.environment = {name: value for name, value in os.environ.items() if name.startswith(OURS)}

    def store_init_configuration(self, values):
        self.told.append(values)

    def log(self, values, step):
        self.told.append((step, values))

    def finish(self):
        self.told.append("end")


@pytest.fixture
def begun(monkeypatch, tmp_path):
    """The trackers that begin, all of them stand-ins; nobody wishes anything by the environment."""
    made = []

    def make(**arguments):
        made.append(StandIn(**arguments))
        return made[-1]

    for name in NAMES:
        monkeypatch.setitem(LOGGER_TYPE_TO_CLASS, name, make)
    for name in [name for name in os.environ if name.startswith(OURS)]:
        monkeypatch.delenv(name)
    monkeypatch.setitem(sys.modules, "trackio", SimpleNamespace(TRACKIO_DIR=tmp_path / "tracker"))
    return made


def begin(name, folder, records=(), options=None):
    return tracking(name, folder / "tracker", title="run", options=options or {}, records=records)


def test_a_tracker_is_told_options_then_old_records_then_new_ones(begun, tmp_path):
    old = {"kind": "train", "step": 10, "loss": 0.5, "sequences": 40}
    with begin("tensorboard", tmp_path, [old], {"model": "ntm", "train.tbptt": None}) as tell:
        tell({"kind": "skip", "step": 11, "sequences": 44, "place": "the loss"})
    assert begun[0].told == [
        {"model": "ntm", "train.tbptt": "none"},
        (10, {"train/loss": 0.5, "train/sequences": 40}),
        (11, {"skip/sequences": 44}),
        "end",
    ]


def test_what_a_tracker_wrote_before_is_removed(begun, tmp_path):
    (tmp_path / "tracker").mkdir()
    (tmp_path / "tracker" / "old").write_text("")
    with begin("tensorboard", tmp_path):
        assert list((tmp_path / "tracker").iterdir()) == []


def test_no_tracker_leaves_nothing(begun, tmp_path):
    with begin("none", tmp_path) as tell:
        tell({"kind": "train", "step": 1, "loss": 1.0})
    assert begun == []
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
def test_a_tracker_stays_offline_and_in_its_folder_and_leaves_the_environment_as_it_was(begun, tmp_path, name):
    before = dict(os.environ)
    with begin(name, tmp_path):
        pass
    assert dict(os.environ) == before
    with pytest.raises(KeyError), begin(name, tmp_path):
        raise KeyError
    assert dict(os.environ) == before
    here = str(tmp_path / "tracker")
    variables, arguments = OFFLINE[name]
    for tracker in begun:
        assert tracker.environment == {key: value.replace("HERE", here) for key, value in variables.items()}
        assert {key: str(value) for key, value in tracker.arguments.items()} == {
            key: value.replace("HERE", here) for key, value in arguments.items()
        }


def test_a_relative_folder_is_one_wherever_the_process_goes(begun, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with begin("mlflow", Path()):
        assert begun[0].environment["MLFLOW_TRACKING_URI"] == f"sqlite:///{tmp_path}/tracker/mlflow.db"


@pytest.mark.parametrize(
    ("name", "wish", "arguments"),
    [
        ("wandb", {"WANDB_MODE": "online"}, {"mode": "online"}),
        ("wandb", {"WANDB_MODE": "offline", "WANDB_DIR": "/mine", "WANDB_CACHE_DIR": "/cache"}, {"dir": "/mine"}),
        ("mlflow", {"MLFLOW_TRACKING_URI": "http://there"}, {"logging_dir": None}),
        ("trackio", {"TRACKIO_DIR": "/mine", "TRACKIO_SPACE_ID": "me/mine"}, {}),
    ],
)
def test_what_the_environment_says_wins(begun, tmp_path, monkeypatch, name, wish, arguments):
    for key, value in wish.items():
        monkeypatch.setenv(key, value)
    monkeypatch.setitem(sys.modules, "trackio", SimpleNamespace(TRACKIO_DIR=Path("/mine")))
    with begin(name, tmp_path):
        pass
    assert wish.items() <= begun[0].environment.items()
    assert arguments.items() <= begun[0].arguments.items()
    assert wish.items() <= os.environ.items()
    if wish.get("WANDB_MODE") == "online":
        assert begun[0].environment == wish


@pytest.mark.parametrize("place", ["start", "store_init_configuration", "log", "finish"])
def test_a_tracker_that_fails_is_told_in_a_sentence(begun, tmp_path, monkeypatch, place):
    def fail(*_, **__):
        raise ValueError("what came\nof it") from OSError(28, "No space left on device")

    monkeypatch.setattr(StandIn, place, fail)
    sentence = (
        r"the tracker wandb failed \(\[Errno 28\] No space left on device\); "
        rf"repair that and continue with `memtape resume {tmp_path}`"
    )
    before = dict(os.environ)
    with pytest.raises(TrackerError, match=sentence), begin("wandb", tmp_path) as tell:
        tell({"kind": "train", "step": 1, "loss": 1.0})
    assert dict(os.environ) == before
    assert ("end" in begun[0].told) == (place in ("store_init_configuration", "log"))


def test_an_error_of_the_training_closes_the_tracker_and_stays_the_error(begun, tmp_path, monkeypatch):
    monkeypatch.setattr(StandIn, "finish", lambda self: self.told.append("end") or 1 / 0)
    with pytest.raises(KeyError), begin("mlflow", tmp_path):
        raise KeyError("of the training")
    assert begun[0].told[-1] == "end"


def test_trackio_is_not_let_write_into_the_run_before(begun, tmp_path):
    (tmp_path / "other").mkdir()
    with (
        pytest.raises(TrackerError, match=r"it writes to .*tracker until this process ends; train in another"),
        begin("trackio", tmp_path / "other"),
    ):
        pass


@pytest.mark.parametrize("name", NAMES)
def test_a_tracker_that_is_not_installed_is_told_with_the_cure(monkeypatch, name):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    require_tracker("none")
    monkeypatch.setattr(metadata, "version", missing)
    require_tracker("none")
    sentence = rf'tracker is {name}, which is not installed; run pip install "memtape\[{name}\]"'
    with pytest.raises(SettingsError, match=sentence):
        require_tracker(name)
