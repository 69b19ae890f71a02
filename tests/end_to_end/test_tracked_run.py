"""A run with TensorBoard's tracker; TensorBoard's own reader reads the records."""

import json
from importlib import metadata

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2

from memtape.cli.main import run as carry_out
from memtape.experiments.experiment import Experiment
from memtape.experiments.resume import resume_run
from memtape.experiments.train import train_run
from memtape.training.interruption import Interruption
from memtape.training.settings import TrainSettings

STEPS = 20


@pytest.fixture(autouse=True)
def without_figures(monkeypatch):
    monkeypatch.setattr("memtape.experiments.train.write_run_report", lambda *_: None)
    monkeypatch.setattr("memtape.training.evaluation.ENDLESS", 4)


def train(folder, tracker, *, until=STEPS, failing_at=None):
    settings = TrainSettings(
        steps=STEPS, validate_every=5, validation_sequences=8, batch_size=4, device="cpu", tracker=tracker
    )
    experiment = Experiment(
        model="ntm",
        task="copy",
        model_options={"slots": 6, "width": 4, "controller_size": 8},
        task_options={"bits": 2, "max_length": 3},
        train=settings,
    )
    wish = Interruption()

    def watch(step, _):
        if step == failing_at:
            raise KeyboardInterrupt
        wish.requested = step >= until

    train_run(experiment, *experiment.build(), folder, on_record=lambda _: None, on_step=watch, interruption=wish)


def resume(folder):
    resume_run(folder, on_start=lambda *_: None, on_record=lambda _: None, on_step=lambda *_: None, warn=lambda _: None)


def curves(folder):
    """Return the curves that TensorBoard shows for a run."""
    events = EventAccumulator(str(folder / "tracker"), size_guidance={"scalars": 0}).Reload()
    return {tag: [(event.step, event.value) for event in events.Scalars(tag)] for tag in events.Tags()["scalars"]}


def wanted(folder):
    """Return the expected curves: the metrics and, for a finished run, the scores by length."""
    points = {}
    for line in (folder / "metrics.jsonl").read_text().splitlines():
        record = json.loads(line)
        for name in record.keys() - {"kind", "step"}:
            points.setdefault(f"{record['kind']}/{name}", []).append((record["step"], record[name]))
    if (folder / "evaluation.json").exists():
        for result in json.loads((folder / "evaluation.json").read_text()):
            for name in ("cost_bits", "wrong_bits"):
                points[f"evaluation/{name}_{result['length']}"] = [(STEPS, result[name])]
    return points


def assert_shown(folder):
    shown, expected = curves(folder), wanted(folder)
    assert shown.keys() == expected.keys()
    for tag, points in expected.items():
        assert [step for step, _ in shown[tag]] == [step for step, _ in points], tag
        assert [value for _, value in shown[tag]] == pytest.approx([value for _, value in points], rel=1e-6), tag


def test_tensorboard_shows_the_metrics_the_scores_and_the_options(tmp_path):
    train(tmp_path / "run", "tensorboard")
    assert {"train/loss", "train/learning_rate", "validation/wrong_bits", "evaluation/wrong_bits_120"} <= curves(
        tmp_path / "run"
    ).keys()
    assert_shown(tmp_path / "run")
    (file,) = (tmp_path / "run" / "tracker").glob("*/events.*")
    metadata_of = EventAccumulator(str(file.parent)).Reload().SummaryMetadata
    options = plugin_data_pb2.HParamsPluginData.FromString(
        metadata_of("_hparams_/session_start_info").plugin_data.content
    ).session_start_info.hparams
    assert options["model"].string_value == "ntm"
    assert options["model.slots"].number_value == 6
    assert options["train.tracker"].string_value == "tensorboard"
    assert options["train.tbptt"].string_value == "none"


def test_a_run_has_the_same_bits_with_and_without_a_tracker(tmp_path):
    train(tmp_path / "with", "tensorboard")
    train(tmp_path / "without", "none")
    last = f"checkpoints/step-{STEPS:09d}"
    for name in (
        *("weights.safetensors", "metrics.jsonl", "evaluation.json"),
        *(f"{last}/{part}" for part in ("optimizer.safetensors", "process-0.safetensors", "process-0.json")),
    ):
        assert (tmp_path / "with" / name).read_bytes() == (tmp_path / "without" / name).read_bytes(), name
    assert not (tmp_path / "without" / "tracker").exists()


def test_a_resumed_run_has_every_point_once(tmp_path):
    folder = tmp_path / "run"
    train(folder, "tensorboard", until=10)
    assert_shown(folder)
    assert {step for step, _ in curves(folder)["train/loss"]} == {5, 10}
    resume(folder)
    assert_shown(folder)
    assert [step for step, _ in curves(folder)["train/loss"]] == [5, 10, 15, 20]


def test_a_run_that_was_killed_has_every_point_once(tmp_path):
    """Step 10 was recorded but its checkpoint is deleted, as if the run was killed before it was saved."""
    folder = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        train(folder, "tensorboard", failing_at=12)
    assert [step for step, _ in curves(folder)["train/loss"]] == [5, 10]
    for path in (folder / "checkpoints" / "step-000000010").iterdir():
        path.unlink()
    resume(folder)
    assert_shown(folder)


def test_a_missing_tracker_is_reported_before_anything_is_written(tmp_path, monkeypatch, capsys):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    words = ["ntm", "copy", "--train.tracker", "wandb", "--out", str(tmp_path / "run")]
    monkeypatch.setattr(metadata, "version", missing)
    for command in ("train", "sweep"):
        assert carry_out([command, *words]) == 2
        message = capsys.readouterr().err
        assert 'memtape: tracker is wandb, which is not installed; run pip install "memtape[wandb]"\n' in message
    assert list(tmp_path.iterdir()) == []


def test_a_run_with_a_missing_tracker_is_not_changed(tmp_path, monkeypatch, capsys):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    folder = tmp_path / "run"
    train(folder, "tensorboard", until=10)

    def changes():
        return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.name != "run.lock"}

    before = changes()
    monkeypatch.setattr(metadata, "version", missing)
    assert carry_out(["resume", str(folder)]) == 2
    assert "tracker is tensorboard, which is not installed" in capsys.readouterr().err
    assert changes() == before


def test_a_failing_tracker_ends_the_training_run_which_can_be_resumed(tmp_path, monkeypatch, capsys):
    from accelerate.tracking import TensorBoardTracker  # noqa: PLC0415

    folder = tmp_path / "run"

    def full(self, values, step):
        raise OSError(28, "No space left on device")

    train(folder, "tensorboard", until=10)
    with monkeypatch.context() as patch:
        patch.setattr(TensorBoardTracker, "log", full)
        assert carry_out(["resume", str(folder)]) == 1
    assert (
        "memtape: the tracker tensorboard failed ([Errno 28] No space left on device); repair that and continue with "
        f"`memtape resume {folder}`\n" in capsys.readouterr().err
    )
    resume(folder)
    assert_shown(folder)
