"""The penalty on vanishing gradients: a scalar implementation, and cases with a known value."""

import math

import pytest
import torch

from memtape.ops.vanishing import vanishing_penalty

ROWS, TIME, HIDDEN = 2, 6, 4
F64 = torch.float64


def scalar_penalty(from_hidden, slope, gradient):
    """Compute one step with scalars."""
    handed_on = [
        sum(from_hidden[i, j].item() * slope[i].item() * gradient[i].item() for i in range(HIDDEN))
        for j in range(HIDDEN)
    ]
    stretch = math.sqrt(sum(g * g for g in handed_on)) / math.sqrt(sum(g * g for g in gradient.tolist()))
    return (stretch - 1) ** 2


@pytest.fixture
def steps():
    return torch.rand(ROWS, TIME, HIDDEN, dtype=F64), torch.randn(ROWS, TIME, HIDDEN, dtype=F64)


def test_the_penalty_agrees_with_the_paper(steps):
    from_hidden, (slopes, gradients) = torch.randn(HIDDEN, HIDDEN, dtype=F64), steps
    found = vanishing_penalty(from_hidden, slopes, gradients)
    assert found.shape == (ROWS, TIME)
    for row in range(ROWS):
        for t in range(TIME):
            expected = scalar_penalty(from_hidden, slopes[row, t], gradients[row, t])
            assert found[row, t].item() == pytest.approx(expected, rel=1e-12)


def test_linear_units_with_orthogonal_weights_preserve_the_gradient_norm(steps):
    orthogonal, _ = torch.linalg.qr(torch.randn(HIDDEN, HIDDEN, dtype=F64))
    assert vanishing_penalty(orthogonal, torch.ones_like(steps[0]), steps[1]).abs().max() < 1e-28


@pytest.mark.parametrize("factor", [-2.0, -0.5, 0.0, 0.9, 3.0])
def test_linear_units_with_a_multiple_of_the_identity_scale_every_gradient(steps, factor):
    found = vanishing_penalty(factor * torch.eye(HIDDEN, dtype=F64), torch.ones_like(steps[0]), steps[1])
    torch.testing.assert_close(found, torch.full_like(found, (abs(factor) - 1) ** 2))


def test_the_derivative_with_respect_to_the_weights_matches_finite_differences(steps):
    from_hidden = torch.randn(HIDDEN, HIDDEN, dtype=F64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda weights: vanishing_penalty(weights, *steps), [from_hidden])


def test_slopes_and_gradients_are_constants(steps):
    slopes, gradients = (part.requires_grad_() for part in steps)
    assert not vanishing_penalty(torch.eye(HIDDEN, dtype=F64), slopes, gradients).requires_grad


@pytest.mark.parametrize("size", [1e-44, 1e-30, 1.0, 1e30])
def test_only_the_direction_of_a_gradient_matters(size):
    gradient = torch.tensor([0.0, 1.0, 0.0]) * size
    assert vanishing_penalty(torch.full((3, 3), 0.1), torch.ones(3), gradient).item() == pytest.approx(
        (0.1 * math.sqrt(3) - 1) ** 2, rel=1e-6
    )


def test_a_gradient_of_zero_costs_nothing_and_changes_nothing():
    from_hidden = torch.randn(3, 3, requires_grad=True)
    penalty = vanishing_penalty(from_hidden, torch.ones(2, 3), torch.tensor([[0.0, 0, 0], [1, 2, 3]]))
    penalty.sum().backward()
    alone = torch.autograd.grad(vanishing_penalty(from_hidden, torch.ones(3), torch.tensor([1.0, 2, 3])), [from_hidden])
    assert penalty[0] == 0
    torch.testing.assert_close(from_hidden.grad, alone[0])


def test_a_gradient_that_vanishes_in_saturated_units_costs_1_and_has_a_finite_derivative():
    from_hidden = torch.randn(3, 3, requires_grad=True)
    penalty = vanishing_penalty(from_hidden, torch.zeros(3), torch.ones(3))
    penalty.backward()
    assert penalty == 1
    assert (from_hidden.grad == 0).all()
