"""A cell with an orthogonal recurrent matrix."""

import numpy as np
import pytest
import torch

from memtape import unroll, use_backend
from memtape.cells import OrthogonalCell
from memtape.core.backends import backends

INPUT, HIDDEN = 2, 5
F64 = torch.float64


@pytest.fixture(params=["reference", "cpu"], autouse=True)
def backend(request):
    """Single steps, and steps that share one rotation."""
    absent = backends()[request.param]
    if absent:
        pytest.skip(absent)
    with use_backend(request.param):
        yield


def moved():
    """A cell with parameters away from their initial values."""
    cell = OrthogonalCell(INPUT, HIDDEN).double()
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return cell


def test_it_computes_its_equations():
    cell, xs = moved(), torch.randn(1, 7, INPUT, dtype=F64)
    w = {name: value.detach().numpy() for name, value in cell.named_parameters()}
    skew, entries = np.zeros((HIDDEN, HIDDEN)), iter(w["angles"])
    for row in range(HIDDEN):
        for column in range(row + 1, HIDDEN):
            skew[row, column] = next(entries)
            skew[column, row] = -skew[row, column]
    turn, term = np.eye(HIDDEN), np.eye(HIDDEN)
    for n in range(1, 60):
        term = term @ skew / n
        turn = turn + term
    ys, _, _ = unroll(cell, xs)
    hidden = np.zeros(HIDDEN)
    for t in range(7):
        total = w["from_input.weight"] @ xs[0, t].numpy() + turn @ hidden
        for unit, z in enumerate(total):
            size = max(abs(z) + w["threshold"][unit], 0.0)
            hidden[unit] = size if z > 0 else -size
        np.testing.assert_allclose(ys[0, t].detach().numpy(), hidden, rtol=1e-9, atol=1e-11)


def test_the_matrix_stays_orthogonal_in_training():
    cell = moved()
    optimizer = torch.optim.Adam(cell.parameters(), lr=0.1)
    for _ in range(5):
        optimizer.zero_grad()
        unroll(cell, torch.randn(3, 4, INPUT, dtype=F64))[0].square().sum().backward()
        optimizer.step()
    rotation = cell.rotation()
    torch.testing.assert_close(rotation @ rotation.mT, torch.eye(HIDDEN, dtype=F64))
    assert torch.det(rotation) > 0


def test_it_is_initialised_to_rotations_of_pairs():
    rotation = OrthogonalCell(INPUT, HIDDEN).double().rotation()
    for pair in (0, 2):
        block = rotation[pair : pair + 2, pair : pair + 2]
        torch.testing.assert_close(torch.det(block), torch.ones((), dtype=F64))
        assert block[0, 1] == -block[1, 0] != 0
    assert rotation[4, 4] == 1
    assert rotation.count_nonzero() == 9


def test_at_initialisation_neither_the_state_nor_the_gradient_vanishes():
    cell = OrthogonalCell(INPUT, HIDDEN).double()
    xs = torch.zeros(1, 300, INPUT, dtype=F64)
    xs[0, 0] = 1
    xs.requires_grad_()
    ys, _, _ = unroll(cell, xs)
    lengths = ys[0].norm(dim=-1)
    torch.testing.assert_close(lengths, lengths[:1].expand(300))
    direction = torch.randn(HIDDEN, dtype=F64)
    (gradient,) = torch.autograd.grad(ys[0, -1] @ direction, cell.from_input.weight)
    torch.testing.assert_close(gradient[:, 0].norm(), direction.norm())


@pytest.mark.usefixtures("shapes_unchecked")
def test_sizes_below_1_are_refused():
    with pytest.raises(ValueError, match="hidden_size of OrthogonalCell is 0, but it must be at least 1"):
        OrthogonalCell(2, 0)


@pytest.mark.parametrize("size", [1.0, 5e3, 1e6])
def test_gradients_in_float32_keep_their_digits_if_losses_are_summed(size):
    torch.manual_seed(0)
    exact = OrthogonalCell(INPUT, 32).double()
    xs, slopes = torch.randn(4, 20, INPUT, dtype=F64), []
    for dtype in (F64, torch.float32):
        cell = exact.to(dtype)
        (size * unroll(cell, xs.to(dtype))[0].sum()).backward()
        slopes.append(cell.angles.grad.double())
        cell.angles.grad = None
    assert (slopes[1] - slopes[0]).norm() < 1e-6 * slopes[0].norm()
