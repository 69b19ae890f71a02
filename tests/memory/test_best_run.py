"""The best run of a nondeterministic stack against the maximum over all runs."""

import itertools
import math

import pytest
import torch

from memtape import NSRNN
from memtape.automata import compile, parse
from memtape.memory import NondeterministicStack, NondeterministicStackControl, best_run

F64 = torch.float64


def random_controls(steps, states, symbols, *, seed, integers=False):
    """Return the controls of a batch of two; with integers many runs have the same weight."""
    generator = torch.Generator().manual_seed(seed)

    def weights(*shape):
        if integers:
            return torch.randint(0, 4, (2, states, symbols, *shape), generator=generator).to(F64)
        return torch.randn(2, states, symbols, *shape, dtype=F64, generator=generator).exp()

    return [
        NondeterministicStackControl(
            push=weights(states, symbols),
            replace=weights(states, symbols),
            pop=weights(states),
            pushed=torch.zeros(2, 0, dtype=F64),
            log_scale=torch.randn(2, dtype=F64, generator=generator),
        )
        for _ in range(steps)
    ]


def all_runs(controls, row):
    """Yield the logarithm of the weight, the operations, the states and the stacks of each run."""
    runs = [(0.0, (), (0,), ((0,),))]
    for control in controls:
        states, symbols = control.push.shape[1:3]
        after = []
        for weight, operations, visited, stacks in runs:
            q, stack = visited[-1], stacks[-1]
            moves = []
            for r, y in itertools.product(range(states), range(symbols)):
                moves.append(("push", control.push[row, q, stack[-1], r, y], r, (*stack, y)))
                moves.append(("replace", control.replace[row, q, stack[-1], r, y], r, (*stack[:-1], y)))
            if len(stack) > 1:
                moves += [("pop", control.pop[row, q, stack[-1], r], r, stack[:-1]) for r in range(states)]
            for name, factor, r, new in moves:
                total = weight + factor.log().item() + control.log_scale[row].item()
                after.append((total, (*operations, name), (*visited, r), (*stacks, new)))
        runs = after
    return {(operations, visited[1:], stacks[1:]): weight for weight, operations, visited, stacks in runs}


@pytest.mark.parametrize(("states", "symbols", "steps"), [(1, 1, 5), (1, 2, 4), (2, 1, 4), (2, 2, 3)])
@pytest.mark.parametrize("integers", [False, True])
def test_the_best_run_is_the_one_of_the_largest_weight_of_all_runs(states, symbols, steps, integers):
    memory = NondeterministicStack(states, symbols)
    controls = random_controls(steps, states, symbols, seed=states + 2 * symbols, integers=integers)
    runs = all_runs(controls, 1)
    ends = [None, *itertools.product(range(states), range(symbols))]
    for end in ends:
        possible = {run: w for run, w in runs.items() if end in (None, (run[1][-1], run[2][-1][-1]))}
        found = best_run(memory, controls, end=end, row=1)
        total = math.log(sum(math.exp(weight) for weight in possible.values()))
        assert found.log_weight == pytest.approx(max(possible.values()), abs=1e-12)
        assert possible[found.operations, found.states, found.stacks] == pytest.approx(found.log_weight, abs=1e-12)
        assert found.share == pytest.approx(math.exp(found.log_weight - total), rel=1e-12)
        assert found.share <= 1


def test_the_best_run_over_many_steps_has_the_weight_of_its_operations():
    controls = random_controls(14, 2, 3, seed=5)
    found = best_run(NondeterministicStack(2, 3), controls)
    assert {"push", "replace", "pop"} == set(found.operations)
    q, stack, total = 0, (0,), 0.0
    for control, operation, r, new in zip(controls, found.operations, found.states, found.stacks, strict=True):
        place = (0, q, stack[-1], r) if operation == "pop" else (0, q, stack[-1], r, new[-1])
        total += getattr(control, operation)[place].log().item() + control.log_scale[0].item()
        below = stack if operation == "push" else stack[:-1]
        assert new == (below if operation == "pop" else (*below, new[-1]))
        q, stack = r, new
    assert found.log_weight == pytest.approx(total, abs=1e-10)


def test_the_best_run_of_a_grammar_is_its_most_probable_derivation():
    """The word aaa has two parses: a (a a) by the rules of B, and three times S -> a S with the first weight."""
    parser = compile(parse("grammar\n0.5 S -> a S\n0.2 S -> a B\n0.3 S -> a\n1 B -> a S"))
    done = parser.network.cell.machine.memory.states - 1
    symbols = torch.zeros(1, 3, dtype=torch.long)
    found = parser.network.best_run(symbols, end=(done, 0))
    assert found.states == (0, 0, done)
    assert found.weight == pytest.approx(0.5 * 0.5 * 0.3)
    assert found.share == pytest.approx(0.25 / (0.25 + 0.2))
    assert found.weight <= parser.weights(["aaa"])[0, -1].item()
    assert parser.network.best_run(symbols, end=(done, 0)) == found
    assert compile(parse("grammar\nS -> a S S\nS -> a")).network.best_run(symbols[:, :2], end=(1, 0)) is None


def test_views_show_the_states_and_the_stack_with_its_bottom_below():
    parser = compile(parse("grammar\nS -> a S S\nS -> a"))
    run = parser.network.best_run(torch.zeros(1, 5, dtype=torch.long), end=(1, 0))
    states, stack = run.views()
    assert states.values.tolist() == [[1, 0]] * 4 + [[0, 1]]
    heights = [list(map(bool, column)).count(True) for column in stack.values]
    assert heights == list(map(len, run.stacks))
    assert (stack.values[:, -1] == 1).all()
    assert stack.values.max() == 2
    assert stack.entries[-1] == "cell 0"


def test_a_stack_with_a_window_is_refused():
    with pytest.raises(ValueError, match="the window of the stack is 3, but the best run is one of all runs; use"):
        NSRNN(2, 2, window=3).best_run(torch.zeros(1, 2, dtype=torch.long))
