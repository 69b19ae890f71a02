"""Restarts: the condition for a restart, and the state after it."""

import copy

import pytest
import torch

from memtape import NTM, Copy
from memtape.training.loop import train
from memtape.training.parallel.processes import Processes
from memtape.training.settings import TrainSettings
from memtape.training.state import TrainingState


def test_a_stuck_training_run_starts_again(short, model, task):
    """With a bound of 0 wrong bits, two steps are always stuck; the second start is the last."""
    other = NTM(task.input_size, task.output_size, slots=6, width=4, controller_size=8).state_dict()
    numbers = []

    def restart_weights(number):
        numbers.append(number)
        return other

    records = []
    settings = TrainSettings(**short, restarts=2, restart_after=2, restart_score=0)
    outcome = train(
        model,
        task,
        settings,
        seed=0,
        on_record=records.append,
        on_step=lambda *_: None,
        restart_weights=restart_weights,
    )
    assert numbers == [1, 2]
    assert outcome.restarts == 2
    assert outcome.steps == 2 + 2 + 6
    assert [record["step"] for record in records if record["kind"] == "validation"] == [2, 4, 6, 8, 10]
    assert [record["step"] for record in records if record["kind"] == "restart"] == [2, 4]


def test_the_task_defines_the_bound_of_a_restart_unless_the_settings_do(short, model, task):
    task.stuck_at = 1e9
    settings = TrainSettings(**short, restarts=2, restart_after=2)
    numbers = []
    other = copy.deepcopy(model).state_dict()

    def restart_weights(number):
        numbers.append(number)
        return other

    def trained():
        train(
            model,
            task,
            settings,
            seed=0,
            on_record=lambda _: None,
            on_step=lambda *_: None,
            restart_weights=restart_weights,
        )
        return len(numbers)

    assert trained() == 0
    task.stuck_at = -1.0
    assert trained() == 2


def test_a_restart_trains_like_a_new_run(short, model, task):
    """Learning rate, optimiser and best validation are reset; only the data continue."""
    restarted = copy.deepcopy(model)
    settings = {**short, "steps": 4, "schedule": "cosine", "restart_after": 2, "restart_score": 0.0}

    def data_from(first):
        class Later(Copy):
            def batch(self, index, *arguments, **options):
                return super().batch(index + first, *arguments, **options)

        return Later(bits=2, max_length=3)

    options = {"seed": 0, "on_record": lambda _: None, "on_step": lambda *_: None}
    again = {name: value.clone() for name, value in restarted.state_dict().items()}
    train(model, task, TrainSettings(**settings, restarts=1), **options, restart_weights=lambda _: again)
    train(restarted, data_from(2), TrainSettings(**settings), **options)
    for mine, other in zip(model.parameters(), restarted.parameters(), strict=True):
        assert torch.equal(mine, other)


def test_a_restart_uses_the_initial_state(short, model, task):
    settings = TrainSettings(**short, carry=True)
    state = TrainingState(model, task, settings, Processes(settings))
    state.carried = model.init_state(4)
    state.progress.step, state.progress.passed, state.progress.solved_in_a_row = 4, 2, 1
    state.keep_as_best({"cost_bits": 0.0, "wrong_bits": 0.0})
    assert state.progress.best_step == 4  # its checkpoint is kept
    state.restart(model.state_dict())
    assert state.carried is None
    assert (state.progress.own_step, state.progress.passed, state.progress.solved_in_a_row) == (0, 0, 0)
    assert (state.progress.best, state.best_weights) == (None, {})


def test_restarts_are_possible_at_validations_only():
    with pytest.raises(ValueError, match="restart_after 5 is not a multiple of validate_every 2, at which"):
        TrainSettings(restarts=1, restart_after=5, validate_every=2)
