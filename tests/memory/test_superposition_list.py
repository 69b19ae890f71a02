"""The memory of superposition lists, and its interface."""

import pytest
import torch

from memtape.memory import SuperpositionList, SuperpositionListControl, SuperpositionListInterface
from memtape.memory.depth import DepthError

F64 = torch.float64
BATCH = 2
LEFT, RIGHT, INSERT, NONE = torch.eye(4, dtype=F64)


def one_list(action, value=0.0):
    return SuperpositionListControl(actions=action[None, None], inserted=torch.tensor([[[value]]], dtype=F64))


def run(memory, *controls):
    state, reads = memory.init_state(1, dtype=F64), None
    for control in controls:
        reads, state = memory(control, state)
    return reads, state


def random_control(lists, width):
    return SuperpositionListControl(
        actions=torch.rand(BATCH, lists, 4, dtype=F64).softmax(-1),
        inserted=torch.randn(BATCH, lists, width, dtype=F64),
    )


def test_an_inserted_value_is_found_again_after_moves_of_the_head():
    memory = SuperpositionList(visible=2, empty=-1.0)
    inserts = [one_list(INSERT, 1.0), one_list(INSERT, 2.0), one_list(INSERT, 3.0)]
    assert run(memory, *inserts)[0].tolist() == [[3, -1]]
    assert run(memory, *inserts, one_list(LEFT))[0].tolist() == [[2, 3]]
    assert run(memory, *inserts, one_list(LEFT), one_list(LEFT))[0].tolist() == [[1, 2]]
    assert run(memory, *inserts, one_list(LEFT), one_list(INSERT, 9.0))[0].tolist() == [[9, 3]]
    assert run(memory, *inserts, one_list(LEFT), one_list(RIGHT))[0].tolist() == [[3, -1]]
    assert run(memory, *inserts, one_list(NONE))[0].tolist() == [[3, -1]]
    assert run(memory, *inserts, one_list(RIGHT))[0].tolist() == [[-1, -1]]


def test_a_step_is_write_and_read():
    memory = SuperpositionList(2, lists=3, visible=2)
    given, state = random_control(3, 2), memory.init_state(BATCH, dtype=F64)
    reads, moved = memory(given, state)
    assert memory.address(given, state) is state
    assert torch.equal(memory.write(given, state).after, moved.after)
    assert torch.equal(memory.read(moved), reads)
    assert reads.shape == (BATCH, memory.read_size)


def test_actions_are_rounded_in_evaluation_mode_only():
    memory = SuperpositionList(round_actions=True)
    given = one_list(torch.tensor([0.1, 0.1, 0.6, 0.2], dtype=F64), 5.0)
    state = memory.init_state(1, dtype=F64)
    assert memory.train()(given, state)[0].item() == pytest.approx(3.0)
    assert memory.eval()(given, state)[0].item() == 5.0


def test_a_list_beyond_the_limit_is_refused():
    memory = SuperpositionList(max_depth=1)
    run(memory, one_list(INSERT, 1.0), one_list(INSERT, 2.0))
    with pytest.raises(DepthError, match="more than 1 cells after this step, but max_depth is 1"):
        run(memory, one_list(INSERT, 1.0), one_list(INSERT, 2.0), one_list(INSERT, 3.0))


@pytest.mark.parametrize("width", [1, 3])
@pytest.mark.parametrize("lists", [1, 2])
def test_views_show_the_list_with_its_head_in_the_middle(lists, width):
    memory, state = SuperpositionList(width, lists=lists), None
    state = memory.init_state(BATCH, dtype=F64)
    for _ in range(3):
        given = random_control(lists, width)
        views = {view.name: view for view in memory.views(given, state)}
        reads, state = memory(given, state)
    assert list(views) == ["actions", "inserted", "list"]
    assert views["actions"].entries == ("left", "right", "insert", "no-op")
    shown = views["list"].values.reshape(BATCH, lists, 6)
    at_head = reads.unflatten(1, (lists, width))
    torch.testing.assert_close(shown[..., 3], at_head.norm(dim=-1) if width > 1 else at_head[..., 0])
    assert {view.heads for view in views.values()} == {lists}


def test_the_interface_gives_probabilities_and_values():
    given = SuperpositionListInterface(4, 2, lists=3)(5 * torch.randn(20, 4))
    assert given.inserted.shape == (20, 3, 2)
    torch.testing.assert_close(given.actions.sum(-1), torch.ones(20, 3))
    assert 0 <= given.inserted.min() <= given.inserted.max() <= 1
    assert SuperpositionListInterface(4, no_op=False)(torch.randn(2, 4)).actions.shape == (2, 1, 3)


def test_sizes_below_1_and_unknown_activations_are_refused(shapes_unchecked):
    for option in ("width", "lists", "visible", "max_depth"):
        with pytest.raises(ValueError, match=rf"{option}.* is 0, but it must be at least 1"):
            SuperpositionList(**{option: 0})
    with pytest.raises(ValueError, match="insert_activation is 'relu', but it must be one of"):
        SuperpositionListInterface(2, insert_activation="relu")
