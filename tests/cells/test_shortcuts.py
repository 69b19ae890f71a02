"""Shortcuts of stacked cells: from the input to each cell, from each cell to the output, and input parts that bypass a
cell.
"""

import re

import pytest
import torch

from memtape import tree, unroll, use_backend
from memtape.cells import ElmanCell, FeedforwardCell, GRUCell, InputBypass, LSTMCell, Shortcuts

F64 = torch.float64


def random(*shape):
    return torch.randn(*shape, dtype=F64)


@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_with_shortcuts_each_cell_reads_the_input_and_the_cell_below_and_the_output_has_all(backend):
    layers = [LSTMCell(2, 4).double(), GRUCell(2 + 4, 3).double(), ElmanCell(2 + 3, 5).double()]
    xs, lengths = random(2, 6, 2), torch.tensor([4, 6])
    with use_backend(backend):
        ys, state, _ = unroll(Shortcuts(layers), xs, lengths=lengths)
    below, shown = xs[..., :0], []
    for layer, part in zip(layers, state.layers, strict=True):
        below, end, _ = unroll(layer, torch.cat([xs, below], dim=-1), lengths=lengths)
        shown.append(below)
        torch.testing.assert_close(tree.named_tensors(part), tree.named_tensors(end))
    torch.testing.assert_close(ys, torch.cat(shown, dim=-1))


def test_one_cell_with_shortcuts_is_that_cell(equal_up_to_rounding):
    cell, xs = GRUCell(2, 4).double(), random(2, 5, 2)
    equal_up_to_rounding(unroll(Shortcuts([cell]), xs)[0], unroll(cell, xs)[0])


def test_shortcuts_need_cells_of_matching_sizes():
    with pytest.raises(ValueError, match="layers is empty, but a stack needs at least one cell; give one or more"):
        Shortcuts([])
    sentence = (
        "layer 1 takes inputs of size 4, but it receives the input (2) and the output of the layer below it (4), so it"
    )
    with pytest.raises(ValueError, match=re.escape(sentence)):
        Shortcuts([ElmanCell(2, 4), ElmanCell(4, 4)])


@pytest.mark.parametrize("backend", ["reference", "cpu"])
@pytest.mark.parametrize("first", [0, 1, 3])
def test_a_bypassed_part_is_concatenated_to_the_output(first, backend):
    cell, xs, lengths = LSTMCell(3, 4).double(), random(2, 5, 5), torch.tensor([5, 3])
    with use_backend(backend):
        ys, state, _ = unroll(InputBypass(cell, first, 2), xs, lengths=lengths)
    seen = torch.cat([xs[..., :first], xs[..., first + 2 :]], dim=-1)
    expected, end, _ = unroll(cell, seen, lengths=lengths)
    torch.testing.assert_close(ys[..., :4], expected)
    assert torch.equal(ys[0, :, 4:], xs[0, :, first : first + 2])
    assert torch.equal(ys[1, :3, 4:], xs[1, :3, first : first + 2])
    assert not ys[1, 3:].any()
    torch.testing.assert_close(tree.named_tensors(state), tree.named_tensors(end))


def test_the_bypass_is_zero_beyond_a_row_s_length():
    cell, xs = InputBypass(LSTMCell(3, 4).double(), 1, 2), random(2, 5, 5)
    ys, _ = cell.fused("cpu")(xs, cell.init_state(2, dtype=F64), torch.tensor([5, 3]))
    assert ys[0].all()
    assert ys[1, :3].all()
    assert not ys[1, 3:].any()


def test_the_bypassed_part_must_lie_inside_the_input():
    with pytest.raises(ValueError, match=r"first is 4, but the cell takes inputs of size 3; give an index in 0\.\.3"):
        InputBypass(FeedforwardCell(3, 2), 4, 1)
    with pytest.raises(ValueError, match="size is 0, but it must be at least 1"):
        InputBypass(FeedforwardCell(3, 2), 1, 0)
    with pytest.raises(ValueError, match="first is -1, but it must be at least 0"):
        InputBypass(FeedforwardCell(3, 2), -1, 1)
