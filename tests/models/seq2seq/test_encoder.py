"""The encoder, with torch's networks as its reference."""

import pytest
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from memtape.core.padding import reversed_rows
from memtape.models.seq2seq.encoder import Encoder

INPUT, HIDDEN, BATCH, TIME = 3, 4, 4, 6
LENGTHS = torch.tensor([6, 1, 4, 3])
F64 = torch.float64


def torch_like(encoder, kind, layers, bidirectional):
    """Return torch's network with the weights of an encoder."""
    network = kind(INPUT, HIDDEN, layers, batch_first=True, bidirectional=bidirectional).double()
    weights = {}
    for number, layer in enumerate(encoder.layers.layers):
        cells = {"": layer.forwards, "_reverse": layer.backwards} if bidirectional else {"": layer.cell}
        for suffix, cell in cells.items():
            name = f"l{number}{suffix}"
            weights |= {f"weight_ih_{name}": cell.from_input.weight, f"weight_hh_{name}": cell.from_hidden.weight}
            bias = cell.from_input.bias
            other = cell.from_hidden.bias
            weights |= {f"bias_ih_{name}": bias, f"bias_hh_{name}": torch.zeros_like(bias) if other is None else other}
    network.load_state_dict(weights)
    return network


@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize(("cell", "kind"), [("lstm", torch.nn.LSTM), ("gru", torch.nn.GRU)])
def test_it_equals_torch_s_network_on_packed_sequences(cell, kind, layers, bidirectional):
    encoder = Encoder(INPUT, HIDDEN, cell=cell, layers=layers, bidirectional=bidirectional).double()
    for parameter in encoder.parameters():
        torch.nn.init.normal_(parameter)
    xs = torch.randn(BATCH, TIME, INPUT, dtype=F64)
    ys, last = encoder(xs, LENGTHS)
    packed = pack_padded_sequence(xs, LENGTHS, batch_first=True, enforce_sorted=False)
    expected, end = torch_like(encoder, kind, layers, bidirectional)(packed)
    expected, _ = pad_packed_sequence(expected, batch_first=True)
    top = (end[0] if cell == "lstm" else end).unflatten(0, (layers, -1))[-1]
    torch.testing.assert_close(ys, expected, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(last, torch.cat(list(top), dim=-1), rtol=1e-10, atol=1e-12)


def test_reversed_input_and_swapped_directions_reverse_the_output():
    encoder, other = (Encoder(INPUT, HIDDEN).double() for _ in range(2))
    (there,), (reversed_layer,) = encoder.layers.layers, other.layers.layers
    reversed_layer.forwards.load_state_dict(there.backwards.state_dict())
    reversed_layer.backwards.load_state_dict(there.forwards.state_dict())
    xs = torch.where((torch.arange(TIME) < LENGTHS[:, None])[..., None], torch.randn(BATCH, TIME, INPUT, dtype=F64), 0)
    ys, last = encoder(xs, LENGTHS)
    swapped, end = other(reversed_rows(xs, LENGTHS), LENGTHS)
    turned = reversed_rows(swapped, LENGTHS)
    torch.testing.assert_close(turned.roll(HIDDEN, dims=-1), ys, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(end.roll(HIDDEN, dims=-1), last, rtol=1e-12, atol=1e-12)


def test_dropout_between_layers_is_active_in_training_only():
    encoder = Encoder(INPUT, HIDDEN, layers=2, dropout=0.5)
    xs = torch.randn(BATCH, TIME, INPUT)
    assert not torch.equal(encoder(xs, LENGTHS)[0], encoder(xs, LENGTHS)[0])
    encoder.eval()
    assert torch.equal(encoder(xs, LENGTHS)[0], encoder(xs, LENGTHS)[0])
    one = Encoder(INPUT, HIDDEN, dropout=0.5)
    assert torch.equal(one(xs, LENGTHS)[0], one(xs, LENGTHS)[0])


def test_an_unknown_cell_is_refused(shapes_unchecked):
    with pytest.raises(ValueError, match="cell is 'elman', but it must be one of 'lstm', 'gru'; choose one of them"):
        Encoder(2, 3, cell="elman")
