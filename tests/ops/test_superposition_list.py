"""The superposition list against the equations of the paper, and a list of Python with a head."""

import random

import pytest
import torch
from torch.autograd import gradcheck

from memtape import ops

F64 = torch.float64


def by_the_letter(cells, actions, value):
    """One step of Joulin & Mikolov's equation on a dictionary of cells by their place, with the head at 0."""
    left, right, insert, none = (*actions, 0.0)[:4]

    def old(place):
        return cells.get(place, 0.0)

    def inserted(place):
        return value if place == 0 else old(place + 1) if place < 0 else old(place)

    places = range(min(cells, default=0) - 1, max(cells, default=0) + 2)
    return {
        place: right * old(place + 1) + left * old(place - 1) + none * old(place) + insert * inserted(place)
        for place in places
    }


@pytest.mark.parametrize("count", [3, 4])
def test_each_step_is_that_of_the_equation(count):
    before = after = torch.zeros(0, 1, dtype=F64)
    cells = {}
    for step in range(1, 7):
        actions, value = torch.rand(count, dtype=F64).softmax(-1), torch.randn(1, dtype=F64)
        before, after = ops.superpose_list(before, after, actions, value)
        cells = by_the_letter(cells, actions.tolist(), value.item())
        assert before.shape == after.shape == (step, 1)
        assert after[:, 0].tolist() == pytest.approx([cells.get(i, 0.0) for i in range(step)])
        assert before[:, 0].tolist() == pytest.approx([cells.get(-1 - i, 0.0) for i in range(step)])


def test_actions_of_probability_1_move_a_head_over_a_list():
    chosen, before, after = random.Random(0), torch.zeros(0, 1, dtype=F64), torch.zeros(0, 1, dtype=F64)
    items, head = [0.0] * 101, 50
    for number in range(1, 40):
        action = chosen.randrange(4)
        if action == 0:
            head -= 1
        elif action == 1:
            head += 1
        elif action == 2:
            items.insert(head + 1, float(number))  # the cell at the head moves to the left
            head += 1
        actions = torch.eye(4, dtype=F64)[action]
        before, after = ops.superpose_list(before, after, actions, torch.tensor([number], dtype=F64))
        assert after[:20, 0].tolist() == items[head : head + min(20, number)]
        assert before[:20, 0].tolist() == items[head - min(20, number) : head][::-1]


def test_gradients_match_finite_differences():
    shapes = [(2, 3, 2), (2, 3, 2), (2, 4), (2, 2)]
    assert gradcheck(ops.superpose_list, [torch.randn(*shape, dtype=F64, requires_grad=True) for shape in shapes])
