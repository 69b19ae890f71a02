"""The penalty on vanishing gradients: each backward pass adds its gradient, and changes nothing else."""

import copy
import math

import pytest
import torch

from memtape import Copy, Recurrent, StackedLSTM
from memtape.cells import ElmanCell, LearnedInitialState, Readout, Stacked
from memtape.cells.activation import ACTIVATIONS
from memtape.ops.backpropagation import ElmanParameters, elman_backward, elman_forward
from memtape.ops.vanishing import vanishing_penalty
from memtape.training.gradient import gradient
from memtape.training.optim.vanishing_penalty import SLOPES, against_vanishing
from memtape.training.parallel.processes import Processes
from memtape.training.parallel.replicas import Replicas
from memtape.training.settings import TrainSettings

BATCH, TIME, HIDDEN = 4, 9, 5
F64 = torch.float64


@pytest.fixture
def task():
    return Copy(bits=2, max_length=4)


@pytest.fixture
def batch(task):
    drawn = task.batch(3, BATCH)
    return type(drawn)(
        inputs=drawn.inputs.double(), targets=drawn.targets.double(), mask=drawn.mask, lengths=drawn.lengths
    )


@pytest.fixture
def network(task):
    return Recurrent(Readout(ElmanCell(task.input_size, HIDDEN), task.output_size)).double()


def recurrent_weights(network):
    return network.cell.cell.from_hidden.weight


def gradients(network, task, batch, weight, **options):
    """Return the gradients of one training step, and the penalty."""
    settings = TrainSettings(device="cpu", batch_size=BATCH, **options)
    network, processes = copy.deepcopy(network), Processes(settings)
    with against_vanishing(network, weight, rows=BATCH) as omega:
        held = Replicas(network, settings, processes)
        scores, _, _ = gradient(held, task, batch, None, settings=settings, processes=processes)
    return {name: parameter.grad for name, parameter in network.named_parameters()}, omega.value, scores["loss"]


def penalty_by_hand(network, task, batch):
    """Return the penalty as a function of the recurrent weights: the sum over the steps from the second on."""
    readout, cell = network.cell.to_output, network.cell.cell
    parameters = ElmanParameters(
        from_input=cell.from_input.weight.detach(),
        from_hidden=cell.from_hidden.weight.detach(),
        bias=cell.from_input.bias.detach(),
        to_output=readout.weight.detach(),
        output_bias=readout.bias.detach(),
    )
    initial = torch.zeros(len(batch.inputs), HIDDEN, dtype=F64)
    hidden, logits = elman_forward(parameters, batch.inputs, initial)
    alive = torch.arange(batch.inputs.shape[1]) < batch.lengths[:, None]
    logits = torch.where(alive[..., None], logits, 0).requires_grad_()
    (by_logits,) = torch.autograd.grad(task.loss(logits, batch), logits)
    by_hidden = elman_backward(parameters, batch.inputs, initial, hidden, by_logits).hidden
    return lambda weights: vanishing_penalty(weights, 1 - hidden**2, by_hidden)[:, 1:].sum() / len(batch.inputs)


@pytest.mark.parametrize("weight", [0.01, 2.0])
def test_the_recurrent_weights_get_the_sum_of_both_gradients(network, task, batch, weight):
    plain, _, plain_loss = gradients(network, task, batch, 0.0)
    found, omega, loss = gradients(network, task, batch, weight)
    weights = recurrent_weights(network).detach().requires_grad_()
    penalty = penalty_by_hand(network, task, batch)(weights)
    penalty.backward()
    assert omega == pytest.approx(penalty.item(), rel=1e-12)
    assert loss == pytest.approx(plain_loss, rel=1e-12)
    for name, grad in found.items():
        extra = weight * weights.grad if name == "cell.cell.from_hidden.weight" else 0
        torch.testing.assert_close(grad, plain[name] + extra, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("options", [{"accumulate": 2}, {"accumulate": 3}, {"checkpoint_every": 2}])
def test_accumulation_and_recomputation_change_no_number(network, task, batch, options):
    whole, parts = gradients(network, task, batch, 0.5), gradients(network, task, batch, 0.5, **options)
    assert parts[1] == pytest.approx(whole[1], rel=1e-12)
    for name, grad in parts[0].items():
        torch.testing.assert_close(grad, whole[0][name], rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("factor", [0.5, 1.0, 2.0])
def test_rectified_units_that_are_all_active_are_linear(factor):
    network = Recurrent(ElmanCell(2, HIDDEN, activation="relu", initial="identity", gain=factor)).double()
    torch.nn.init.ones_(network.cell.from_input.bias)
    with against_vanishing(network, 1.0, rows=BATCH) as omega:
        ys, _ = network(torch.zeros(BATCH, TIME, 2, dtype=F64))
        ys[:, -1].sum().backward()
    assert omega.value == pytest.approx((TIME - 1) * (factor - 1) ** 2)


def test_the_slopes_of_every_activation_are_its_derivatives():
    for name, activation in ACTIVATIONS.items():
        sums = torch.randn(20, dtype=F64, requires_grad=True)
        hidden = activation(sums)
        (expected,) = torch.autograd.grad(hidden.sum(), sums)
        torch.testing.assert_close(SLOPES[name](hidden.detach()), expected)


@pytest.mark.parametrize("factor", [0.5, 1.0, 2.0])
def test_a_multiple_of_the_identity_costs_the_same_at_each_step_except_the_first(factor):
    """With hidden vectors of 0, tanh units are linear."""
    network = Recurrent(ElmanCell(2, HIDDEN)).double()
    with torch.no_grad():
        network.cell.from_hidden.weight.copy_(factor * torch.eye(HIDDEN))
    with against_vanishing(network, 1.0, rows=BATCH) as omega:
        ys, _ = network(torch.zeros(BATCH, TIME, 2, dtype=F64))
        ys[:, -1].sum().backward()
    assert omega.value == pytest.approx((TIME - 1) * (factor - 1) ** 2)


def test_a_step_whose_gradient_is_not_propagated_does_not_count():
    """With a learned initial state every step counts, without it all except the first; a row counts up to its length."""
    fixed = Recurrent(ElmanCell(2, HIDDEN))
    learned = Recurrent(LearnedInitialState(ElmanCell(2, HIDDEN)))
    for network, cell, expected in ((fixed, fixed.cell, [1, 3]), (learned, learned.cell.cell, [2, 4])):
        torch.nn.init.zeros_(cell.from_hidden.weight)  # every step that counts costs 1
        for lengths, steps in zip(([2, 2], [4, 4]), expected, strict=True):
            with against_vanishing(network, 1.0, rows=2) as omega:
                ys, _ = network(torch.randn(2, 5, 2), lengths=torch.tensor(lengths))
                ys.sum().backward()
            assert omega.value == steps


def test_every_plain_cell_of_a_network_is_penalised_and_gradient_descent_reduces_the_penalty():
    network = Recurrent(Stacked([ElmanCell(2, HIDDEN, gain=0.3), ElmanCell(HIDDEN, HIDDEN, gain=0.3)]))
    xs, weights = torch.randn(BATCH, TIME, 2), [layer.from_hidden.weight for layer in network.cell.layers]
    values = []
    for _ in range(60):
        network.zero_grad()
        with against_vanishing(network, 1.0, rows=BATCH) as omega:
            (network(xs)[0][:, -1].square().sum() * 1e-9).backward()  # a loss with a negligible gradient
        values.append(omega.value)
        with torch.no_grad():
            for weight in weights:
                weight.sub_(0.02 * weight.grad)
    assert 5 < values[0] < 2 * (TIME - 1)
    assert values[-1] < 0.2 * values[0]


def test_nothing_is_stored_in_the_network(network, task, batch):
    before = gradients(network, task, batch, 0.0)[0]
    with pytest.raises(KeyError), against_vanishing(network, 1.0, rows=BATCH):
        raise KeyError
    assert not any(module._forward_hooks for module in network.modules())
    ys, _ = network(batch.inputs, lengths=batch.lengths)
    task.loss(ys, batch).backward()
    for name, parameter in network.named_parameters():
        torch.testing.assert_close(parameter.grad, before[name])


def test_under_autocast_the_penalty_is_computed_in_float32(network, task, batch):
    network, inputs = network.float(), batch.inputs.float()
    values = []
    for enabled in (False, True):
        with against_vanishing(network, 1.0, rows=BATCH) as omega:
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=enabled):
                ys, _ = network(inputs, lengths=batch.lengths)
            ys.float().square().sum().backward()
        values.append(omega.value)
    assert recurrent_weights(network).grad.dtype == torch.float32
    assert values[0] != values[1]
    assert values[1] == pytest.approx(values[0], rel=0.02)


def test_frozen_weights_get_no_gradient_and_layers_below_keep_theirs():
    network, xs = Recurrent(ElmanCell(2, HIDDEN)), torch.randn(BATCH, TIME, 2)
    network.cell.from_hidden.requires_grad_(False)
    with against_vanishing(network, 1.0, rows=BATCH) as omega:
        network(xs)[0].sum().backward()
    found = network.cell.from_input.weight.grad.clone()
    network.zero_grad()
    network(xs)[0].sum().backward()
    torch.testing.assert_close(found, network.cell.from_input.weight.grad)
    assert network.cell.from_hidden.weight.grad is None
    assert omega.value == 0


@pytest.mark.parametrize("together", [True, False])
def test_overlapping_passes_add_up(network, task, batch, together):
    """Two parts run forward before either runs backward, and a third has no backward pass."""
    parts = [batch.rows(0, 1), batch.rows(1, 4)]
    whole, penalty, _ = gradients(network, task, batch, 0.5)
    with against_vanishing(network, 0.5, rows=BATCH) as omega:
        network(batch.inputs)
        losses = [
            task.loss(network(part.inputs, lengths=part.lengths)[0], part) * task.weight(part) / task.weight(batch)
            for part in parts
        ]
        if together:
            sum(losses).backward()
        else:
            for loss in losses:
                loss.backward()
    assert omega.value == pytest.approx(penalty, rel=1e-12)
    for name, parameter in network.named_parameters():
        torch.testing.assert_close(parameter.grad, whole[name], rtol=1e-10, atol=1e-14)


def test_a_network_without_plain_units_is_refused():
    network = StackedLSTM(3, 2, hidden_size=4, layers=1)
    with (
        pytest.raises(ValueError, match=r"has weight 0\.5, but StackedLSTM contains no ElmanCell"),
        against_vanishing(network, 0.5, rows=1),
    ):
        pass


def test_without_a_weight_no_network_is_changed():
    network = StackedLSTM(3, 2, hidden_size=4, layers=1)
    with against_vanishing(network, 0.0, rows=1) as omega:
        assert not any(module._forward_hooks for module in network.modules())
    assert omega.value == 0
    assert not math.isnan(omega.value)
