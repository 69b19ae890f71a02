"""Recurrent: a cell that runs over sequences, padded or packed."""

import inspect

import pytest
import torch
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pack_sequence

from memtape import NTM, Recurrent, StackedLSTM, StackedLSTMCell, tree, unroll
from memtape.cells import GRUCell, LSTMCell

BATCH, TIME, INPUT = 3, 4, 2


@pytest.fixture
def network():
    return Recurrent(LSTMCell(INPUT, 5))


@pytest.fixture
def xs():
    return torch.randn(BATCH, TIME, INPUT)


def test_it_returns_a_pair_and_with_collect_a_triple(network, xs):
    ys, state = network(xs)
    expected, last, _ = unroll(network.cell, xs)
    assert torch.equal(ys, expected)
    assert torch.equal(state.cell, last.cell)
    ys, state, trace = network(xs, collect=lambda state: state.hidden)
    torch.testing.assert_close(trace, expected)


def test_every_argument_is_passed_to_the_run(network, xs):
    start = network(xs)[1]
    starts = torch.zeros(BATCH, TIME, dtype=torch.bool)
    starts[1, 2] = True
    lengths = torch.tensor([2, 4, 3])
    plain = network(xs)[0]
    assert not torch.equal(network(xs, start)[0], plain)
    assert not torch.equal(network(xs, starts=starts)[0], plain)
    assert not torch.equal(network(xs, lengths=lengths)[0], plain)
    expected = unroll(network.cell, xs, start, lengths=lengths, starts=starts)[0]
    torch.testing.assert_close(network(xs, start, lengths=lengths, starts=starts, checkpoint_every=2)[0], expected)


def test_it_has_its_sizes_and_its_initial_state(network):
    assert (network.input_size, network.output_size) == (INPUT, 5)
    state = network.init_state(2, dtype=torch.float64)
    assert torch.equal(state.hidden, torch.zeros(2, 5, dtype=torch.float64))


def test_a_packed_sequence_has_its_own_lengths(network, xs):
    packed = pack_padded_sequence(xs, torch.tensor([4, 2, 1]), batch_first=True)
    with pytest.raises(
        ValueError, match="lengths were given with a PackedSequence, which has its own lengths; pass one of"
    ):
        network(packed, lengths=torch.tensor([4, 2, 1]))


def test_packed_outputs_go_into_the_next_network(network):
    rows = [torch.randn(length, INPUT) for length in (2, 4, 1)]
    packed = pack_sequence(rows, enforce_sorted=False)
    middle, state = network(packed)
    assert isinstance(middle, PackedSequence)
    assert torch.equal(middle.sorted_indices, packed.sorted_indices)
    assert torch.equal(middle.unsorted_indices, packed.unsorted_indices)
    above = Recurrent(GRUCell(5, 3))
    _, last = above(middle)
    for row, sequence in enumerate(rows):
        alone, end = network(sequence[None])
        torch.testing.assert_close(state.hidden[row], end.hidden[0])
        torch.testing.assert_close(last.hidden[row], above(alone)[1].hidden[0])


def test_packed_sequences_take_a_state_and_can_be_collected(network):
    packed = pack_sequence([torch.randn(length, INPUT) for length in (3, 2)])
    _, state = network(packed)
    ys, again, trace = network(packed, state, collect=lambda state: state.hidden)
    assert isinstance(ys, PackedSequence)
    assert trace.shape == (2, 3, 5)
    assert not torch.equal(again.hidden, state.hidden)


def test_a_packed_sequence_in_float16_is_refused_like_a_padded_one(network, shapes_unchecked):
    packed = pack_sequence([torch.randn(3, INPUT).half()])
    with pytest.raises(
        ValueError, match=r"the inputs are torch.float16, but the parameters of LSTMCell are torch.float32"
    ):
        network(packed)


def test_the_network_takes_the_arguments_of_its_cell():
    assert inspect.signature(StackedLSTM).parameters == inspect.signature(StackedLSTMCell).parameters
    torch.manual_seed(0)
    network = StackedLSTM(INPUT, 3, hidden_size=4, layers=2)
    torch.manual_seed(0)
    by_hand = Recurrent(StackedLSTMCell(INPUT, 3, hidden_size=4, layers=2))
    xs = torch.randn(BATCH, TIME, INPUT)
    assert torch.equal(network(xs)[0], by_hand(xs)[0])


def test_the_initial_state_has_the_dtype_of_the_network():
    network = NTM(2, 2, slots=3, width=2, controller_size=4).double()
    assert {leaf.dtype for leaf in tree.leaves(network.init_state(2))} == {torch.float64}
    assert {leaf.dtype for leaf in tree.leaves(network.init_state(2, dtype=torch.float32))} == {torch.float32}
