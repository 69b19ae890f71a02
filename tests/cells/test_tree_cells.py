"""Cells of trees against a scalar implementation of their equations, and against the sequential cells they generalise."""

import inspect
import math

import numpy as np
import pytest
import torch
from torch import nn

from memtape import unroll
from memtape.cells import (
    ChildSumTreeLSTMCell,
    ConstituencyTreeLSTMCell,
    ElmanCell,
    LSTMCell,
    NaryTreeLSTMCell,
    RecursiveCell,
    RNTNCell,
)
from memtape.cells.elman import HiddenState
from memtape.cells.lstm import LSTMState
from memtape.core.fold import fold
from memtape.core.inputs.trees import Trees

F64 = torch.float64
INPUT, HIDDEN = 3, 4

CELLS = {
    RecursiveCell: lambda **options: RecursiveCell(HIDDEN, **options),
    RNTNCell: lambda **options: RNTNCell(HIDDEN, **options),
    ChildSumTreeLSTMCell: lambda **options: ChildSumTreeLSTMCell(INPUT, HIDDEN, **options),
    NaryTreeLSTMCell: lambda **options: NaryTreeLSTMCell(INPUT, HIDDEN, **options),
    ConstituencyTreeLSTMCell: lambda **options: ConstituencyTreeLSTMCell(INPUT, HIDDEN, **options),
}


def randomised(cell):
    """Move every parameter away from its initial value."""
    cell = cell.double()
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return cell


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def affine(weight, x, bias=None):
    """Multiply by a matrix, with loops."""
    rows, columns = weight.shape
    return [
        sum(weight[row, column] * x[column] for column in range(columns)) + (0 if bias is None else bias[row])
        for row in range(rows)
    ]


def numbers(tensor):
    return tensor.detach().numpy()


def drawn(arity, nodes=2):
    hidden, cell = torch.randn(2, nodes, arity, HIDDEN, dtype=F64)
    return torch.randn(nodes, INPUT, dtype=F64), LSTMState(hidden=hidden, cell=cell)


def assert_states(state, expected):
    """Compare a state with `(hidden, cell)` of each node."""
    torch.testing.assert_close(state.hidden, torch.tensor(np.array([hidden for hidden, _ in expected])))
    torch.testing.assert_close(state.cell, torch.tensor(np.array([cell for _, cell in expected])))


def shown(cells, shows):
    return [sigmoid(show) * math.tanh(cell) for cell, show in zip(cells, shows, strict=True)], cells


def test_the_recursive_cell_computes_its_equations():
    cell = randomised(RecursiveCell(HIDDEN))
    children = torch.randn(2, 2, HIDDEN, dtype=F64)
    left, right = numbers(cell.from_children.weight)[:, :HIDDEN], numbers(cell.from_children.weight)[:, HIDDEN:]
    expected = []
    for one, other in children.numpy():
        first, second = affine(left, one), affine(right, other, numbers(cell.from_children.bias))
        expected.append([math.tanh(a + b) for a, b in zip(first, second, strict=True)])
    state = cell.node(HiddenState(hidden=children), None)
    torch.testing.assert_close(state.hidden, torch.tensor(expected, dtype=F64))


def test_the_tensor_network_computes_its_equations():
    cell = randomised(RNTNCell(HIDDEN))
    children = torch.randn(2, 2, HIDDEN, dtype=F64)
    tensor, expected = numbers(cell.tensor), []
    for one, other in children.numpy():
        pair = [*one, *other]
        linear = affine(numbers(cell.from_children.weight), pair, numbers(cell.from_children.bias))
        for unit in range(HIDDEN):
            for first in range(2 * HIDDEN):
                for second in range(2 * HIDDEN):
                    linear[unit] += pair[first] * tensor[unit, first, second] * pair[second]
        expected.append([math.tanh(value) for value in linear])
    state = cell.node(HiddenState(hidden=children), None)
    torch.testing.assert_close(state.hidden, torch.tensor(expected, dtype=F64))


def test_with_a_zero_tensor_the_tensor_network_is_the_recursive_cell():
    cell, plain = randomised(RNTNCell(HIDDEN)), randomised(RecursiveCell(HIDDEN))
    nn.init.zeros_(cell.tensor)
    plain.from_children.load_state_dict(cell.from_children.state_dict())
    children = HiddenState(hidden=torch.randn(2, 2, HIDDEN, dtype=F64))
    torch.testing.assert_close(cell.node(children, None).hidden, plain.node(children, None).hidden)


def test_the_leaves_of_plain_networks_are_their_words():
    x = torch.randn(2, HIDDEN, dtype=F64)
    for cell in (RecursiveCell(HIDDEN), RNTNCell(HIDDEN)):
        assert torch.equal(cell.leaf(cell.read(x)).hidden, x)


@pytest.mark.parametrize("arity", [1, 3])
@pytest.mark.parametrize("has_words", [True, False])
def test_the_child_sum_tree_lstm_computes_its_equations(arity, has_words):
    cell = randomised(ChildSumTreeLSTMCell(INPUT, HIDDEN))
    x, children = drawn(arity)
    x = x if has_words else torch.zeros_like(x)
    expected = []
    for node in range(len(x)):
        own = affine(numbers(cell.from_input.weight), numbers(x[node]), numbers(cell.from_input.bias))
        write, keep, candidate, show = (own[k * HIDDEN : (k + 1) * HIDDEN] for k in range(4))
        total = [sum(float(children.hidden[node, k, n]) for k in range(arity)) for n in range(HIDDEN)]
        sums = affine(numbers(cell.from_sum.weight), total)
        cells = [sigmoid(write[n] + sums[n]) * math.tanh(candidate[n] + sums[HIDDEN + n]) for n in range(HIDDEN)]
        for k in range(arity):
            forget = affine(numbers(cell.from_child.weight), numbers(children.hidden[node, k]))
            for n in range(HIDDEN):
                cells[n] += sigmoid(keep[n] + forget[n]) * float(children.cell[node, k, n])
        expected.append(shown(cells, [show[n] + sums[2 * HIDDEN + n] for n in range(HIDDEN)]))
    assert_states(cell.node(children, cell.read(x) if has_words else None), expected)


@pytest.mark.parametrize("arity", [1, 2, 3])
@pytest.mark.parametrize("has_words", [True, False])
def test_the_nary_tree_lstm_computes_its_equations(arity, has_words):
    cell = randomised(NaryTreeLSTMCell(INPUT, HIDDEN, arity=arity))
    x, children = drawn(arity)
    x = x if has_words else torch.zeros_like(x)
    u, expected = numbers(cell.from_children.weight), []
    for node in range(len(x)):
        own = affine(numbers(cell.from_input.weight), numbers(x[node]), numbers(cell.from_input.bias))

        def recurrent(block, node=node):
            """Sum over the children, with the block's weights for each child position."""
            rows = u[block * HIDDEN : (block + 1) * HIDDEN]
            parts = [
                affine(rows[:, place * HIDDEN : (place + 1) * HIDDEN], numbers(children.hidden[node, place]))
                for place in range(arity)
            ]
            return [sum(part[n] for part in parts) for n in range(HIDDEN)]

        write, candidate, show = recurrent(0), recurrent(1 + arity), recurrent(2 + arity)
        cells = [sigmoid(own[n] + write[n]) * math.tanh(own[2 * HIDDEN + n] + candidate[n]) for n in range(HIDDEN)]
        for child in range(arity):
            keep = recurrent(1 + child)
            for n in range(HIDDEN):
                cells[n] += sigmoid(own[HIDDEN + n] + keep[n]) * float(children.cell[node, child, n])
        expected.append(shown(cells, [own[3 * HIDDEN + n] + show[n] for n in range(HIDDEN)]))
    assert_states(cell.node(children, cell.read(x) if has_words else None), expected)


def test_the_constituency_tree_lstm_computes_its_equations():
    cell = randomised(ConstituencyTreeLSTMCell(INPUT, HIDDEN))
    x, children = drawn(2)
    leaves, nodes = [], []
    for node in range(len(x)):
        own = affine(numbers(cell.from_input.weight), numbers(x[node]), numbers(cell.from_input.bias))
        leaves.append(shown(own[:HIDDEN], own[HIDDEN:]))
        pair = [*numbers(children.hidden[node, 0]), *numbers(children.hidden[node, 1])]
        gates = affine(numbers(cell.from_children.weight), pair, numbers(cell.from_children.bias))
        write, left, right, candidate, show = (gates[k * HIDDEN : (k + 1) * HIDDEN] for k in range(5))
        cells = [
            sigmoid(write[n]) * math.tanh(candidate[n])
            + sigmoid(left[n]) * float(children.cell[node, 0, n])
            + sigmoid(right[n]) * float(children.cell[node, 1, n])
            for n in range(HIDDEN)
        ]
        nodes.append(shown(cells, show))
    assert_states(cell.leaf(cell.read(x)), leaves)
    assert_states(cell.node(children, None), nodes)


@pytest.mark.parametrize("kind", [ChildSumTreeLSTMCell, NaryTreeLSTMCell])
def test_a_leaf_is_a_node_without_children(kind):
    cell = randomised(kind(INPUT, HIDDEN))
    x, children = drawn(2)
    absent = LSTMState(hidden=torch.zeros_like(children.hidden), cell=torch.zeros_like(children.cell))
    leaf, node = cell.leaf(cell.read(x)), cell.node(absent, cell.read(x))
    torch.testing.assert_close(leaf.hidden, node.hidden)
    torch.testing.assert_close(leaf.cell, node.cell)


def chain(rows, steps):
    """Return trees in which every node has a word, and every node except the first has one child: the node before."""
    words = torch.arange(rows * steps).view(rows, steps)
    return Trees(words=words, children=(torch.arange(steps) - 1).repeat(rows, 1)[:, :, None])


@pytest.mark.parametrize("kind", [ChildSumTreeLSTMCell, NaryTreeLSTMCell])
def test_a_chain_of_single_children_is_the_lstm_in_values_and_gradients(kind):
    lstm = randomised(LSTMCell(INPUT, HIDDEN))
    u = lstm.from_hidden.weight
    if kind is NaryTreeLSTMCell:
        cell = NaryTreeLSTMCell(INPUT, HIDDEN, arity=1).double()
        copied = {"from_children.weight": u}
    else:
        cell = ChildSumTreeLSTMCell(INPUT, HIDDEN).double()
        write, forget, rest = u.split([HIDDEN, HIDDEN, 2 * HIDDEN])
        copied = {"from_sum.weight": torch.cat([write, rest]), "from_child.weight": forget}
    copied |= {f"from_input.{name}": value for name, value in lstm.from_input.named_parameters()}
    xs = torch.randn(2, 7, INPUT, dtype=F64, requires_grad=True)
    lengths = torch.tensor([7, 4])
    cell.load_state_dict(copied)
    ys, state, _ = unroll(lstm, xs, lengths=lengths)
    outputs, roots = fold(cell, chain(2, 7), lambda words: xs.flatten(0, 1)[words], lengths=lengths)
    torch.testing.assert_close(outputs, ys, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(roots.cell, state.cell, rtol=1e-12, atol=1e-12)
    weights = torch.randn_like(ys)
    ours, theirs = (
        torch.autograd.grad((answer * weights).sum(), [xs, module.from_input.weight, module.from_input.bias])
        for answer, module in ((outputs, cell), (ys, lstm))
    )
    torch.testing.assert_close(ours, theirs, rtol=1e-11, atol=1e-11)


def test_a_tree_that_branches_to_the_left_is_the_elman_network_from_its_first_word():
    cell, elman = randomised(RecursiveCell(HIDDEN)), ElmanCell(HIDDEN, HIDDEN).double()
    with torch.no_grad():
        left, right = cell.from_children.weight.chunk(2, dim=1)
        elman.from_hidden.weight.copy_(left)
        elman.from_input.weight.copy_(right)
        elman.from_input.bias.copy_(cell.from_children.bias)
    xs = torch.randn(1, 5, HIDDEN, dtype=F64)
    # x0, x1, (x0 x1), x2, ((x0 x1) x2), ...
    words, children, spine = [0], [[-1, -1]], 0
    for word in range(1, 5):
        words += [word, -1]
        children += [[-1, -1], [spine, len(children)]]
        spine = len(children) - 1
    trees = Trees(words=torch.tensor([words]), children=torch.tensor([children]))
    outputs, _ = fold(cell, trees, lambda symbols: xs[0, symbols])
    ys, _, _ = unroll(elman, xs[:, 1:], HiddenState(hidden=xs[:, 0]))
    torch.testing.assert_close(outputs[:, 2::2], ys, rtol=1e-12, atol=1e-12)


def test_the_child_sum_ignores_the_order_of_children_and_the_nary_does_not():
    _, children = drawn(3)
    order = torch.tensor([2, 0, 1])
    permuted = LSTMState(hidden=children.hidden[:, order], cell=children.cell[:, order])
    blind, sees = randomised(ChildSumTreeLSTMCell(INPUT, HIDDEN)), randomised(NaryTreeLSTMCell(INPUT, HIDDEN, arity=3))
    torch.testing.assert_close(blind.node(children, None).hidden, blind.node(permuted, None).hidden)
    assert not torch.allclose(sees.node(children, None).hidden, sees.node(permuted, None).hidden)


@pytest.mark.parametrize("kind", [ChildSumTreeLSTMCell, NaryTreeLSTMCell])
def test_a_node_without_a_word_has_the_vector_0(kind):
    cell = randomised(kind(INPUT, HIDDEN))
    x, children = drawn(2)
    without, zero = cell.node(children, None), cell.node(children, cell.read(torch.zeros_like(x)))
    torch.testing.assert_close(without.hidden, zero.hidden)


@pytest.mark.parametrize("kind", CELLS)
def test_every_option_matters(kind):
    options = {n for n, p in inspect.signature(kind).parameters.items() if p.kind is p.KEYWORD_ONLY}
    others = {"gain": 0.5, "forget_bias": 2.0, "arity": 3}

    def parameters(**changes):
        torch.manual_seed(0)
        return torch.cat([parameter.flatten() for parameter in CELLS[kind](**changes).parameters()])

    for name in options:
        changed = parameters(**{name: others[name]})
        assert changed.shape != parameters().shape or not torch.allclose(changed, parameters()), name


@pytest.mark.parametrize("kind", CELLS)
def test_weights_are_initialised_within_their_bounds_and_biases_to_0(kind):
    for name, parameter in CELLS[kind](gain=0.5).named_parameters():
        if name.endswith("bias"):
            assert set(parameter.tolist()) <= {0.0, 1.0}
            assert (parameter != 0).any() == (
                kind not in (RecursiveCell, RNTNCell)
                and name.startswith("from_children" if kind is ConstituencyTreeLSTMCell else "from_input")
            )
        else:
            bound = 0.5 / (parameter.shape[-1] if name == "tensor" else math.sqrt(parameter.shape[-1]))
            assert 0.8 * bound < parameter.abs().max() <= bound


@pytest.mark.parametrize("kind", CELLS)
def test_a_size_must_be_at_least_1(kind):
    sizes = [name for name in ("input_size", "hidden_size", "arity") if name in inspect.signature(kind).parameters]
    for size in sizes:
        usual = dict.fromkeys(sizes, 2)
        with pytest.raises(ValueError, match=f"{size} of {kind.__name__} is 0, but it must be at least 1"):
            kind(**(usual | {size: 0}))
