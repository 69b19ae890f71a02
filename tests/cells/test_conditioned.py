"""A context vector as part of the input, of the initial state, or of both, for any cell."""

import math

import pytest
import torch

from memtape import StackedLSTMCell, tree, unroll, use_backend
from memtape.cells import Conditioned, ElmanCell, GRUCell, LearnedInitialState, LSTMCell, Stacked
from memtape.core.backends import backends

F64 = torch.float64
INPUT, CONTEXT, HIDDEN, BATCH, TIME = 2, 3, 4, 3, 5


def random(*shape):
    return torch.randn(*shape, dtype=F64)


def conditioned(kind, into):
    inputs = INPUT + (CONTEXT if into != "state" else 0)
    cell = Conditioned(kind(inputs), CONTEXT, into=into).double()
    for parameter in cell.parameters():
        torch.nn.init.normal_(parameter)
    return cell


KINDS = {
    "lstm": lambda inputs: LSTMCell(inputs, HIDDEN),
    "stacked": lambda inputs: Stacked([GRUCell(inputs, HIDDEN), LSTMCell(HIDDEN, 2)]),
    "learned": lambda inputs: LearnedInitialState(ElmanCell(inputs, HIDDEN)),
}


@torch.no_grad()
@pytest.mark.parametrize("into", ["input", "state", "both"])
def test_a_conditioned_elman_network_computes_its_equations(into):
    network = conditioned(lambda inputs: ElmanCell(inputs, HIDDEN), into)
    xs, context = random(BATCH, TIME, INPUT), random(BATCH, CONTEXT)
    ys, _, _ = unroll(network, xs, network.begin(context))
    w, u, b = network.cell.from_input.weight, network.cell.from_hidden.weight, network.cell.from_input.bias
    for row in range(BATCH):
        c = context[row].tolist()
        hidden = [0.0] * HIDDEN
        if into != "input":
            layer = network.to_state[0]
            hidden = [
                math.tanh(float(layer.bias[k]) + sum(float(layer.weight[k, i]) * c[i] for i in range(CONTEXT)))
                for k in range(HIDDEN)
            ]
        for t in range(TIME):
            seen = xs[row, t].tolist() + (c if into != "state" else [])
            hidden = [
                math.tanh(
                    float(b[k])
                    + sum(float(w[k, i]) * value for i, value in enumerate(seen))
                    + sum(float(u[k, i]) * value for i, value in enumerate(hidden))
                )
                for k in range(HIDDEN)
            ]
            torch.testing.assert_close(ys[row, t], torch.tensor(hidden, dtype=F64), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("into", ["input", "state", "both"])
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_any_cell_can_be_conditioned_on_a_context(kind, into):
    network = conditioned(kind, into)
    xs, context = random(BATCH, TIME, INPUT), random(BATCH, CONTEXT)
    state = network.begin(context)
    ys, last, _ = unroll(network, xs, state)
    seen = xs if into == "state" else torch.cat([xs, context[:, None].expand(-1, TIME, -1)], dim=-1)
    expected, end, _ = unroll(network.cell, seen, state.cell)
    torch.testing.assert_close(ys, expected, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(tree.named_tensors(last.cell), tree.named_tensors(end), rtol=1e-12, atol=1e-12)
    assert torch.equal(last.context, context)
    plain = network.cell.init_state(BATCH, dtype=F64)
    for name, leaf in tree.named_tensors(state.cell).items():
        assert torch.equal(leaf, tree.named_tensors(plain)[name]) == (into == "input")
    other = unroll(network, xs, network.begin(random(BATCH, CONTEXT)))[0]
    assert not torch.allclose(other[:, 0], ys[:, 0])


def test_the_context_is_added_to_the_initial_state():
    network = conditioned(KINDS["learned"], "state")
    context = random(BATCH, CONTEXT)
    expected = network.cell.biases[0] + torch.tanh(network.to_state[0](context))
    torch.testing.assert_close(network.begin(context).cell.hidden, expected, rtol=1e-12, atol=1e-12)


def test_a_missing_context_equals_a_context_of_zeros(equal_up_to_rounding):
    network = conditioned(KINDS["lstm"], "both")
    xs = random(BATCH, TIME, INPUT)
    with_zeros = unroll(network, xs, network.begin(torch.zeros(BATCH, CONTEXT, dtype=F64)))[0]
    equal_up_to_rounding(unroll(network, xs)[0], with_zeros)


def test_the_context_is_kept_from_chunk_to_chunk():
    network = conditioned(KINDS["stacked"], "both")
    xs, state = random(BATCH, TIME, INPUT), network.begin(random(BATCH, CONTEXT))
    whole, _, _ = unroll(network, xs, state)
    first, middle, _ = unroll(network, xs[:, :2], state)
    second, _, _ = unroll(network, xs[:, 2:], middle)
    torch.testing.assert_close(torch.cat([first, second], dim=1), whole, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("into", ["input", "state", "both"])
def test_gradients_reach_the_context_and_every_parameter(into):
    network = conditioned(KINDS["stacked"], into)
    context = random(BATCH, CONTEXT).requires_grad_()
    ys, _, _ = unroll(network, random(BATCH, TIME, INPUT), network.begin(context))
    ys.sum().backward()
    assert context.grad.all()
    for name, parameter in network.named_parameters():
        assert parameter.grad.any(), name


@pytest.mark.skipif(backends()["cpu"] is not None, reason="the fused kernels are absent")
@pytest.mark.parametrize("into", ["input", "state", "both"])
def test_the_fused_kernel_receives_the_context_too(into):
    network = conditioned(lambda inputs: StackedLSTMCell(inputs, 2, hidden_size=HIDDEN, layers=2), into)
    xs, context = random(BATCH, TIME, INPUT), random(BATCH, CONTEXT)
    lengths = torch.tensor([5, 0, 3])
    results = []
    for backend in ("reference", "cpu"):
        with use_backend(backend):
            assert (network.fused(backend) is None) == (backend == "reference")
            network.zero_grad()
            ys, last, _ = unroll(network, xs, network.begin(context), lengths=lengths)
            (ys.sum() + last.cell.layers[0].cell.sum()).backward()
            results.append([ys, *tree.leaves(last), *[parameter.grad for parameter in network.parameters()]])
    for first, second in zip(*results, strict=True):
        torch.testing.assert_close(first, second, rtol=1e-10, atol=1e-12)


def test_integer_parts_of_the_state_keep_their_initial_value():
    network = Conditioned(CountingCell(INPUT), CONTEXT, into="state")
    state = network.begin(torch.ones(BATCH, CONTEXT))
    assert torch.equal(state.cell["steps"], torch.zeros(BATCH, dtype=torch.long))
    assert state.cell["total"].all()


class CountingCell(ElmanCell):
    """A cell whose state is a count of its steps and a sum."""

    def __init__(self, input_size):
        super().__init__(input_size, 1)

    def init_state(self, batch_size, *, device=None, dtype=None):
        return {"steps": torch.zeros(batch_size, dtype=torch.long), "total": torch.zeros(batch_size, 1, dtype=dtype)}


def test_a_cell_must_have_room_for_an_input_beside_the_context():
    with pytest.raises(
        ValueError,
        match="inputs of size 3, but the context alone has size 3 and is concatenated to an input; give the cell",
    ):
        Conditioned(ElmanCell(3, 4), 3)
    assert Conditioned(ElmanCell(3, 4), 3, into="state").input_size == 3


def test_the_context_size_must_be_at_least_1():
    with pytest.raises(ValueError, match="context_size of Conditioned is 0, but it must be at least 1"):
        Conditioned(ElmanCell(3, 4), 0)


def test_an_unknown_place_is_refused(shapes_unchecked):
    with pytest.raises(ValueError, match="into is 'output', but it must be one of 'input', 'state', 'both'; choose"):
        Conditioned(ElmanCell(5, 4), 3, into="output")
