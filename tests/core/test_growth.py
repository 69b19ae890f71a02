"""Growth: room for the steps of a run, and states of different sizes side by side."""

from typing import ClassVar

import pytest
import torch

from memtape import Cell, Recurrent, state, tree, unroll
from memtape.cells import GRUCell
from memtape.core import growth

F64 = torch.float64


@state
class Past:
    """The inputs so far, the latest first, and their sum."""

    growing: ClassVar = {"inputs": -2}

    inputs: torch.Tensor
    total: torch.Tensor


@state
class Pairs:
    """A table of pairs of steps, which grows in both axes."""

    growing: ClassVar = {"table": (-3, -2)}

    table: torch.Tensor


class Remembering(Cell):
    """A cell whose output is the sum of its last three inputs."""

    input_size = output_size = 2

    def init_state(self, batch_size, *, device=None, dtype=None):
        zeros = torch.zeros(batch_size, 2, device=device, dtype=dtype)
        return Past(inputs=zeros[:, None, :].narrow(1, 0, 0), total=zeros)

    def forward(self, x, state):
        inputs = torch.cat([x[:, None], state.inputs], dim=1)
        return inputs[:, :3].sum(1), Past(inputs=inputs, total=state.total + x)


class Undeclared(Remembering):
    """The same cell with a state that does not declare its growth."""

    def init_state(self, batch_size, *, device=None, dtype=None):
        return torch.zeros(batch_size, 1, 2, device=device, dtype=dtype)

    def forward(self, x, state):
        return x, torch.cat([x[:, None], state], dim=1)


def past(inputs, total=0.0):
    return Past(inputs=torch.tensor(inputs)[..., None].expand(-1, -1, 2), total=torch.full((len(inputs), 2), total))


def test_room_is_added_at_the_end_of_the_growing_axes_only():
    before = past([[1.0, 2.0]], total=5.0)
    after = growth.with_room(before, 3)
    assert after.inputs[0, :, 0].tolist() == [1, 2, 0, 0, 0]
    assert after.total is before.total
    assert growth.growing_axes((before, torch.zeros(1))) == [(-2,), (), ()]


def test_a_tensor_may_grow_in_several_axes():
    before = Pairs(table=torch.ones(1, 2, 2, 3))
    after = growth.with_room(before, 2)
    assert after.table.shape == (1, 4, 4, 3)
    assert torch.equal(after.table[:, :2, :2], before.table)
    assert after.table.sum() == 12
    assert growth.with_room(after, 2) is not after
    assert growth.with_room(after, 2).table.shape == (1, 4, 4, 3)
    assert growth.as_large(before, after).table.shape == (1, 4, 4, 3)
    assert torch.equal(growth.cut(after, before).table, before.table)
    after.table[0, 0, 3] = 1  # an empty cell has to be at the end of both axes
    assert growth.with_room(after, 2).table.shape == (1, 6, 6, 3)


def test_cells_that_are_empty_in_every_row_are_room_already():
    assert growth.with_room(past([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]]), 3).inputs.shape[1] == 4
    assert growth.with_room(past([[1.0, 0.0, 0.0], [1.0, 2.0, 0.0]]), 3).inputs.shape[1] == 5
    assert growth.with_room(past([[1.0, 0.0, 0.0], [1.0, 2.0, 3.0]]), 3).inputs.shape[1] == 6
    assert growth.with_room(past([[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]), 2).inputs.shape[1] == 3


def test_a_state_without_growth_is_returned_as_it_is():
    fixed = (torch.zeros(2, 3), torch.ones(2))
    assert growth.with_room(fixed, 5) is fixed
    assert growth.cut(fixed, fixed) is fixed
    assert growth.as_large(fixed, fixed) is fixed


def test_states_of_different_sizes_are_joined_with_empty_cells():
    joined = tree.cat([past([[1.0, 2.0]]), past([[3.0]]), past([[4.0, 5.0, 6.0]])], axis=0)
    assert joined.inputs[..., 0].tolist() == [[1, 2, 0], [3, 0, 0], [4, 5, 6]]


def test_a_run_keeps_its_shapes_and_loses_nothing():
    xs = torch.randn(2, 5, 2, dtype=F64)
    ys, last, trace = unroll(Remembering(), xs, collect=lambda state: state.inputs)
    assert trace.shape == (2, 5, 5, 2)
    torch.testing.assert_close(last.inputs, xs.flip(1))
    torch.testing.assert_close(trace[:, 1, :2], xs[:, :2].flip(1))
    assert not trace[:, 1, 2:].any()
    torch.testing.assert_close(ys[:, 4], xs[:, 2:].sum(1))


def test_rows_that_ended_or_start_anew_have_empty_cells():
    xs = torch.randn(3, 5, 2, dtype=F64)
    starts = torch.zeros(3, 5, dtype=torch.bool)
    starts[2, 3] = True
    _, last, _ = unroll(Remembering(), xs, lengths=torch.tensor([5, 2, 5]), starts=starts)
    torch.testing.assert_close(last.inputs[1, :2], xs[1, :2].flip(0))
    torch.testing.assert_close(last.inputs[2, :2], xs[2, 3:].flip(0))
    assert not last.inputs[1:, 2:].any()


def test_a_stream_that_starts_anew_again_and_again_does_not_grow():
    network, state = Recurrent(Remembering()), None
    starts = torch.zeros(1, 8, dtype=torch.bool)
    starts[:, ::4] = True
    for _ in range(20):
        _, state = network(torch.randn(1, 8, 2), state, starts=starts)
    assert state.inputs.shape[1] <= 12
    for _ in range(3):
        _, state = network.step(torch.randn(1, 2), state)
    assert state.inputs.shape[1] <= 12


def test_a_carried_state_of_any_size_is_accepted_and_one_of_another_batch_is_refused():
    network = Recurrent(Remembering())
    _, state = network(torch.randn(2, 4, 2))
    assert network(torch.randn(2, 3, 2), state)[1].inputs.shape == (2, 7, 2)
    assert network.step(torch.randn(2, 2), state)[1].inputs.shape == (2, 5, 2)
    for call in (lambda: network(torch.randn(3, 3, 2), state), lambda: network.step(torch.randn(3, 2), state)):
        with pytest.raises(ValueError, match=r"inputs of the state has shape \(2, \d, 2\), but .* needs \(3, \d, 2\)"):
            call()
    with pytest.raises(ValueError, match="of another structure"):
        network(torch.randn(2, 3, 2), GRUCell(2, 3).init_state(2))


def test_growth_that_is_not_declared_is_refused():
    with pytest.raises(ValueError, match=r"returned a state of shape \(1, 2, 2\), but it was \(1, 1, 2\) before"):
        unroll(Undeclared(), torch.randn(1, 3, 2))


@state
class Items:
    """Items with strengths, which may be 0."""

    growing: ClassVar = {"values": -2, "strengths": -1}

    values: torch.Tensor
    strengths: torch.Tensor


def test_a_cell_is_room_only_if_it_is_empty_in_all_tensors_that_grow():
    before = Items(values=torch.ones(1, 3, 2), strengths=torch.tensor([[1.0, 0.0, 0.0]]))
    after = growth.with_room(before, 2)
    assert after.values.shape == (1, 5, 2)
    assert after.strengths.shape == (1, 5)
