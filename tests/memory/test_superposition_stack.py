"""The memory of superposition stacks, and its interface."""

import pytest
import torch

from memtape.memory import SuperpositionStack, SuperpositionStackControl, SuperpositionStackInterface
from memtape.memory.depth import DepthError

F64 = torch.float64
BATCH = 2


def control(actions, pushed):
    return SuperpositionStackControl(
        actions=torch.tensor(actions, dtype=F64), pushed=torch.tensor(pushed, dtype=F64).unsqueeze(-1)
    )


def one_stack(actions, value):
    return control([[actions]], [[value]])


def random_control(stacks, width, actions=3):
    return SuperpositionStackControl(
        actions=torch.rand(BATCH, stacks, actions, dtype=F64).softmax(-1),
        pushed=torch.randn(BATCH, stacks, width, dtype=F64),
    )


def values(memory, state):
    return (memory.empty + state.cells)[0, 0, :, 0].tolist()


def test_an_empty_value_of_minus_1_is_pushed_down_and_popped_in():
    memory = SuperpositionStack(empty=-1.0, visible=4)
    reads, state = memory(one_stack((0.7, 0.1, 0.2), 0.25), memory.init_state(1, dtype=F64))
    assert reads[0].tolist() == pytest.approx([-0.125, -1, -1, -1])
    reads, state = memory(one_stack((0.6, 0.3, 0.1), 0.5), state)
    assert reads[0].tolist() == pytest.approx([-0.0125, -0.475, -1, -1])
    assert values(memory, state) == pytest.approx([-0.0125, -0.475])


def test_two_actions_on_a_given_stack_have_the_computed_result():
    memory = SuperpositionStack(empty=-1.0, visible=2)
    _, state = memory(one_stack((1.0, 0.0), 0.5), memory.init_state(1, dtype=F64))
    reads, state = memory(one_stack((0.75, 0.25), 0.6), state)
    assert reads[0].tolist() == pytest.approx([0.2, 0.125])
    assert values(memory, state) == pytest.approx([0.2, 0.125])


def test_stacks_are_independent_and_read_one_after_another():
    memory = SuperpositionStack(2, stacks=3, visible=2)
    alone = SuperpositionStack(2, visible=2)
    state, states = memory.init_state(BATCH, dtype=F64), [alone.init_state(BATCH, dtype=F64)] * 3
    for _ in range(4):
        given = random_control(3, 2)
        reads, state = memory(given, state)
        parts = []
        for number in range(3):
            one = SuperpositionStackControl(
                actions=given.actions[:, number : number + 1], pushed=given.pushed[:, number : number + 1]
            )
            read, states[number] = alone(one, states[number])
            parts.append(read)
        torch.testing.assert_close(reads, torch.cat(parts, dim=1))


def test_a_step_is_write_and_read():
    memory = SuperpositionStack(2, stacks=2, visible=3)
    given, state = random_control(2, 2), memory.init_state(BATCH, dtype=F64)
    reads, after = memory(given, state)
    assert memory.address(given, state) is state
    assert torch.equal(memory.write(given, state).cells, after.cells)
    assert torch.equal(memory.read(after), reads)
    assert reads.shape == (BATCH, memory.read_size)


def test_actions_are_rounded_in_evaluation_mode_only():
    memory, given = SuperpositionStack(round_actions=True), one_stack((0.6, 0.1, 0.3), 5.0)
    state = memory.init_state(1, dtype=F64)
    assert memory.train()(given, state)[0].item() == pytest.approx(3.0)
    assert memory.eval()(given, state)[0].item() == 5.0
    assert SuperpositionStack().eval()(given, state)[0].item() == pytest.approx(3.0)


def test_a_stack_may_be_as_deep_as_the_limit_and_no_deeper():
    memory = SuperpositionStack(max_depth=2)
    state = memory.init_state(1, dtype=F64)
    push, pop, soft = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.1, 0.8, 0.1)
    for action in (push, push, pop, push, pop, pop, pop, push, push):
        _, state = memory(one_stack(action, 3.0), state)
    assert values(memory, state)[:3] == [3, 3, 0]
    with pytest.raises(
        DepthError, match=r"more than 2 cells after this step, but max_depth is 2; pass shorter sequences"
    ):
        memory(one_stack(push, 3.0), state)
    with pytest.raises(DepthError, match="max_depth is 2"):
        memory(one_stack(soft, 3.0), state)


def test_under_a_transform_a_stack_deeper_than_the_limit_loses_nothing():
    memory = SuperpositionStack(max_depth=1)
    _, state = memory(one_stack((1.0, 0.0), 3.0), memory.init_state(1, dtype=F64))
    given = one_stack((1.0, 0.0), 4.0)

    def step(pushed):
        return memory.write(SuperpositionStackControl(actions=given.actions, pushed=pushed), state).cells

    after = torch.func.vmap(step)(given.pushed[None])
    assert after.flatten().tolist() == [4, 3]


def test_the_interface_has_a_softmax_for_each_stack_or_one_for_all():
    hidden = torch.randn(50, 4)
    apart = SuperpositionStackInterface(4, 2, stacks=3)(5 * hidden)
    assert apart.actions.shape == (50, 3, 3)
    assert apart.pushed.shape == (50, 3, 2)
    torch.testing.assert_close(apart.actions.sum(-1), torch.ones(50, 3))
    joint = SuperpositionStackInterface(4, 2, stacks=3, joint_actions=True)(5 * hidden)
    torch.testing.assert_close(joint.actions.sum((-2, -1)), torch.ones(50))
    assert ((joint.actions[..., 0] > 0.5).sum(-1) <= 1).all()  # two stacks cannot both push with more than one half
    assert SuperpositionStackInterface(4, no_op=False)(hidden).actions.shape == (50, 1, 2)


@pytest.mark.parametrize(("activation", "least", "most"), [("sigmoid", 0, 1), ("tanh", -1, 1), ("linear", -500, 500)])
def test_pushed_values_have_the_range_of_their_activation(activation, least, most):
    interface = SuperpositionStackInterface(4, 3, push_activation=activation)
    pushed = interface(100 * torch.randn(200, 4)).pushed
    assert least <= pushed.min() < least + 0.1 * (most - least) or activation == "linear"
    assert pushed.max() <= most
    assert activation != "linear" or pushed.abs().max() > 10


def test_huge_logits_give_probabilities_of_exactly_0_and_1():
    interface = SuperpositionStackInterface(2, stacks=2, push_activation="linear").double()
    with torch.no_grad():
        interface.head_parameters.linear.weight.zero_()
        interface.head_parameters.linear.bias.copy_(torch.tensor([1000.0, 0, 0, 0, 0, 1000, 1, 2]))
    given = interface(torch.randn(1, 2, dtype=F64))
    assert given.actions.tolist() == [[[1, 0, 0], [0, 0, 1]]]
    assert given.pushed.tolist() == [[[1], [2]]]


def test_an_interface_without_biases_has_none():
    assert [name for name, _ in SuperpositionStackInterface(2, bias=False).named_parameters()] == [
        "head_parameters.linear.weight"
    ]


@pytest.mark.parametrize("width", [1, 3])
@pytest.mark.parametrize("stacks", [1, 2])
def test_views_show_actions_values_and_cells_of_the_step(stacks, width):
    memory = SuperpositionStack(width, stacks=stacks, empty=-1.0, round_actions=True).eval()
    state = memory.init_state(BATCH, dtype=F64)
    for _ in range(3):
        given = random_control(stacks, width)
        views = {view.name: view for view in memory.views(given, state)}
        _, state = memory(given, state)
    assert list(views) == ["actions", "pushed", "stack", *(["contents"] if width > 1 else [])]
    assert views["actions"].entries == ("push", "pop", "no-op")
    assert views["actions"].values.sum() == BATCH * stacks
    if width > 1:
        torch.testing.assert_close(views["contents"].values.reshape(state.cells.shape), state.cells - 1)
    over_time = state.cells.norm(dim=-1) if width > 1 else state.cells[..., 0] - 1
    torch.testing.assert_close(views["stack"].values.reshape(over_time.shape), over_time)
    assert {view.values.shape[0] for view in views.values()} == {BATCH}
    assert {view.heads for view in views.values()} == {stacks}


@pytest.mark.parametrize("option", ["width", "stacks", "visible", "max_depth"])
def test_a_size_below_1_is_refused(option, shapes_unchecked):
    with pytest.raises(ValueError, match=rf"{option}.* is 0, but it must be at least 1"):
        SuperpositionStack(**{option: 0})
    with pytest.raises(TypeError, match=rf"{option}.* is 1.5, but it must be an integer"):
        SuperpositionStack(**{option: 1.5})


def test_an_unknown_activation_is_refused(shapes_unchecked):
    with pytest.raises(ValueError, match="push_activation is 'relu', but it must be one of"):
        SuperpositionStackInterface(2, push_activation="relu")
