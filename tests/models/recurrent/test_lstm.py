"""The LSTM, the baseline without external memory."""

import inspect

import pytest
import torch
from torch import nn

from memtape import StackedLSTM, StackedLSTMCell, unroll

BATCH, TIME, INPUT, OUTPUT = 2, 5, 3, 4
F64 = torch.float64
OTHER = {
    "hidden_size": 7,
    "layers": 2,
    "candidate": "sigmoid",
    "peepholes": True,
    "layer_norm": True,
    "forget_bias": 0.0,
    "chrono": 20,
    "embedding_size": 3,
    "dropout": 0.5,
}


@pytest.mark.parametrize("layers", [1, 3])
def test_it_equals_torch_s_stacked_lstm_with_a_linear_layer(layers):
    torch.manual_seed(0)
    network = StackedLSTM(INPUT, OUTPUT, hidden_size=6, layers=layers).double()
    theirs = nn.LSTM(INPUT, 6, layers, batch_first=True, dtype=F64)
    readout = network.cell.network.cell
    initial = [torch.randn_like(bias) for bias in network.cell.network.biases]
    with torch.no_grad():
        for bias, value in zip(network.cell.network.biases, initial, strict=True):
            bias.copy_(value)
        for number, layer in enumerate(readout.cell.layers):
            getattr(theirs, f"weight_ih_l{number}").copy_(layer.from_input.weight)
            getattr(theirs, f"weight_hh_l{number}").copy_(layer.from_hidden.weight)
            getattr(theirs, f"bias_ih_l{number}").copy_(layer.from_input.bias)
            getattr(theirs, f"bias_hh_l{number}").zero_()
    xs = torch.randn(BATCH, TIME, INPUT, dtype=F64)
    hidden, memory = (torch.stack(initial[first::2])[:, None].expand(-1, BATCH, -1).contiguous() for first in (0, 1))
    expected, _ = theirs(xs, (hidden, memory))
    expected = expected @ readout.to_output.weight.T + readout.to_output.bias
    torch.testing.assert_close(network(xs)[0], expected)


def test_its_default_size_is_that_of_the_paper():
    parameters = inspect.signature(StackedLSTMCell).parameters
    assert (parameters["layers"].default, parameters["hidden_size"].default) == (3, 256)


def test_every_option_matters():
    options = [n for n, p in inspect.signature(StackedLSTMCell).parameters.items() if p.kind is p.KEYWORD_ONLY]
    assert set(options) == set(OTHER)
    xs = torch.randn(BATCH, TIME, INPUT)
    small = {"hidden_size": 4, "layers": 1}

    def run(**changes):
        torch.manual_seed(0)
        cell = StackedLSTMCell(INPUT, OUTPUT, **(small | changes))
        with torch.no_grad():
            for parameter in cell.parameters():
                parameter.add_(0.1)  # some are initialised to 0, where they have no effect
        return unroll(cell, xs)[0]

    assert torch.equal(run(), run())
    for name, value in OTHER.items():
        assert not torch.allclose(run(), run(**{name: value})), name


@pytest.mark.parametrize("size", ["input_size", "output_size", "hidden_size", "layers"])
def test_a_size_must_be_at_least_1(size):
    with pytest.raises(ValueError, match=f"{size} of StackedLSTMCell is 0, but it must be at least 1"):
        StackedLSTMCell(**({"input_size": 1, "output_size": 1} | {size: 0}))
