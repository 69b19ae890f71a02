"""Bidirectional networks: correct under padding, for any cells, and symmetric."""

import pytest
import torch
from torch import nn

from memtape import tree, unroll
from memtape.cells import Bidirectional, ElmanCell, GRUCell, Layers, LSTMCell

BATCH, TIME, INPUT = 4, 6, 2
LENGTHS = torch.tensor([3, TIME, 0, 1])
F64 = torch.float64


@pytest.fixture(params=[(LSTMCell, GRUCell), (GRUCell, ElmanCell)])
def network(request):
    return Bidirectional(*(build(INPUT, size) for build, size in zip(request.param, (4, 3), strict=True))).double()


@pytest.fixture
def xs():
    return torch.randn(BATCH, TIME, INPUT, dtype=F64)


def same(first, second):
    torch.testing.assert_close(first, second, rtol=1e-12, atol=1e-12)


def test_it_equals_two_runs_one_over_the_reversed_row(network, xs):
    ys, last = network(xs)
    there, end, _ = unroll(network.forwards, xs)
    back, initial, _ = unroll(network.backwards, xs.flip(1))
    same(ys, torch.cat([there, back.flip(1)], dim=-1))
    same(tree.named_tensors(last.forwards), tree.named_tensors(end))
    same(tree.named_tensors(last.backwards), tree.named_tensors(initial))
    assert ys.shape[-1] == network.output_size == 7


@pytest.mark.parametrize("garbage", [1e30, float("nan")])
def test_each_row_is_read_from_its_own_end(network, xs, garbage):
    padded = xs.clone()
    for row, length in enumerate(LENGTHS):
        padded[row, length:] = garbage
    padded.requires_grad_()
    ys, last = network(padded, lengths=LENGTHS)
    initial = tree.named_tensors(network.init_state(1))
    for row, length in enumerate(LENGTHS):
        assert not ys[row, length:].any()
        end = {name: leaf[row : row + 1] for name, leaf in tree.named_tensors(last).items()}
        if length:
            alone, expected = network(xs[row : row + 1, :length])
            same(ys[row, :length], alone[0])
            same(end, tree.named_tensors(expected))
        else:
            same(end, initial)
    (gradient,) = torch.autograd.grad(ys.sum(), padded)
    assert gradient.isfinite().all()
    assert not gradient[0, 3:].any()


def test_a_start_splits_a_row_in_both_directions(network, xs):
    starts = torch.zeros(BATCH, TIME, dtype=torch.bool)
    starts[0, 2] = starts[1, 4] = starts[2, 0] = True
    lengths = torch.tensor([5, TIME, TIME, TIME])
    ys, last = network(xs, lengths=lengths, starts=starts)
    same(ys[0, :2], network(xs[:1, :2])[0][0])
    same(ys[0, 2:5], network(xs[:1, 2:5])[0][0])
    same(ys[1, 4:], network(xs[1:2, 4:])[0][0])
    same(ys[2:], network(xs[2:])[0])
    same(last.backwards.hidden[0], network(xs[:1, :2])[1].backwards.hidden[0])
    same(last.forwards.hidden[0], network(xs[:1, 2:5])[1].forwards.hidden[0])


def test_reversing_the_input_and_swapping_the_directions_reverses_the_output(xs):
    network = Bidirectional(LSTMCell(INPUT, 4), LSTMCell(INPUT, 4)).double()
    swapped = Bidirectional(network.backwards, network.forwards)
    ys, there = network(xs)
    mirrored, back = swapped(xs.flip(1))
    same(mirrored.flip(1), ys.roll(4, dims=-1))
    same(back.forwards.cell, there.backwards.cell)


def test_it_starts_from_a_given_state(network, xs):
    given = network(xs)[1]
    ys, _ = network(xs, given)
    same(ys[..., :4], unroll(network.forwards, xs, given.forwards)[0])
    same(ys[..., 4:], unroll(network.backwards, xs.flip(1), given.backwards)[0].flip(1))


def test_recomputation_changes_no_result(network, xs):
    plain = network(xs, lengths=LENGTHS)[0]
    again = network(xs, lengths=LENGTHS, checkpoint_every=2)[0]
    same(again, plain)
    parameters = list(network.parameters())
    same(torch.autograd.grad(again.sum(), parameters), torch.autograd.grad(plain.sum(), parameters))


def test_stacked_layers_equal_torch_s_bidirectional_lstm(xs):
    theirs = nn.LSTM(INPUT, 4, 2, batch_first=True, bidirectional=True, dtype=F64)
    layers = Layers([Bidirectional(LSTMCell(size, 4), LSTMCell(size, 4)) for size in (INPUT, 8)]).double()
    cells = [cell for layer in layers.layers for cell in (layer.forwards, layer.backwards)]
    with torch.no_grad():
        for cell, (from_input, from_hidden, bias, own_bias) in zip(cells, theirs.all_weights, strict=True):
            cell.from_input.weight.copy_(from_input)
            cell.from_hidden.weight.copy_(from_hidden)
            cell.from_input.bias.copy_(bias + own_bias)
    ys, last = layers(xs)
    expected, (hidden, memory) = theirs(xs)
    same(ys, expected)
    ends = [end for layer in last.layers for end in (layer.forwards, layer.backwards)]
    same(torch.stack([end.hidden for end in ends]), hidden)
    same(torch.stack([end.cell for end in ends]), memory)
    state = layers.init_state(BATCH)
    same(layers(xs, state, lengths=LENGTHS)[0], layers(xs, lengths=LENGTHS)[0])


def test_dropout_between_layers_is_active_in_training_only(xs):
    layers = Layers([Bidirectional(GRUCell(size, 4), GRUCell(size, 4)) for size in (INPUT, 8)], dropout=0.5).double()
    assert not torch.equal(layers(xs)[0], layers(xs)[0])
    layers.eval()
    expected = layers.layers[1](layers.layers[0](xs)[0])[0]
    assert torch.equal(layers(xs)[0], expected)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: Bidirectional(GRUCell(2, 3), GRUCell(3, 3)),
            "the forward cell takes inputs of size 2, but the backward cell takes inputs of size 3; make",
        ),
        (lambda: Layers([]), "layers is empty, but a stack needs at least one network; give one or more"),
        (
            lambda: Layers([Bidirectional(GRUCell(2, 3), GRUCell(2, 3))] * 2),
            "layer 1 takes inputs of size 2, but layer 0",
        ),
        (
            lambda: Layers([GRUCell(2, 3)], dropout=2.0),
            "dropout is 2.0, but it is a probability; give a number in 0..1",
        ),
    ],
)
def test_parts_of_mismatched_sizes_are_refused(build, message, shapes_unchecked):
    with pytest.raises(ValueError, match=message):
        build()
