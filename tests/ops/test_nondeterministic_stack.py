"""The recurrence of the nondeterministic stack against a brute force over all runs."""

import itertools

import pytest
import torch

from memtape import ops
from memtape.memory import NondeterministicStack, NondeterministicStackControl

F64 = torch.float64


def integer_weights(step, states, symbols):
    """Return the weights of pushes, replacements and pops of a step: integers from 1 to 5."""
    q, x, r, y = torch.meshgrid(*map(torch.arange, (states, symbols, states, symbols)), indexing="ij")
    push = 1 + (q + 2 * x + 3 * r + 5 * y + step) % 4
    replace = 1 + (2 * q + x + r + 3 * y + step) % 3
    pop = (1 + (q + x + 2 * r + step) % 5)[..., 0]
    return push.to(F64), replace.to(F64), pop.to(F64)


def control_of(weights, pushed):
    push, replace, pop = (part[None] for part in weights)
    vector = torch.tensor([[pushed]], dtype=F64)
    return NondeterministicStackControl(
        push=push, replace=replace, pop=pop, pushed=vector, log_scale=torch.zeros(1, dtype=F64)
    )


def all_runs(steps, pushed, bottom):
    """Yield the weight, the state and the stack of each run; a cell has a symbol and a number."""
    runs = [(1.0, 0, ((0, bottom),))]
    for (push, replace, pop), number in zip(steps, pushed, strict=True):
        states, symbols = push.shape[:2]
        after = []
        for weight, q, stack in runs:
            x, vector = stack[-1]
            for r, y in itertools.product(range(states), range(symbols)):
                after.append((weight * push[q, x, r, y].item(), r, (*stack, (y, number))))
                after.append((weight * replace[q, x, r, y].item(), r, (*stack[:-1], (y, vector))))
            if len(stack) > 1:
                after += [(weight * pop[q, x, r].item(), r, stack[:-1]) for r in range(states)]
        runs = after
    return runs


def by_top(runs, states, symbols):
    """Return the sums of weights, and of weights times the number in the top cell, by state and top symbol."""
    sums = torch.zeros(2, states, symbols, dtype=F64)
    for weight, q, stack in runs:
        sums[0, q, stack[-1][0]] += weight
        sums[1, q, stack[-1][0]] += weight * stack[-1][1]
    return sums


@pytest.mark.parametrize(("states", "symbols"), [*itertools.product((1, 2), (1, 2))])
def test_all_weights_are_sums_over_all_runs(states, symbols):
    memory = NondeterministicStack(states, symbols, vector_size=1, bottom="ones")
    state, pushed = memory.init_state(1, dtype=F64), [2.0, 3.0, 5.0, 7.0]
    steps = [integer_weights(t, states, symbols) for t in range(1, 5)]
    for t in range(1, 5):
        _, state = memory(control_of(steps[t - 1], pushed[t - 1]), state)
        runs = all_runs(steps[:t], pushed[:t], 1.0)
        assert len(runs) == {(2, 2): (8, 72, 672, 6400)}.get((states, symbols), [len(runs)] * 4)[t - 1]
        expected = by_top(runs, states, symbols)
        torch.testing.assert_close(memory.weights(state)[0], expected[0], rtol=1e-14, atol=0)
        vectors = state.tops[0, ..., 1] * torch.exp2(state.exponent)
        torch.testing.assert_close(vectors, expected[1], rtol=1e-14, atol=0)
        reading = memory.read(state).view(states, symbols)
        torch.testing.assert_close(reading, expected[1] / expected[0].sum(), rtol=1e-14, atol=0)


def test_the_numbers_of_four_steps():
    memory = NondeterministicStack(2, 2, vector_size=1, bottom="ones")
    state = memory.init_state(1, dtype=F64)
    expected = (
        ([4, 5, 4, 5], [6, 8, 5, 7]),
        ([115, 85, 94, 74], [218, 192, 197, 173]),
        ([2158, 1820, 1989, 1833], [6797, 6126, 6705, 6525]),
        ([42810, 39765, 48725, 43298], [197885, 197750, 216009, 205675]),
    )
    for t, (weights, vectors) in enumerate(expected, 1):
        _, state = memory(control_of(integer_weights(t, 2, 2), (2.0, 3.0, 5.0, 7.0)[t - 1]), state)
        assert memory.weights(state).flatten().tolist() == weights
        assert (state.tops[..., 1] * torch.exp2(state.exponent)).flatten().tolist() == vectors
        if t == 2:
            shares = memory.weights(state).flatten() / 368
            torch.testing.assert_close(
                shares, torch.tensor([0.3125, 0.230978261, 0.255434783, 0.201086957], dtype=F64), rtol=1e-8, atol=0
            )


def test_the_gradients_of_a_column_and_its_tops():
    memory = NondeterministicStack(2, 2, vector_size=1, bottom="ones")
    state = memory.init_state(1, dtype=F64)
    for t in range(1, 3):
        _, state = memory(control_of(integer_weights(t, 2, 2), 2.0), state)
    weights = [part[None].clone().requires_grad_() for part in integer_weights(3, 2, 2)]
    pushed = torch.tensor([[1.0, 5.0]], dtype=F64, requires_grad=True)
    table, sources = state.table.clone().requires_grad_(), torch.cat([state.tops[:, None, ..., 0], state.sources], 1)

    def run(table, push, replace, pop, pushed):
        return ops.stack_tops(ops.stack_column(table, push, replace, pop, pushed), sources)

    assert torch.autograd.gradcheck(run, (table, *weights, pushed), fast_mode=True)
