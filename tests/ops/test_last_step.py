"""The output at the last step of each row."""

import torch

from memtape import ops, unroll
from memtape.cells import GRUCell


def test_each_row_has_its_own_last_step():
    ys = torch.randn(3, 4, 2)
    lengths = torch.tensor([2, 4, 1])
    last = ops.last_step(ys, lengths)
    for row, length in enumerate(lengths.tolist()):
        assert torch.equal(last[row], ys[row, length - 1])
    assert torch.equal(ops.last_step(ys), ys[:, 3])


def test_a_row_of_length_0_gives_zeros_without_a_gradient():
    ys = torch.full((2, 3, 2), float("nan")).requires_grad_()
    last = ops.last_step(ys, torch.tensor([0, 3]))
    assert not last[0].any()
    last[0].sum().backward()
    assert not ys.grad.any()


def test_padding_does_not_change_the_last_step():
    cell = GRUCell(2, 3).double()
    xs, lengths = torch.randn(3, 5, 2, dtype=torch.float64), torch.tensor([2, 5, 3])
    last = ops.last_step(unroll(cell, xs, lengths=lengths)[0], lengths)
    for row, length in enumerate(lengths.tolist()):
        alone = unroll(cell, xs[row : row + 1, :length])[0][:, -1]
        torch.testing.assert_close(last[row : row + 1], alone, rtol=1e-12, atol=1e-12)


def test_only_the_last_step_has_a_target():
    ys = torch.randn(2, 4, 3, requires_grad=True)
    ops.last_step(ys, torch.tensor([3, 4])).sum().backward()
    expected = torch.zeros(2, 4, 3)
    expected[0, 2] = expected[1, 3] = 1
    assert torch.equal(ys.grad, expected)
