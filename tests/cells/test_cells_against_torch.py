"""The gated cells and the plain cell compute the same as torch's cells."""

import pytest
import torch
from torch import nn

from memtape import Recurrent, unroll
from memtape.cells import ElmanCell, FeedforwardCell, GRUCell, LSTMCell

BATCH, TIME, INPUT, HIDDEN = 3, 4, 2, 5
F64 = torch.float64


def randomised(module):
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn_like(parameter))
    return module.double()


def with_weights_of(cell, theirs):
    """Copy the weights of a torch cell; the sum of its two biases is the one bias of our cell."""
    weights = dict(theirs.named_parameters())
    with torch.no_grad():
        cell.from_input.weight.copy_(weights["weight_ih"])
        cell.from_hidden.weight.copy_(weights["weight_hh"])
        if cell.from_hidden.bias is None:
            cell.from_input.bias.copy_(weights["bias_ih"] + weights["bias_hh"])
        else:
            cell.from_input.bias.copy_(weights["bias_ih"])
            cell.from_hidden.bias.copy_(weights["bias_hh"])
    return cell


@pytest.mark.parametrize(
    ("own_class", "torch_class"), [(LSTMCell, nn.LSTMCell), (GRUCell, nn.GRUCell), (ElmanCell, nn.RNNCell)]
)
def test_a_cell_equals_torch_s(own_class, torch_class):
    theirs = randomised(torch_class(INPUT, HIDDEN))
    cell = with_weights_of(own_class(INPUT, HIDDEN).double(), theirs)
    xs = torch.randn(BATCH, TIME, INPUT, dtype=F64)
    ys, last, _ = unroll(cell, xs)
    state = None
    for t in range(TIME):
        state = theirs(xs[:, t], state)
        hidden = state[0] if isinstance(state, tuple) else state
        torch.testing.assert_close(ys[:, t], hidden)
    torch.testing.assert_close(last.hidden, hidden)
    if own_class is LSTMCell:
        torch.testing.assert_close(last.cell, state[1])


def test_a_network_replaces_torch_s_lstm():
    theirs = randomised(nn.LSTM(INPUT, HIDDEN, batch_first=True))
    cell = LSTMCell(INPUT, HIDDEN).double()
    names = {name.removesuffix("_l0"): value for name, value in theirs.named_parameters()}
    with torch.no_grad():
        cell.from_input.weight.copy_(names["weight_ih"])
        cell.from_hidden.weight.copy_(names["weight_hh"])
        cell.from_input.bias.copy_(names["bias_ih"] + names["bias_hh"])
    xs = torch.randn(BATCH, TIME, INPUT, dtype=F64)
    ys, state = Recurrent(cell)(xs)
    expected, (hidden, memory) = theirs(xs)
    torch.testing.assert_close(ys, expected)
    torch.testing.assert_close((state.hidden, state.cell), (hidden[0], memory[0]))


def test_a_feedforward_cell_is_one_layer_of_tanh(equal_up_to_rounding):
    cell = randomised(FeedforwardCell(INPUT, HIDDEN))
    xs = torch.randn(BATCH, TIME, INPUT, dtype=F64)
    ys, _, _ = unroll(cell, xs)
    torch.testing.assert_close(ys, torch.tanh(xs @ cell.layer.weight.T + cell.layer.bias))
    equal_up_to_rounding(unroll(cell, xs.flip(1))[0].flip(1), ys)


@pytest.mark.parametrize("forget_bias", [0.0, 1.0, -2.0])
def test_the_forget_bias_initialises_the_forget_gate_alone(forget_bias):
    bias = LSTMCell(INPUT, HIDDEN, forget_bias=forget_bias).from_input.bias
    expected = torch.tensor([0.0, forget_bias, 0, 0]).repeat_interleave(HIDDEN)
    assert torch.equal(bias, expected)


def test_the_forget_bias_is_initialised_to_1():
    assert (LSTMCell(INPUT, HIDDEN).from_input.bias[HIDDEN : 2 * HIDDEN] == 1).all()


@pytest.mark.parametrize("cell_class", [LSTMCell, GRUCell, ElmanCell])
@pytest.mark.parametrize("gain", [1.0, 3.0])
def test_weights_are_spread_by_the_gain_and_the_hidden_size(cell_class, gain):
    cell = cell_class(30, 100, gain=gain)
    for weight in (cell.from_input.weight, cell.from_hidden.weight):
        assert 0.095 * gain < weight.abs().max() <= 0.1 * gain
        assert abs(weight.mean()) < 0.01 * gain


@pytest.mark.parametrize("cell_class", [LSTMCell, GRUCell, ElmanCell, FeedforwardCell])
def test_a_size_must_be_an_integer_of_at_least_1(cell_class, shapes_unchecked):
    name = cell_class.__name__
    with pytest.raises(ValueError, match=f"hidden_size of {name} is 0, but it must be at least 1"):
        cell_class(2, 0)
    with pytest.raises(ValueError, match=f"input_size of {name} is -1, but it must be at least 1"):
        cell_class(-1, 2)
    with pytest.raises(TypeError, match=f"hidden_size of {name} is 2.0, but it must be an integer"):
        cell_class(2, 2.0)
