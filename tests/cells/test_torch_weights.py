"""Conversion to torch's networks and back keeps the results."""

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from memtape import Recurrent
from memtape.cells import (
    Bidirectional,
    ElmanCell,
    FeedforwardCell,
    GRUCell,
    Layers,
    LSTMCell,
    Stacked,
    from_torch,
    to_torch,
)

BATCH, TIME, INPUT, HIDDEN = 3, 5, 2, 4
CELLS = {
    "elman": lambda: ElmanCell(INPUT, HIDDEN),
    "elman-relu": lambda: ElmanCell(INPUT, HIDDEN, activation="relu"),
    "lstm": lambda: LSTMCell(INPUT, HIDDEN),
    "gru": lambda: GRUCell(INPUT, HIDDEN),
    "stack": lambda: Stacked([GRUCell(INPUT, HIDDEN), GRUCell(HIDDEN, HIDDEN)]),
}
NETWORKS = {
    "rnn": lambda: nn.RNN(INPUT, HIDDEN, batch_first=True),
    "relu": lambda: nn.RNN(INPUT, HIDDEN, nonlinearity="relu", batch_first=True),
    "lstm": lambda: nn.LSTM(INPUT, HIDDEN, 2, batch_first=True),
    "gru": lambda: nn.GRU(INPUT, HIDDEN, 3, batch_first=True),
    "no-bias": lambda: nn.LSTM(INPUT, HIDDEN, bias=False, batch_first=True),
    "no-bias-gru": lambda: nn.GRU(INPUT, HIDDEN, bias=False, batch_first=True, dtype=torch.float64),
}


def randomised(module):
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn_like(parameter))
    return module


@pytest.mark.parametrize("build", CELLS.values(), ids=CELLS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_cell_is_converted_to_torch_and_back(build, dtype):
    cell = randomised(build()).to(dtype)
    network = to_torch(cell)
    xs = torch.randn(BATCH, TIME, INPUT, dtype=dtype)
    tolerance = {"rtol": 0, "atol": 1e-6 if dtype == torch.float32 else 1e-12}
    ys, _ = Recurrent(cell)(xs)
    torch.testing.assert_close(network(xs)[0], ys, **tolerance)
    back = from_torch(network)
    assert type(back) is type(cell)
    torch.testing.assert_close(back.state_dict(), cell.state_dict(), rtol=0, atol=0)


@pytest.mark.parametrize("build", NETWORKS.values(), ids=NETWORKS)
def test_a_network_of_torch_becomes_a_cell(build):
    network = randomised(build())
    xs = torch.randn(BATCH, TIME, INPUT, dtype=next(network.parameters()).dtype)
    torch.testing.assert_close(Recurrent(from_torch(network))(xs)[0], network(xs)[0], rtol=0, atol=1e-6)


def test_converted_weights_are_copies():
    cell = LSTMCell(INPUT, HIDDEN)
    network = to_torch(cell)
    with torch.no_grad():
        network.weight_ih_l0.zero_()
    assert cell.from_input.weight.any()


def test_dropout_and_the_mode_are_converted_too():
    stack = Stacked([GRUCell(INPUT, HIDDEN), GRUCell(HIDDEN, HIDDEN)], dropout=0.25).eval()
    network = to_torch(stack)
    assert (network.dropout, network.training) == (0.25, False)
    back = from_torch(network)
    assert (back.dropout, back.training) == (0.25, False)


def test_the_number_of_parameters_is_as_published():
    def count(network):
        return sum(parameter.numel() for parameter in network.parameters())

    assert count(to_torch(LSTMCell(1, 128))) == 67072
    assert count(to_torch(LSTMCell(2, 128))) == 67584
    assert count(to_torch(GRUCell(1, 128))) == count(GRUCell(1, 128)) == 50304
    assert count(LSTMCell(1, 128)) == 4 * (128 + 128**2 + 128)


@pytest.mark.usefixtures("shapes_unchecked")
@pytest.mark.parametrize(
    "cell",
    [
        FeedforwardCell(2, 3),
        LSTMCell(2, 3, peepholes=True),
        GRUCell(2, 3, variant="reset_before"),
        Stacked([GRUCell(2, 3), LSTMCell(3, 3)]),
        Stacked([GRUCell(2, 3), GRUCell(3, 4)]),
        Stacked([ElmanCell(2, 3), ElmanCell(3, 3, activation="relu")]),
    ],
)
def test_a_cell_that_torch_does_not_have_is_refused(cell):
    with pytest.raises(ValueError, match=f"torch has no equivalent of this {type(cell).__name__}; pass"):
        to_torch(cell)


@pytest.mark.usefixtures("shapes_unchecked")
@pytest.mark.parametrize(
    ("network", "error", "message"),
    [
        (nn.Linear(2, 3), TypeError, "the network is a Linear, but no cell is equivalent; pass an nn.RNN, nn.LSTM or"),
        (
            nn.LSTM(2, 3, proj_size=1, batch_first=True),
            ValueError,
            "proj_size of the LSTM is 1, but no cell has projec",
        ),
        (
            nn.GRU(2, 3),
            ValueError,
            r"the GRU has batch_first=False, but cells run over inputs of shape \(batch, time, inp",
        ),
    ],
)
def test_a_network_without_an_equivalent_cell_is_refused(network, error, message):
    with pytest.raises(error, match=message):
        from_torch(network)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("kind", [nn.RNN, nn.LSTM, nn.GRU])
def test_a_bidirectional_network_runs_both_ways(kind, layers, bias, equal_up_to_rounding):
    options = {"batch_first": True, "bidirectional": True, "dtype": torch.float64, "bias": bias}
    network = randomised(kind(INPUT, HIDDEN, layers, **options))
    whole = from_torch(network)
    assert type(whole) is (Bidirectional if layers == 1 else Layers)
    xs, lengths = torch.randn(BATCH, TIME, INPUT, dtype=torch.float64), torch.tensor([5, 3, 1])
    ys, state = whole(xs, lengths=lengths)
    expected, last = network(pack_padded_sequence(xs, lengths, batch_first=True))
    equal_up_to_rounding(ys, pad_packed_sequence(expected, batch_first=True)[0])
    hidden = last[0] if isinstance(last, tuple) else last
    top = state if layers == 1 else state.layers[-1]
    equal_up_to_rounding([top.forwards.hidden, top.backwards.hidden], list(hidden[-2:]))


def test_dropout_between_bidirectional_layers_is_converted():
    layers = from_torch(nn.GRU(INPUT, HIDDEN, 2, batch_first=True, bidirectional=True, dropout=0.25).eval())
    assert (layers.dropout, layers.training) == (0.25, False)


@pytest.mark.parametrize("kind", [nn.RNN, nn.LSTM, nn.GRU])
def test_a_network_without_biases_stays_without_in_training(kind, equal_up_to_rounding):
    network = randomised(kind(INPUT, HIDDEN, 2, bias=False, batch_first=True, dtype=torch.float64))
    cell = from_torch(network)
    assert [*map(torch.numel, cell.parameters())] == [*map(torch.numel, network.parameters())]
    xs = torch.randn(BATCH, TIME, INPUT, dtype=torch.float64)
    for module, run in ((cell, Recurrent(cell)), (network, network)):
        optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
        run(xs)[0].square().sum().backward()
        optimizer.step()
    equal_up_to_rounding(Recurrent(cell)(xs)[0], network(xs)[0])
    back = to_torch(cell)
    assert not back.bias
    equal_up_to_rounding(back(xs)[0], network(xs)[0])
    other = from_torch(network)
    other.load_state_dict(cell.state_dict())
