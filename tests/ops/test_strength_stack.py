"""Strengths of a stack against scalar loops, a list of Python, and the rule for derivatives at ties."""

import random

import pytest
import torch
from torch.autograd import gradcheck

from memtape import ops

F64 = torch.float64


def popped_by_the_letter(strengths, amount):
    return [max(0.0, one - max(0.0, amount - sum(strengths[:i]))) for i, one in enumerate(strengths)]


def coefficients_by_the_letter(strengths):
    return [min(one, max(0.0, 1 - sum(strengths[:i]))) for i, one in enumerate(strengths)]


def tensor(*values):
    return torch.tensor(values, dtype=F64)


@pytest.mark.parametrize("items", [0, 1, 2, 7])
def test_pop_and_read_are_those_of_the_equations(items):
    strengths, amounts = torch.rand(20, items, dtype=F64), 2 * torch.rand(20, dtype=F64)
    popped, coefficients = ops.strengths_after_pop(strengths, amounts), ops.read_coefficients(strengths)
    for row in range(20):
        given = strengths[row].tolist()
        assert popped[row].tolist() == pytest.approx(popped_by_the_letter(given, amounts[row].item()))
        assert coefficients[row].tolist() == pytest.approx(coefficients_by_the_letter(given))


def test_strengths_stay_in_range_and_a_read_has_a_total_of_at_most_1():
    strengths = torch.rand(100, 5, dtype=F64) * (torch.rand(100, 5) > 0.4)
    amounts = 3 * torch.rand(100, dtype=F64)
    left = ops.strengths_after_pop(strengths, amounts)
    assert left.min() >= 0
    torch.testing.assert_close(left.sum(-1), (strengths.sum(-1) - amounts).clamp(min=0))
    torch.testing.assert_close(ops.read_coefficients(left).sum(-1), left.sum(-1).clamp(max=1))


def test_strengths_of_0_and_1_are_exactly_a_list():
    chosen, strengths, expected = random.Random(0), torch.zeros(0, dtype=F64), []
    for number in range(200):
        amount = chosen.randrange(2)
        strengths = ops.strengths_after_pop(strengths, tensor(amount)[0])
        if amount and expected:
            expected.pop()
        push = chosen.randrange(2)
        strengths = torch.cat([tensor(push), strengths])
        expected += [number] * push
        latest_first = torch.arange(number, -1, -1)
        assert latest_first[strengths == 1].tolist() == expected[::-1]
        assert not strengths[strengths != 1].any()
        read = (ops.read_coefficients(strengths) * latest_first).sum().item()
        assert read == (expected[-1] if expected else 0)


def test_at_a_tie_the_derivative_is_that_of_the_first_argument():
    strengths = tensor(1.0, 0.5).requires_grad_()
    first, second = ops.read_coefficients(strengths)
    assert first == 1
    (slope,) = torch.autograd.grad(first, strengths)
    assert slope.tolist() == [1, 0]  # torch.minimum gives 0.5
    assert second == 0
    strengths, amount = tensor(0.4).requires_grad_(), tensor(0.4).requires_grad_()
    left = ops.strengths_after_pop(strengths, amount[0])
    slopes = torch.autograd.grad(left.sum(), [strengths, amount])
    assert [slope.tolist() for slope in slopes] == [[0], [0]]


def test_gradients_match_finite_differences():
    strengths, amounts = torch.rand(6, 5, dtype=F64, requires_grad=True), torch.rand(6, dtype=F64, requires_grad=True)
    assert gradcheck(ops.strengths_after_pop, [strengths, amounts])
    assert gradcheck(ops.read_coefficients, [strengths])
