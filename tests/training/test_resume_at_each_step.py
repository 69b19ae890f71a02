"""Resuming at each step: the same records, outcome and weights as without the interruption."""

import copy
from dataclasses import asdict, replace

import pytest
import torch

from memtape import StackedLSTM
from memtape.training.checkpoints import Checkpoints
from memtape.training.loop import train
from memtape.training.parallel.processes import Processes
from memtape.training.settings import TrainSettings
from memtape.training.state import TrainingState

STEPS = 6
OPTIONS = {
    "a carried state": {"carry": True, "tbptt": 2},
    "a row of solved validations": {"solved_score": 1e9, "solved_validations": 3, "stop_when_solved": False},
    "growing lengths": {"curriculum_score": 1e9, "schedule": "cosine", "warmup_steps": 3},
    "an early best validation": {"learning_rate": 3.0, "clip": "none"},
    "a restart": {"restarts": 1, "restart_after": 4, "restart_score": 0.0, "optimizer": "rmsprop"},
}


@pytest.fixture
def model(task):
    torch.manual_seed(0)
    return StackedLSTM(task.input_size, task.output_size, hidden_size=4, layers=2, dropout=0.5)


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_a_training_run_resumed_at_any_step_is_the_same(model, task, short, tmp_path, options):
    settings = TrainSettings(**{**short, "steps": STEPS, "save_every": 1, "learning_rate": 0.05, **options})
    other = {name: 0.5 * value for name, value in model.state_dict().items()}

    def trained(folder, checkpoint=None):
        own, records = copy.deepcopy(model), []
        outcome = train(
            own,
            task,
            settings,
            seed=0,
            on_record=records.append,
            on_step=lambda *_: None,
            restart_weights=lambda _: other,
            checkpoints=Checkpoints(folder, {}, keep=99),
            resume_from=checkpoint,
        )
        return own.state_dict(), records, asdict(outcome) | {"seconds": 0}

    weights, records, outcome = trained(tmp_path / "whole")
    costs = [record["cost_bits"] for record in records if record["kind"] == "validation"]
    assert costs[-1] > min(costs) or settings.learning_rate < 1
    saved = Checkpoints(tmp_path / "whole", {}, keep=99)
    assert saved.steps() == list(range(outcome["steps"] + 1))
    for step in saved.steps()[1:-1]:
        checkpoint, _ = saved._read(step)
        torch.manual_seed(1234)
        found, later, end = trained(tmp_path / f"from {step}", checkpoint)
        assert end == outcome
        assert later == [record for record in records if record["step"] > step]
        assert all(torch.equal(found[name], value) for name, value in weights.items())


@pytest.mark.parametrize(("own", "saved", "total"), [(0.0, 7.0, 7.0), (9.0, 7.0, 9.0)])
def test_seconds_continue_and_are_not_lost_in_a_rollback(model, task, short, own, saved, total):
    settings = TrainSettings(**short)
    state = TrainingState(model, task, settings, Processes(settings))
    checkpoint = state.checkpoint()
    restored = replace(checkpoint, progress=replace(checkpoint.progress, seconds=saved))
    state.progress.seconds = own
    state.restore(restored)
    assert state.progress.seconds == total
