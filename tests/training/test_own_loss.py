"""A network with its own loss: it replaces that of the task, and its parts add up to the whole."""

import copy

import pytest
import torch

from memtape import RepeatCopy, StackedLSTM
from memtape.training.gradient import gradient
from memtape.training.optim.non_finite import first_non_finite
from memtape.training.parallel.processes import Processes
from memtape.training.parallel.replicas import Replicas
from memtape.training.settings import TrainSettings


class Squared(StackedLSTM):
    """A network whose loss is the squared error of each step."""

    own_loss = True
    scale = 1.0

    def forward(self, xs, state=None, *, lengths=None, targets=None):
        outputs, state = super().forward(xs, state, lengths=lengths)
        if targets is None:
            return outputs, state
        return outputs, state, (outputs - targets).square().sum(2) * self.scale


class WithoutLoss(RepeatCopy):
    """A task whose loss must not be computed."""

    def loss(self, outputs, batch):
        raise AssertionError("the loss of the task was computed")

    def weight(self, batch):
        raise AssertionError("the weight of the task was computed")


@pytest.fixture
def task():
    return WithoutLoss(bits=2, max_length=3, max_repeats=3)


@pytest.fixture
def model(task):
    torch.manual_seed(0)
    return Squared(task.input_size, task.output_size, hidden_size=5, layers=1).double()


def batch_of(task):
    batch = task.batch(3, 5)
    assert len(set(batch.mask.sum(1).tolist())) > 1
    return type(batch)(
        inputs=batch.inputs.double(), targets=batch.targets.double(), mask=batch.mask, lengths=batch.lengths
    )


def gradients(model, task, processes=None, **options):
    settings = TrainSettings(device="cpu", batch_size=5, **options)
    model = copy.deepcopy(model)
    alone = Processes(settings)
    network = Replicas(model, settings, alone)
    scores, _, _ = gradient(
        network, task, batch_of(task), None, settings=settings, processes=(processes or (lambda _: alone))(alone)
    )
    return scores, [parameter.grad for parameter in model.parameters()]


def by_hand(model, task):
    batch = batch_of(task)
    outputs, _ = model(batch.inputs, lengths=batch.lengths)
    loss = (outputs - batch.targets).square().sum(2)[batch.mask].mean()
    return float(loss.detach()), torch.autograd.grad(loss, list(model.parameters()))


@pytest.mark.parametrize("options", [{}, {"accumulate": 2}, {"accumulate": 5}, {"tbptt": 1000}])
def test_its_loss_and_gradient_are_the_mean_over_the_scored_steps(model, task, options):
    loss, expected = by_hand(model, task)
    scores, found = gradients(model, task, **options)
    assert scores["loss"] == pytest.approx(loss, rel=1e-9)
    for mine, other in zip(found, expected, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-9, atol=1e-12)


def test_truncation_keeps_its_loss(model, task):
    assert gradients(model, task, tbptt=3)[0]["loss"] == pytest.approx(by_hand(model, task)[0], rel=1e-9)


@pytest.mark.parametrize("count", [2, 3])
def test_the_mean_gradient_over_processes_is_that_of_the_batch(model, task, count):
    def seen_from(index):
        def processes(alone):
            seen = copy.copy(alone)
            seen.index, seen.count, seen.sum = index, count, dict
            return seen

        return processes

    loss, expected = by_hand(model, task)
    found = [gradients(model, task, seen_from(index)) for index in range(count)]
    assert sum(scores["loss"] for scores, _ in found) == pytest.approx(loss, rel=1e-9)
    for number, other in enumerate(expected):
        mine = torch.stack([each[number] for _, each in found]).mean(0)
        torch.testing.assert_close(mine, other, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("precision", ["float32", "bf16"])
def test_training_lowers_its_loss(run, model, task, precision):
    _, records, steps = run(model.float(), task, steps=30, learning_rate=0.05, precision=precision)
    losses = [scores["loss"] for _, scores in steps]
    assert sum(losses[-10:]) < 0.9 * sum(losses[:10])
    assert any(record["kind"] == "validation" for record in records)


def test_a_loss_that_is_not_finite_is_named(model, task):
    model.scale = float("nan")
    assert first_non_finite(model, task, batch_of(task)) == "the loss"
