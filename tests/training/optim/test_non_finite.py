"""Non-finite numbers: a training run names their origin, and stops, skips the step or rolls back."""

import copy
from dataclasses import replace

import pytest
import torch
from torch import nn

from memtape import Copy
from memtape.training.checkpoints import Checkpoints
from memtape.training.optim.non_finite import NonFiniteError, first_non_finite


class _Poisoned(Copy):
    """Copy with an infinite target in the batches of given indices, as in corrupt data."""

    def __init__(self, bad):
        super().__init__(bits=2, max_length=3)
        self.bad, self.drawn = bad, []

    def batch(self, index, batch_size, *, split="train", **options):
        batch = super().batch(index, batch_size, split=split, **options)
        if split != "train":
            return batch
        self.drawn.append(index)
        return replace(batch, targets=batch.targets * float("inf")) if index in self.bad else batch


def test_a_parameter_that_is_not_finite_stops_the_training_run_and_is_named(run, model, task):
    with torch.no_grad():
        model.cell.machine.to_output.weight[0, 0] = float("nan")
    with pytest.raises(NonFiniteError, match=r"step 1 because the parameter cell\.machine\.to_output\.weight is not"):
        run(model, task)


def test_a_module_whose_output_is_not_finite_is_named(run, task):
    class Broken(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = nn.Linear(task.input_size, task.output_size)
            self.second = nn.Identity()
            self.second.register_forward_hook(lambda module, x, y: y / 0)

        def forward(self, xs, lengths=None):
            return self.second(self.first(xs)), None

    with pytest.raises(
        NonFiniteError, match=r"the output of second \(Identity\) is not finite; lower the learning rate"
    ):
        run(Broken(), task)


def test_a_gradient_that_is_not_finite_is_named(model, task):
    batch = task.batch(0, 2)
    model(batch.inputs)[0].sum().backward()
    model.cell.machine.initial_reads.grad[0] = float("inf")
    assert first_non_finite(model, task, batch) == "the gradient of cell.machine.initial_reads"


@pytest.mark.parametrize(
    "settings", [{}, {"non_finite": "skip", "non_finite_limit": 1}, {"non_finite": "rollback", "non_finite_limit": 1}]
)
def test_the_last_record_of_a_stopped_run_names_the_step_and_the_place(run, model, tmp_path, settings):
    records = []
    with pytest.raises(NonFiniteError):
        run(model, _Poisoned(range(2, 99)), records=records, checkpoints=Checkpoints(tmp_path, {}, keep=1), **settings)
    step = 4 if settings.get("non_finite") == "skip" else 3
    assert records[-1] == {"kind": "stopped", "step": step, "sequences": 4 * step, "place": "the loss"}
    assert sum(record["kind"] == "stopped" for record in records) == 1


def test_a_skipped_step_is_recorded(run, model):
    outcome, records, steps = run(model, _Poisoned({2, 3}), non_finite="skip")
    assert outcome.skipped == 2
    assert [step for step, _ in steps] == [1, 2, 5, 6]
    assert [(r["step"], r["place"]) for r in records if r["kind"] == "skip"] == [(3, "the loss"), (4, "the loss")]
    assert all(parameter.isfinite().all() for parameter in model.parameters())


def test_a_skipped_step_changes_no_weight(run, model):
    copied = copy.deepcopy(model)
    run(model, _Poisoned({2}), steps=3, validate_every=1, non_finite="skip")
    run(copied, _Poisoned(()), steps=2, validate_every=1)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), copied.parameters(), strict=True))


def test_too_many_skipped_steps_in_a_row_stop_the_training_run(run, model):
    with pytest.raises(NonFiniteError, match=r"stopped at step 5 .* after 2 skipped steps in a row"):
        run(model, _Poisoned({0, 2, 3, 4}), non_finite="skip", non_finite_limit=2)


def test_a_rollback_continues_from_the_last_checkpoint_with_other_data(run, model, tmp_path):
    task = _Poisoned({3})
    outcome, records, _ = run(model, task, non_finite="rollback", checkpoints=Checkpoints(tmp_path, {}, keep=1))
    assert (outcome.rollbacks, outcome.steps) == (1, 6)
    assert task.drawn == [0, 1, 2, 3, 4, 5, 6, 7]
    (rollback,) = [r for r in records if r["kind"] == "rollback"]
    assert (rollback["step"], rollback["back_to"]) == (4, 2)


def test_too_many_rollbacks_stop_the_training_run(run, model, tmp_path):
    with pytest.raises(NonFiniteError, match=r"stopped at step 3 .* after 2 rollbacks to a checkpoint"):
        run(
            model,
            _Poisoned(range(2, 99)),
            non_finite="rollback",
            non_finite_limit=2,
            checkpoints=Checkpoints(tmp_path, {}, keep=1),
        )


def test_a_rollback_needs_checkpoints(run, model, task):
    with pytest.raises(ValueError, match=r'non_finite is "rollback", but nothing is saved'):
        run(model, task, non_finite="rollback")
