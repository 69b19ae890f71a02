"""A readout in closed form is optimal on its batch."""

import pytest
import torch

from memtape.core.batch import SequenceBatch
from memtape.models.recurrent.esn import EchoState
from memtape.models.recurrent.gru import GRU
from memtape.tasks.dynamics.narma import Narma
from memtape.tasks.images.digits import Digits
from memtape.training.loop import train
from memtape.training.optim.closed_form import solve
from memtape.training.settings import SettingsError, TrainSettings

RIDGE = TrainSettings(optimizer="ridge", ridge_penalty=1e-3, device="cpu", steps=1, batch_size=2, validate_every=1)


@pytest.fixture
def task():
    return Narma(min_length=120, max_length=120)


@pytest.fixture
def network(task):
    torch.manual_seed(0)
    return EchoState(task.input_size, task.output_size, hidden_size=12).double()


@pytest.fixture
def batch(task):
    drawn = task.batch(0, 2)
    return SequenceBatch(
        inputs=drawn.inputs.double(), targets=drawn.targets.double(), mask=drawn.mask, lengths=drawn.lengths
    )


def cost(network, batch):
    ys, _ = network(batch.inputs, lengths=batch.lengths)
    weights = torch.cat([network.cell.to_output.weight.flatten(), network.cell.to_output.bias])
    return (ys - batch.targets)[batch.mask].square().sum() + 1e-3 * weights.square().sum()


def test_the_gradient_of_the_objective_is_zero_at_the_solution(network, task, batch):
    before = cost(network, batch)
    solve(network, task, batch, RIDGE)
    after = cost(network, batch)
    assert after < before
    for gradient in torch.autograd.grad(after, list(network.parameters())):
        torch.testing.assert_close(gradient, torch.zeros_like(gradient), rtol=0, atol=1e-8)


def test_the_scores_are_those_of_the_solution(network, task, batch):
    scores = solve(network, task, batch, RIDGE)
    with torch.no_grad():
        ys, _ = network(batch.inputs, lengths=batch.lengths)
    assert scores == pytest.approx({"loss": float(task.loss(ys, batch)), **task.scores(ys, batch)})


def test_classes_are_regressed_as_one_hot_vectors():
    task = Digits()
    torch.manual_seed(0)
    network = EchoState(task.input_size, task.output_size, hidden_size=100)
    scores = solve(network, task, task.batch(0, 400), RIDGE)
    assert scores["accuracy"] > 0.5


def test_one_training_step_is_enough(task):
    torch.manual_seed(0)
    network = EchoState(task.input_size, task.output_size, hidden_size=50)
    records = []
    outcome = train(network, task, RIDGE, seed=0, on_record=records.append, on_step=lambda *_: None)
    assert outcome.scores["nrmse"] < 0.9
    assert [record["kind"] for record in records] == ["train", "validation"]


def test_a_network_without_a_linear_readout_is_refused(task):
    message = 'optimizer is "ridge", but GRU has no linear readout of fixed features; choose another'
    with pytest.raises(SettingsError, match=message):
        solve(GRU(1, 1, hidden_size=4), task, task.batch(0, 1), RIDGE)
