"""A readout in closed form satisfies the normal equations, and sums over batches equal sums over all examples."""

import numpy as np
import pytest
import torch

from memtape import unroll
from memtape.cells import EchoStateCell
from memtape.ops.ridge import ridge, ridge_readout, ridge_sums

F64 = torch.float64


@pytest.fixture
def data():
    features, targets = torch.randn(40, 6, dtype=F64), torch.randn(40, 2, dtype=F64)
    return features, targets


@pytest.mark.parametrize("penalty", [1e-8, 1e-2, 10.0])
def test_it_satisfies_the_normal_equations(data, penalty):
    features, targets = (part.numpy() for part in data)
    readout = ridge(*data, penalty).numpy()
    expected = np.linalg.solve(features.T @ features + penalty * np.eye(6), features.T @ targets)
    np.testing.assert_allclose(readout, expected, rtol=1e-10)


def test_the_gradient_of_the_penalised_error_is_zero(data):
    features, targets = data
    readout = ridge(features, targets, 0.5).requires_grad_()
    loss = (features @ readout - targets).square().sum() + 0.5 * readout.square().sum()
    assert torch.autograd.grad(loss, readout)[0].abs().max() < 1e-10


def test_sums_over_batches_equal_sums_over_all(data):
    features, targets = data
    parts = ridge_sums(features[:7], targets[:7]) + ridge_sums(features[7:], targets[7:])
    torch.testing.assert_close(ridge_readout(parts, 0.1), ridge(features, targets, 0.1), rtol=1e-10, atol=1e-12)


def test_it_computes_in_float64_for_any_dtype(data):
    features, targets = (part.float() for part in data)
    readout = ridge(features, targets, 1e-3)
    assert readout.dtype == F64
    assert torch.equal(readout, ridge(features.double(), targets.double(), 1e-3))


def test_a_readout_of_echoes_recovers_inputs_of_the_past():
    """The memory of a reservoir: an input can be decoded from the hidden vector five steps later."""
    torch.manual_seed(0)
    cell, xs = EchoStateCell(1, 100, input_scale=0.1), 2 * torch.rand(1, 1200, 1) - 1
    hidden = unroll(cell, xs)[0][0]
    features = torch.cat([torch.ones(1200, 1), hidden], dim=1).double()
    past = xs[0].double().roll(5, dims=0)
    readout = ridge(features[100:900], past[100:900], 1e-8)
    error = (features[900:] @ readout - past[900:]).square().mean() / past[900:].var()
    assert error < 0.05
    assert ridge_sums(features, past).squares.shape == (101, 101)


@pytest.mark.parametrize(
    ("penalty", "message"),
    [
        (0.0, "penalty is 0.0, but it must be finite and above 0; give a positive number"),
        (
            1e-300,
            "penalty is 1e-300, but the features are nearly linearly dependent, so that the readout is not unique",
        ),
    ],
)
def test_a_penalty_without_a_unique_solution_is_refused(penalty, message):
    with pytest.raises(ValueError, match=message):
        ridge(torch.ones(4, 2), torch.randn(4, 1), penalty)
