"""Validation: what follows from a series of scores, which are given here instead of computed."""

import pytest
import torch

from memtape.training import validation
from memtape.training.loop import train
from memtape.training.settings import TrainSettings


@pytest.fixture
def validated(monkeypatch, short, model, task):
    """A function that trains with given scores of the validations, and returns the outcome, the records and the weights."""

    def validated(wrong_bits, cost_bits=None, restart_weights=None, **settings):
        given = iter(zip(cost_bits or wrong_bits, wrong_bits, strict=True))
        weights, lengths = [], []

        def evaluate(model, *_, **options):
            assert options["split"] == "validation"
            lengths.append(options["lengths"])
            weights.append({name: value.clone() for name, value in model.state_dict().items()})
            cost, wrong = next(given)
            return {"cost_bits": float(cost), "wrong_bits": float(wrong)}

        monkeypatch.setattr(validation, "evaluate", evaluate)
        records = []
        outcome = train(
            model,
            task,
            TrainSettings(**{**short, "validate_every": 1, "steps": len(wrong_bits), "solved_score": 1.0, **settings}),
            seed=0,
            on_record=records.append,
            on_step=lambda *_: None,
            restart_weights=restart_weights,
        )
        validated.lengths = lengths
        return outcome, records, weights

    return validated


def of(records, kind):
    return [record["step"] for record in records if record["kind"] == kind]


@pytest.mark.parametrize(
    ("wrong_bits", "solved_step"),
    [
        ([0, 0, 0, 0], 2),
        ([0, 5, 0, 5, 0, 5], None),
        ([0, 5, 0, 0, 5, 5], 4),
        ([5, 1, 1, 5], 3),
        ([5, 1.5, 1, 5, 1, 1], 6),
    ],
)
def test_only_validations_in_a_row_solve_a_task(validated, wrong_bits, solved_step):
    outcome, _, _ = validated(wrong_bits, solved_validations=2)
    assert outcome.solved_step == solved_step
    assert outcome.steps == (solved_step or len(wrong_bits))


def test_the_step_of_the_solution_is_that_of_the_first_row_of_solved_validations(validated):
    outcome, _, _ = validated([0, 0, 5, 0, 0, 0], solved_validations=2, stop_when_solved=False)
    assert outcome.solved_step == 2
    assert outcome.steps == 6


def test_the_last_score_decides_whether_a_task_is_solved(validated):
    outcome, _, _ = validated([5, 5, 5], cost_bits=[0, 0, 0], solved_validations=1)
    assert outcome.solved_step is None


@pytest.mark.parametrize(
    ("cost_bits", "best"), [([3, 1, 2, 4], 1), ([3, 2, 2, 4], 2), ([1, 2, 3, 4], 0), ([4, 3, 2, 1], 3)]
)
def test_the_first_score_decides_which_weights_are_kept(validated, model, cost_bits, best):
    outcome, _, weights = validated([9, 8, 7, 6], cost_bits=cost_bits)
    assert outcome.scores["cost_bits"] == min(cost_bits)
    assert all(torch.equal(value, weights[best][name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize(("wrong_bits", "restarted"), [([9, 4, 9, 9], [2]), ([9, 3, 9, 9], []), ([1.5, 9, 2, 2], [2])])
def test_a_training_run_is_stuck_by_its_last_score_at_one_step(validated, model, wrong_bits, restarted):
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    options = {"restarts": 1, "restart_after": 2, "restart_score": 3.0, "steps": 3}
    series = [*wrong_bits, 9]
    _, records, _ = validated(series, cost_bits=[0] * len(series), restart_weights=lambda _: weights, **options)
    assert of(records, "restart") == restarted


def test_a_restart_begins_a_new_row_of_solved_validations(validated, model):
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    options = {"restarts": 1, "restart_after": 2, "restart_score": 0.5, "steps": 3, "solved_validations": 3}
    outcome, records, _ = validated([1, 1, 1, 5, 5], restart_weights=lambda _: weights, **options)
    assert of(records, "restart") == [2]
    assert outcome.solved_step is None


def test_growing_lengths_are_not_solved(validated):
    outcome, records, _ = validated([0] * 6, curriculum_score=0.0, solved_validations=2)
    assert [record["longest"] for record in records if record["kind"] == "validation"] == [1, 2, 3, 3]
    assert validated.lengths == [(1, 1), (2, 2), None, None]
    assert outcome.solved_step == 4


def test_a_length_is_passed_by_the_last_score(validated):
    _, records, _ = validated([2, 1, 2, 1, 2, 2], cost_bits=[0] * 6, curriculum_score=1.0, solved_validations=9)
    assert [record["longest"] for record in records if record["kind"] == "validation"] == [1, 1, 2, 2, 3, 3]
