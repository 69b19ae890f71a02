"""Cells around cells: stacks, readouts and learned initial states."""

import pytest
import torch

from memtape import tree, unroll
from memtape.cells import ElmanCell, FeedforwardCell, GRUCell, LearnedInitialState, LSTMCell, Readout, Stacked

F64 = torch.float64


def random(*shape):
    return torch.randn(*shape, dtype=F64)


def test_each_cell_of_a_stack_receives_the_output_of_the_cell_below():
    layers = [LSTMCell(2, 4).double(), GRUCell(4, 3).double(), ElmanCell(3, 5).double()]
    xs = random(2, 6, 2)
    ys, state, _ = unroll(Stacked(layers), xs)
    expected = xs
    for layer, part in zip(layers, state.layers, strict=True):
        expected, end, _ = unroll(layer, expected)
        torch.testing.assert_close(tree.named_tensors(part), tree.named_tensors(end))
    torch.testing.assert_close(ys, expected)


def test_an_empty_stack_is_refused():
    with pytest.raises(ValueError, match="layers is empty, but a stack needs at least one cell; give one or more"):
        Stacked([])


def test_sizes_of_adjacent_cells_in_a_stack_must_match():
    with pytest.raises(ValueError, match="layer 2 takes inputs of size 3, but layer 1 below it returns 4; make"):
        Stacked([ElmanCell(2, 4), ElmanCell(4, 4), ElmanCell(3, 4)])


def test_a_readout_is_a_linear_layer_on_top():
    readout = Readout(GRUCell(2, 4), 3).double()
    torch.nn.init.normal_(readout.to_output.bias)
    xs = random(2, 5, 2)
    hidden, _, _ = unroll(readout.cell, xs)
    expected = hidden @ readout.to_output.weight.T + readout.to_output.bias
    torch.testing.assert_close(unroll(readout, xs)[0], expected)
    with pytest.raises(ValueError, match="output_size of Readout is 0, but it must be at least 1"):
        Readout(GRUCell(2, 4), 0)


def test_a_learned_initial_state_starts_as_the_cell_s_own(equal_up_to_rounding):
    cell = LSTMCell(2, 4).double()
    xs = random(3, 5, 2)
    equal_up_to_rounding(unroll(LearnedInitialState(cell).double(), xs)[0], unroll(cell, xs)[0])


def test_a_learned_initial_state_is_the_same_for_every_row_and_is_trained():
    wrapped = LearnedInitialState(LSTMCell(2, 4)).double()
    with torch.no_grad():
        for bias in wrapped.biases:
            bias.copy_(torch.randn_like(bias))
    state = wrapped.init_state(3, dtype=F64)
    for row in range(3):
        assert torch.equal(state.hidden[row], wrapped.biases[0])
        assert torch.equal(state.cell[row], wrapped.biases[1])
    unroll(wrapped, random(3, 2, 2))[0].sum().backward()
    assert all(bias.grad.any() for bias in wrapped.biases)


def test_a_cell_without_a_state_has_no_initial_state_to_learn():
    assert not list(LearnedInitialState(FeedforwardCell(2, 4)).biases)
