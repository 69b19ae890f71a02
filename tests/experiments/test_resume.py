"""Resume: a training that was interrupted anywhere comes to the same bits."""

import json
import os
from dataclasses import replace

import pytest
import torch

from memtape import Copy
from memtape.core.manifest import MANIFEST, write_manifest
from memtape.experiments.experiment import Experiment, settings_from
from memtape.experiments.resume import resume_run
from memtape.experiments.run_folder.folder import COPIED, Run, RunError
from memtape.experiments.train import train_run
from memtape.training.checkpoints import Checkpoints
from memtape.training.interruption import Interruption
from memtape.training.optim.non_finite import NonFiniteError

STEPS = 12
TINY = {
    "steps": STEPS,
    "batch_size": 4,
    "validate_every": 3,
    "validation_sequences": 4,
    "device": "cpu",
    "stop_when_solved": False,
    "learning_rate": 0.01,
}
SETTINGS = {
    "plain": {},
    "streams": {"tbptt": 3, "carry": True},
    "parts": {"accumulate": 3, "optimizer": "graves"},
    "restarts": {"restarts": 2, "restart_after": 3, "restart_score": 0.0, "optimizer": "rmsprop"},
    "curriculum": {"curriculum_steps": 8, "curriculum_max": 1, "schedule": "cosine", "warmup_steps": 5},
    "curriculum by score": {"curriculum_score": 100.0},
    "solved": {"solved_score": 100.0, "stop_when_solved": True, "solved_validations": 4},
    "rare saves": {"save_every": 5, "keep": 1},
}


@pytest.fixture(autouse=True)
def short_ending(monkeypatch):
    """The end of a run, its scores by length and its figures, is not looked at here."""
    monkeypatch.setattr("memtape.experiments.train.by_length", lambda *_, **__: [])
    monkeypatch.setattr("memtape.experiments.train.write_run_report", lambda run, *_: run.report_file)
    monkeypatch.setattr("memtape.experiments.resume.report_run", ignore)


def experiment(**settings):
    return Experiment(
        model="ntm",
        task="copy",
        model_options={"slots": 6, "width": 4, "controller_size": 8},
        task_options={"bits": 2, "max_length": 3},
        train=settings_from({**TINY, **settings}),
        seed=1,
    )


def ignore(*_):
    pass


def train(folder, settings, *, until=None):
    wish = Interruption()

    def watch(step, _):
        wish.requested = step == until

    chosen = experiment(**settings)
    return train_run(chosen, *chosen.build(), folder, on_record=ignore, on_step=watch, interruption=wish)


def resume(folder, *, until=None, tell=ignore):
    wish = Interruption()

    def watch(step, _):
        wish.requested = step == until

    return resume_run(folder, on_start=ignore, on_record=ignore, on_step=watch, warn=tell, interruption=wish)


def bits(run):
    """Everything that must not differ: the metrics, and all that the last checkpoint holds but the seconds."""
    checkpoints = Checkpoints(run.checkpoints, {name: run.folder / name for name in COPIED}, keep=1)
    found, files, damages = checkpoints.newest()
    assert not damages
    progress = {**found.progress.to_json(), "seconds": None}
    parts = {part: getattr(found, part) for part in ("weights", "best_weights", "optimizer")}
    tensors = {f"{part} {name}": value for part, values in parts.items() for name, value in values.items()}
    tensors |= found.shares[0].tensors
    plain = {
        **found.shares[0].plain,
        "python": None,
    }  # beartype, which looks on in the tests, draws from that generator
    return run.metrics_file.read_bytes(), files["metrics.jsonl"], progress, plain, tensors


def same(first, second):
    assert first[:-1] == second[:-1]
    assert first[-1].keys() == second[-1].keys()
    assert all(torch.equal(value, second[-1][name]) for name, value in first[-1].items())


@pytest.fixture(scope="module")
def never_ended(tmp_path_factory):
    done = {}

    def look_up(name):
        if name not in done:
            run, outcome = train(tmp_path_factory.mktemp("whole") / "run", SETTINGS[name])
            assert outcome.finished
            done[name] = bits(run), run.read("result.json"), (run.folder / "weights.safetensors").read_bytes()
        return done[name]

    return look_up


@pytest.mark.parametrize("until", [1, 3, 7, 11])
@pytest.mark.parametrize("name", SETTINGS)
def test_an_interrupted_training_comes_to_the_same_bits(tmp_path, never_ended, name, until):
    run, outcome = train(tmp_path / "run", SETTINGS[name], until=until)
    assert not outcome.finished
    assert outcome.steps == until
    assert not run.finished
    again, outcome = resume(run.folder)
    assert outcome.finished
    wanted, result, weights = never_ended(name)
    same(bits(again), wanted)
    assert {**again.read("result.json"), "seconds": 0} == {**result, "seconds": 0}
    assert (run.folder / "weights.safetensors").read_bytes() == weights


def test_a_training_that_stopped_says_so_stops_again_and_goes_on_once_the_cause_is_gone(
    tmp_path, monkeypatch, never_ended
):
    whole, told = Copy.batch, []

    def poisoned(task, index, *words, **options):
        batch = whole(task, index, *words, **options)
        return replace(batch, targets=batch.targets * float("inf")) if index == 7 else batch

    folder = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(Copy, "batch", poisoned)
        with pytest.raises(NonFiniteError) as first:
            train(folder, {})
        left = (folder / "metrics.jsonl").read_bytes()
        assert Run(folder).stop() == "at step 8, as the loss is not finite"
        with pytest.raises(NonFiniteError) as second:
            resume(folder, tell=told.append)
        assert str(second.value) == str(first.value)
        assert (folder / "metrics.jsonl").read_bytes() == left
    resume(folder, tell=told.append)
    sentence = "this training run stopped at step 8, as the loss is not finite; continuing from step 6, which leads to the same"
    assert [text.startswith(sentence) for text in told] == [True, True]
    same(bits(Run(folder)), never_ended("plain")[0])
    assert Run(folder).stop() is None


def test_a_training_may_be_interrupted_after_every_update(tmp_path, never_ended):
    run, _ = train(tmp_path / "run", {}, until=1)
    for step in range(2, STEPS):
        _, outcome = resume(run.folder, until=step)
        assert outcome.steps == step
    resume(run.folder)
    same(bits(run), never_ended("plain")[0])


def test_metrics_beyond_the_checkpoint_are_written_anew(tmp_path, never_ended):
    """As after a kill: more was recorded than was saved, and the last line is cut."""
    run, _ = train(tmp_path / "run", {}, until=7)
    with run.metrics_file.open("a") as file:
        file.write('{"kind": "train", "step": 9}\n{"kind": "val')
    resume(run.folder)
    same(bits(run), never_ended("plain")[0])


def test_a_damaged_checkpoint_is_named_and_the_one_before_taken(tmp_path, never_ended):
    run, _ = train(tmp_path / "run", {}, until=7)
    (run.checkpoints / "step-000000007" / "weights.safetensors").write_bytes(b"rot")
    told = []
    resume(run.folder, tell=told.append)
    assert len(told) == 1
    assert "step-000000007/weights.safetensors has 3 bytes, but manifest.json lists" in told[0]
    assert told[0].endswith("; continuing from step 6")
    same(bits(run), never_ended("plain")[0])


def test_damaged_files_of_the_run_itself_come_back_from_the_checkpoint(tmp_path, never_ended):
    run, _ = train(tmp_path / "run", {}, until=7)
    for name in COPIED:
        (run.folder / name).write_bytes(b"rot")
    resume(run.folder)
    same(bits(run), never_ended("plain")[0])
    assert run.read("config.json")["seed"] == 1


def test_without_any_sound_checkpoint_all_are_named(tmp_path):
    run, _ = train(tmp_path / "run", {}, until=7)
    for path in run.checkpoints.iterdir():
        (path / "progress.json").unlink()
    with pytest.raises(
        RunError, match=r"every checkpoint of .* is damaged: .*step-000000007.*step-000000006.*; train again"
    ):
        resume(run.folder)


def test_a_run_that_was_killed_before_anything_was_saved_begins(tmp_path, never_ended):
    run, _ = train(tmp_path / "run", {}, until=1)
    for path in run.checkpoints.rglob("*"):
        if path.is_file():
            path.unlink()
    for path in [*run.checkpoints.iterdir(), run.checkpoints]:
        path.rmdir()
    resume(run.folder)
    same(bits(run), never_ended("plain")[0])


def test_a_finished_training_is_left_alone(tmp_path):
    run, _ = train(tmp_path / "run", {})
    before = run.metrics_file.read_bytes()
    assert resume(run.folder)[1] is None
    assert run.metrics_file.read_bytes() == before


def test_another_machine_is_told(tmp_path):
    run, _ = train(tmp_path / "run", {}, until=7)
    checkpoint = run.checkpoints / "step-000000007"
    written = json.loads((checkpoint / "environment.json").read_text())
    (checkpoint / "environment.json").write_text(json.dumps({**written, "torch": "1.0"}))
    write_manifest(checkpoint, [path.name for path in checkpoint.iterdir() if path.name != MANIFEST])
    told = []
    resume(run.folder, tell=told.append)
    assert told == [f"torch was 1.0 and is {torch.__version__}: further results may differ in the last bits"]


def test_a_full_disk_ends_the_training_with_what_is_lost_and_how_to_go_on(tmp_path, monkeypatch, never_ended):
    flush, count = os.fsync, iter(range(10_000))

    def full(handle):
        if next(count) >= 2 * 12:  # a checkpoint flushes twelve files and folders
            raise OSError(28, "No space left on device")
        flush(handle)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        told = (
            r"cannot be written \(No space left on device\), and progress after step 3 is lost; free .* `memtape resume"
        )
        with pytest.raises(RunError, match=told):
            train(tmp_path / "run", {})
    run, _ = resume(tmp_path / "run")
    same(bits(run), never_ended("plain")[0])
