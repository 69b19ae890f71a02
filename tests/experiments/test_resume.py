"""Resume: a training run that is interrupted at any step reaches the same bits."""

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
    """Leave out the scores by length and the figures at the end of a run."""
    monkeypatch.setattr("memtape.experiments.train.tested", lambda *_, **__: [])
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
    """Return everything that must be equal: the metrics, and the contents of the last checkpoint except the seconds."""
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
    }  # beartype, which is active in the tests, draws from that generator
    return run.metrics_file.read_bytes(), files["metrics.jsonl"], progress, plain, tensors


def same(first, second):
    assert first[:-1] == second[:-1]
    assert first[-1].keys() == second[-1].keys()
    assert all(torch.equal(value, second[-1][name]) for name, value in first[-1].items())


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
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
def test_an_interrupted_training_run_reaches_the_same_bits(tmp_path, uninterrupted, name, until):
    run, outcome = train(tmp_path / "run", SETTINGS[name], until=until)
    assert not outcome.finished
    assert outcome.steps == until
    assert not run.finished
    again, outcome = resume(run.folder)
    assert outcome.finished
    wanted, result, weights = uninterrupted(name)
    same(bits(again), wanted)
    assert {**again.read("result.json"), "seconds": 0} == {**result, "seconds": 0}
    assert (run.folder / "weights.safetensors").read_bytes() == weights


def test_a_stopped_training_run_reports_its_reason_stops_again_and_continues_after_a_fix(
    tmp_path, monkeypatch, uninterrupted
):
    original, messages = Copy.batch, []

    def poisoned(task, index, *words, **options):
        batch = original(task, index, *words, **options)
        return replace(batch, targets=batch.targets * float("inf")) if index == 7 else batch

    folder = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(Copy, "batch", poisoned)
        with pytest.raises(NonFiniteError) as first:
            train(folder, {})
        left = (folder / "metrics.jsonl").read_bytes()
        assert Run(folder).stop() == "at step 8, as the loss is not finite"
        with pytest.raises(NonFiniteError) as second:
            resume(folder, tell=messages.append)
        assert str(second.value) == str(first.value)
        assert (folder / "metrics.jsonl").read_bytes() == left
    resume(folder, tell=messages.append)
    sentence = "this training run stopped at step 8, as the loss is not finite; continuing from step 6, which leads to the same"
    assert [text.startswith(sentence) for text in messages] == [True, True]
    same(bits(Run(folder)), uninterrupted("plain")[0])
    assert Run(folder).stop() is None


def test_a_training_run_may_be_interrupted_after_every_step(tmp_path, uninterrupted):
    run, _ = train(tmp_path / "run", {}, until=1)
    for step in range(2, STEPS):
        _, outcome = resume(run.folder, until=step)
        assert outcome.steps == step
    resume(run.folder)
    same(bits(run), uninterrupted("plain")[0])


def test_metrics_after_the_checkpoint_are_written_again(tmp_path, uninterrupted):
    """After a kill there may be records of steps after the last checkpoint, and the last line may be incomplete."""
    run, _ = train(tmp_path / "run", {}, until=7)
    with run.metrics_file.open("a") as file:
        file.write('{"kind": "train", "step": 9}\n{"kind": "val')
    resume(run.folder)
    same(bits(run), uninterrupted("plain")[0])


def test_a_damaged_checkpoint_is_named_and_the_previous_one_is_used(tmp_path, uninterrupted):
    run, _ = train(tmp_path / "run", {}, until=7)
    (run.checkpoints / "step-000000007" / "weights.safetensors").write_bytes(b"rot")
    messages = []
    resume(run.folder, tell=messages.append)
    assert len(messages) == 1
    assert "step-000000007/weights.safetensors has 3 bytes, but manifest.json lists" in messages[0]
    assert messages[0].endswith("; continuing from step 6")
    same(bits(run), uninterrupted("plain")[0])


def test_damaged_files_of_the_run_are_restored_from_the_checkpoint(tmp_path, uninterrupted):
    run, _ = train(tmp_path / "run", {}, until=7)
    for name in COPIED:
        (run.folder / name).write_bytes(b"rot")
    resume(run.folder)
    same(bits(run), uninterrupted("plain")[0])
    assert run.read("config.json")["seed"] == 1


def test_without_a_valid_checkpoint_all_damaged_ones_are_named(tmp_path):
    run, _ = train(tmp_path / "run", {}, until=7)
    for path in run.checkpoints.iterdir():
        (path / "progress.json").unlink()
    with pytest.raises(
        RunError, match=r"every checkpoint of .* is damaged: .*step-000000007.*step-000000006.*; train again"
    ):
        resume(run.folder)


def test_a_run_killed_before_its_first_checkpoint_starts_again(tmp_path, uninterrupted):
    run, _ = train(tmp_path / "run", {}, until=1)
    for path in run.checkpoints.rglob("*"):
        if path.is_file():
            path.unlink()
    for path in [*run.checkpoints.iterdir(), run.checkpoints]:
        path.rmdir()
    resume(run.folder)
    same(bits(run), uninterrupted("plain")[0])


def test_a_finished_training_run_is_not_changed(tmp_path):
    run, _ = train(tmp_path / "run", {})
    before = run.metrics_file.read_bytes()
    assert resume(run.folder)[1] is None
    assert run.metrics_file.read_bytes() == before


def test_another_machine_is_reported(tmp_path):
    run, _ = train(tmp_path / "run", {}, until=7)
    checkpoint = run.checkpoints / "step-000000007"
    written = json.loads((checkpoint / "environment.json").read_text())
    (checkpoint / "environment.json").write_text(json.dumps({**written, "torch": "1.0"}))
    write_manifest(checkpoint, [path.name for path in checkpoint.iterdir() if path.name != MANIFEST])
    messages = []
    resume(run.folder, tell=messages.append)
    assert messages == [f"torch was 1.0 and is {torch.__version__}: further results may differ in the last bits"]


def test_a_full_disk_ends_the_training_run_with_the_lost_steps_and_how_to_continue(
    tmp_path, monkeypatch, uninterrupted
):
    flush, count = os.fsync, iter(range(10_000))

    def full(handle):
        if next(count) >= 2 * 12:  # a checkpoint flushes twelve files and folders
            raise OSError(28, "No space left on device")
        flush(handle)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        sentence = (
            r"cannot be written \(No space left on device\), and progress after step 3 is lost; free .* `memtape resume"
        )
        with pytest.raises(RunError, match=sentence):
            train(tmp_path / "run", {})
    run, _ = resume(tmp_path / "run")
    same(bits(run), uninterrupted("plain")[0])


def test_a_run_is_not_resumed_beside_its_training(tmp_path):
    train(tmp_path / "run", {}, until=5)
    run, before = Run(tmp_path / "run"), [path.read_bytes() for path in sorted((tmp_path / "run").glob("*.json*"))]
    with run.owned(), pytest.raises(RunError, match=rf"the training run in .* belongs to process {os.getpid()} on "):
        resume(run.folder)
    assert before == [path.read_bytes() for path in sorted(run.folder.glob("*.json*"))]
    assert resume(run.folder) is not None


def test_a_run_in_training_is_owned(tmp_path):
    seen = []

    def watch(step, _):
        if step == 2:
            with pytest.raises(RunError, match="belongs to process"):
                resume(tmp_path / "run")
            seen.append(step)

    chosen = experiment()
    train_run(chosen, *chosen.build(), tmp_path / "run", on_record=ignore, on_step=watch)
    assert seen == [2]
    assert [record["step"] for record in Run(tmp_path / "run").records() if record["kind"] == "validation"] == [
        3,
        6,
        9,
        12,
    ]
