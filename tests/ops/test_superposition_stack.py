"""The superposition stack against published numbers, scalar loops and a list of Python."""

import random

import pytest
import torch
from torch.autograd import gradcheck

from memtape import ops

F64 = torch.float64


def tensor(values):
    return torch.tensor(values, dtype=F64)


def column(values):
    return tensor(values)[:, None]


def by_the_letter(cells, actions, value, empty=0.0):
    """One step of Joulin & Mikolov's equations, one scalar at a time, with one cell more."""
    push, pop, none = (*actions, 0.0)[:3]

    def old(place):
        return cells[place] if place < len(cells) else empty

    top = push * value + pop * old(1) + none * old(0)
    return [top] + [push * old(i - 1) + pop * old(i + 1) + none * old(i) for i in range(1, len(cells) + 1)]


STEPS = [((0.7, 0.1, 0.2), 1.0), ((0.6, 0.3, 0.1), 2.0), ((0.1, 0.8, 0.1), 3.0)]


def test_three_steps_have_the_computed_cells():
    cells, expected = torch.zeros(0, 1, dtype=F64), [[0.7], [1.27, 0.42], [0.763, 0.169, 0.042]]
    for (actions, value), wanted in zip(STEPS, expected, strict=True):
        cells = ops.superpose(cells, tensor(actions), tensor([value]))
        torch.testing.assert_close(cells, column(wanted))


def test_the_gradients_of_the_top_have_the_computed_values():
    actions = [tensor(one).requires_grad_() for one, _ in STEPS]
    values = [tensor([one]).requires_grad_() for _, one in STEPS]
    cells = torch.zeros(0, 1, dtype=F64)
    for one, value in zip(actions, values, strict=True):
        cells = ops.superpose(cells, one, value)
    found = torch.autograd.grad(cells[0, 0], [*actions, *values])
    wanted = [(0.49, 0, 0), (0.76, 0, 0.07), (3, 0.42, 1.27), (0.343,), (0.06,), (0.1,)]
    torch.testing.assert_close(list(found), [tensor(one) for one in wanted])


@pytest.mark.parametrize("empty", [0.0, -1.0])
@pytest.mark.parametrize("count", [2, 3])
def test_each_step_is_that_of_the_equations(count, empty):
    cells, expected = torch.zeros(0, 1, dtype=F64), []
    for _ in range(7):
        actions, value = torch.rand(count, dtype=F64), torch.randn(1, dtype=F64)
        actions = actions / actions.sum()
        cells = ops.superpose(cells, actions, value - empty)
        expected = by_the_letter(expected, actions.tolist(), value.item(), empty)
        torch.testing.assert_close(empty + cells[:, 0], tensor(expected))


def test_actions_of_probability_1_are_those_of_a_list():
    chosen, cells, expected = random.Random(0), torch.zeros(0, 2, dtype=F64), []
    for number in range(1, 60):
        action = chosen.randrange(3)
        if action == 0:
            expected.insert(0, number)
        elif action == 1 and expected:
            del expected[0]
        cells = ops.superpose(cells, torch.eye(3, dtype=F64)[action], tensor([number, -number]))
        assert cells[: len(expected), 0].tolist() == expected
        assert not cells[len(expected) :].any()
        assert torch.equal(cells[:, 1], -cells[:, 0])


def test_the_weights_of_a_cell_sum_to_at_most_1():
    cells = torch.zeros(50, 0, 1, dtype=F64)
    for _ in range(12):
        cells = ops.superpose(cells, torch.rand(50, 3, dtype=F64).softmax(-1), torch.ones(50, 1, dtype=F64))
        assert cells.min() >= 0
        assert cells.max() <= 1 + 1e-12


def test_cells_deeper_than_the_remaining_steps_have_no_effect_on_the_top():
    """A kernel may leave them out."""
    steps = 9
    actions, values = torch.rand(steps, 3, dtype=F64).softmax(-1), torch.randn(steps, 2, dtype=F64)
    full = few = torch.zeros(0, 2, dtype=F64)
    for t in range(steps):
        full = ops.superpose(full, actions[t], values[t])
        few = ops.superpose(few, actions[t], values[t])[: steps - t]
        torch.testing.assert_close(few[0], full[0], rtol=0, atol=0)


def test_gradients_match_finite_differences():
    shapes = [(2, 3, 4, 2), (2, 3, 3), (2, 3, 2)]
    assert gradcheck(ops.superpose, [torch.randn(*shape, dtype=F64, requires_grad=True) for shape in shapes])


def test_rounding_takes_the_most_probable_action_and_the_first_of_equals():
    actions = tensor([[0.2, 0.5, 0.3], [0.4, 0.2, 0.4], [1 / 3, 1 / 3, 1 / 3]])
    rounded = ops.one_hot_of_largest(actions.requires_grad_())
    assert rounded.tolist() == [[0, 1, 0], [1, 0, 0], [1, 0, 0]]
    assert rounded.dtype == F64
    assert not rounded.requires_grad
