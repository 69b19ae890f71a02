"""The memory of the Differentiable Neural Computer: the order of its step, several heads, and its interface."""

import dataclasses
import re

import pytest
import torch

from memtape import ops
from memtape.core.state import NoState
from memtape.memory import DNCControl, DNCInterface, DNCMemory

BATCH, SLOTS, WIDTH, HIDDEN = 2, 6, 4, 3
F64 = torch.float64


def random_control(reads=1, writes=1, **changes):
    def gates(heads):
        return torch.rand(BATCH, heads, dtype=F64)

    def vectors(heads):
        return torch.randn(BATCH, heads, WIDTH, dtype=F64)

    return dataclasses.replace(
        DNCControl(
            read_keys=vectors(reads),
            read_strengths=1 + 3 * gates(reads),
            write_keys=vectors(writes),
            write_strengths=1 + 3 * gates(writes),
            erase=torch.sigmoid(vectors(writes)),
            add=vectors(writes),
            free_gates=gates(reads),
            allocation_gates=gates(writes),
            write_gates=gates(writes),
            read_modes=torch.softmax(torch.randn(BATCH, reads, 1 + 2 * writes, dtype=F64), dim=-1),
            masks=NoState(),
            exponents=NoState(),
        ),
        **changes,
    )


def after_some_steps(memory, reads=1, writes=1):
    """Return a state in which the usages differ."""
    state = memory.init_state(BATCH, dtype=F64)
    for _ in range(SLOTS + 1):
        _, state = memory(random_control(reads, writes), state)
    return state


def test_a_step_writes_first_and_reads_what_it_wrote():
    memory, control = DNCMemory(SLOTS, WIDTH, read_heads=2), random_control(2)
    state = after_some_steps(memory, 2)
    reads, after = memory(control, state)
    usage = ops.usage_after(state.usage, state.write_weights, ops.retention(control.free_gates, state.read_weights))
    content = ops.content_weights(state.memory, control.write_keys, control.write_strengths)
    g, a = control.write_gates[..., None], control.allocation_gates[..., None]
    write_weights = g * (a * ops.allocation_weights(usage)[:, None] + (1 - a) * content)
    written = ops.erase_and_add(state.memory, write_weights, control.erase, control.add)
    links = ops.links_after(state.links.links, state.links.precedence, write_weights)
    backward, forward = ops.follow_links(links, state.read_weights)
    looked_up = ops.content_weights(written, control.read_keys, control.read_strengths)
    pi = control.read_modes[..., None]
    read_weights = pi[:, :, 0] * backward[:, :, 0] + pi[:, :, 1] * looked_up + pi[:, :, 2] * forward[:, :, 0]
    for actual, expected in (
        (after.usage, usage),
        (after.write_weights, write_weights),
        (after.memory, written),
        (after.links.links, links),
        (after.links.precedence, ops.precedence_after(state.links.precedence, write_weights)),
        (after.read_weights, read_weights),
        (reads, ops.read(written, read_weights).flatten(1)),
    ):
        torch.testing.assert_close(actual, expected, rtol=1e-12, atol=1e-14)


def test_with_zero_write_gates_contents_links_and_precedence_are_unchanged():
    memory = DNCMemory(SLOTS, WIDTH, read_heads=2, write_heads=2)
    state = after_some_steps(memory, 2, 2)
    _, after = memory(random_control(2, 2, write_gates=torch.zeros(BATCH, 2, dtype=F64)), state)
    assert torch.equal(after.memory, state.memory)
    assert torch.equal(after.links.links, state.links.links)
    assert torch.equal(after.links.precedence, state.links.precedence)
    assert not torch.equal(after.read_weights, state.read_weights)


def test_weights_and_usage_keep_their_ranges():
    memory = DNCMemory(SLOTS, WIDTH, read_heads=3, write_heads=2)
    state = memory.init_state(BATCH, dtype=F64)
    for _ in range(50):
        _, state = memory(random_control(3, 2), state)
        for weights in (state.read_weights, state.write_weights, state.links.precedence, state.links.links):
            assert weights.min() >= 0
            assert weights.sum(-1).max() <= 1 + 1e-12
        assert 0 <= state.usage.min() <= state.usage.max() <= 1


def test_a_free_gate_on_the_last_read_slot_frees_it_for_the_next_write():
    memory, everywhere = DNCMemory(SLOTS, WIDTH), torch.ones(BATCH, 1, dtype=F64)
    state = memory.init_state(BATCH, dtype=F64)
    full = dataclasses.replace(
        state,
        usage=torch.ones_like(state.usage),
        read_weights=torch.eye(SLOTS, dtype=F64)[None, 3:4].repeat(BATCH, 1, 1),
    )
    for gate, expected in (
        (everywhere, torch.eye(SLOTS, dtype=F64)[3]),
        (0 * everywhere, torch.zeros(SLOTS, dtype=F64)),
    ):
        control = random_control(free_gates=gate, allocation_gates=everywhere, write_gates=everywhere)
        _, after = memory(control, full)
        assert torch.equal(after.write_weights, expected.expand(BATCH, 1, -1))


def test_a_sequence_is_stored_in_separate_slots_and_read_in_its_order():
    memory, everywhere = DNCMemory(SLOTS, WIDTH), torch.ones(BATCH, 1, dtype=F64)
    state, items = memory.init_state(BATCH, dtype=F64), torch.randn(5, BATCH, 1, WIDTH, dtype=F64)
    storing = {"allocation_gates": everywhere, "write_gates": everywhere, "free_gates": 0 * everywhere}
    for item in items:
        _, state = memory(random_control(add=item, **storing), state)
    by_content, forward = (torch.eye(3, dtype=F64)[mode].expand(BATCH, 1, 3) for mode in (1, 2))
    keys = {"read_keys": items[0], "read_strengths": 1e4 * everywhere}
    looking = random_control(write_gates=0 * everywhere, free_gates=0 * everywhere, read_modes=by_content, **keys)
    for step, item in enumerate(items):
        reads, state = memory(looking if step == 0 else dataclasses.replace(looking, read_modes=forward), state)
        torch.testing.assert_close(reads, item[:, 0])


def test_write_heads_allocate_one_after_another():
    memory = DNCMemory(SLOTS, WIDTH, write_heads=3)
    state, control = after_some_steps(memory, 1, 3), random_control(1, 3)
    _, after = memory(control, state)
    usage, chosen = after.usage, control.allocation_gates * control.write_gates
    content = ops.content_weights(state.memory, control.write_keys, control.write_strengths)
    for head in range(3):
        free = ops.allocation_weights(usage)
        a, g = control.allocation_gates[:, head, None], control.write_gates[:, head, None]
        torch.testing.assert_close(after.write_weights[:, head], g * (a * free + (1 - a) * content[:, head]))
        usage = usage + (1 - usage) * chosen[:, head, None] * free


def test_two_write_heads_that_allocate_fully_take_two_slots():
    memory, everywhere = DNCMemory(SLOTS, WIDTH, write_heads=2), torch.ones(BATCH, 2, dtype=F64)
    control = random_control(1, 2, allocation_gates=everywhere, write_gates=everywhere)
    _, after = memory(control, memory.init_state(BATCH, dtype=F64))
    assert torch.equal(after.write_weights, torch.eye(SLOTS, dtype=F64)[None, :2].expand(BATCH, -1, -1))


def test_read_modes_are_backward_for_each_write_head_then_content_then_forward():
    memory = DNCMemory(SLOTS, WIDTH, write_heads=2)
    state = after_some_steps(memory, 1, 2)
    control = random_control(1, 2)
    _, mixed = memory(control, state)
    backward, forward = ops.follow_links(mixed.links.links, state.read_weights)
    content = ops.content_weights(mixed.memory, control.read_keys, control.read_strengths)
    places = [backward[:, 0, 0], backward[:, 0, 1], content[:, 0], forward[:, 0, 0], forward[:, 0, 1]]
    for mode, place in enumerate(places):
        modes = torch.eye(5, dtype=F64)[mode].expand(BATCH, 1, 5)
        _, after = memory(dataclasses.replace(control, read_modes=modes), state)
        torch.testing.assert_close(after.read_weights[:, 0], place)


@pytest.mark.parametrize("gradient", [True, False])
def test_the_gradient_of_the_write_weights_flows_through_the_usage_if_the_option_is_set(gradient):
    memory = DNCMemory(SLOTS, WIDTH, usage_gradient=gradient)
    state = after_some_steps(memory)
    weights = state.write_weights.clone().requires_grad_()
    _, after = memory(random_control(), dataclasses.replace(state, write_weights=weights))
    assert after.usage.requires_grad == gradient


def test_an_epsilon_of_usage_changes_the_allocation_and_is_not_stored():
    control, plain = random_control(), DNCMemory(SLOTS, WIDTH)
    state = after_some_steps(plain)
    raised = DNCMemory(SLOTS, WIDTH, usage_epsilon=0.1)(control, state)[1]
    kept = plain(control, state)[1]
    assert torch.equal(raised.usage, kept.usage)
    content = ops.content_weights(state.memory, control.write_keys, control.write_strengths)
    free = ops.allocation_weights(0.1 + 0.9 * kept.usage)[:, None]
    a, g = control.allocation_gates[..., None], control.write_gates[..., None]
    torch.testing.assert_close(raised.write_weights, g * (a * free + (1 - a) * content))


def test_the_initial_state_is_zero_and_the_first_allocation_is_slot_0():
    memory, everywhere = DNCMemory(SLOTS, WIDTH), torch.ones(BATCH, 1, dtype=F64)
    state = memory.init_state(BATCH, dtype=F64)
    for leaf in (state.memory, state.read_weights, state.write_weights, state.usage, state.links.links):
        assert not leaf.any()
    assert not state.links.precedence.any()
    control = random_control(write_gates=everywhere, allocation_gates=0 * everywhere)
    torch.testing.assert_close(
        memory(control, state)[1].write_weights, torch.full((BATCH, 1, SLOTS), 1 / SLOTS).double()
    )
    control = dataclasses.replace(control, allocation_gates=everywhere)
    assert torch.equal(memory(control, state)[1].write_weights[0, 0], torch.eye(SLOTS, dtype=F64)[0])


def test_heads_can_start_with_a_small_weight_at_every_slot():
    state = DNCMemory(SLOTS, WIDTH, read_heads=2, initial_weights="constant").init_state(BATCH, dtype=F64)
    assert torch.equal(state.read_weights, torch.full((BATCH, 2, SLOTS), 1e-6, dtype=F64))
    assert torch.equal(state.write_weights, torch.full((BATCH, 1, SLOTS), 1e-6, dtype=F64))
    assert not state.usage.any()


def interface_of(raw, **options):
    """Build an interface with a given interface vector, and return its control."""
    interface = DNCInterface(1, 2, **options)
    with torch.no_grad():
        interface.head_parameters.linear.weight.zero_()
        interface.head_parameters.linear.bias.copy_(torch.tensor(raw))
    return interface(torch.zeros(1, 1))


RAW = [
    *[0.5, -1.0, 2.0, 30.0],  # read keys
    *[1.0, -1.0],  # read strengths
    *[-2.0, 3.0],  # write key
    0.0,  # write strength
    *[0.0, 1.0],  # erase
    *[5.0, -0.5],  # add
    *[0.0, 2.0],  # free gates
    -1.0,  # allocation gate
    1.0,  # write gate
    *[1.0, 0, 0, 0, 0, 1],  # read modes
]


def test_the_interface_vector_has_the_paper_s_order_and_activations():
    control = interface_of(RAW, clip=None, read_heads=2)
    assert len(RAW) == 2 * 2 + 3 * 2 + 5 * 2 + 3
    assert torch.equal(control.read_keys[0], torch.tensor([[0.5, -1], [2, 30]]))
    torch.testing.assert_close(control.read_strengths[0], torch.tensor([2.3132617, 1.3132617]))
    assert torch.equal(control.write_keys[0], torch.tensor([[-2.0, 3]]))
    torch.testing.assert_close(control.write_strengths[0], torch.tensor([1.6931472]))
    torch.testing.assert_close(control.erase[0], torch.tensor([[0.5, 0.7310586]]))
    assert torch.equal(control.add[0], torch.tensor([[5.0, -0.5]]))
    torch.testing.assert_close(control.free_gates[0], torch.tensor([0.5, 0.8807971]))
    torch.testing.assert_close(control.allocation_gates[0], torch.tensor([0.2689414]))
    torch.testing.assert_close(control.write_gates[0], torch.tensor([0.7310586]))
    softmax = [0.5761169, 0.2119416, 0.2119416]
    torch.testing.assert_close(control.read_modes[0], torch.tensor([softmax, softmax[::-1]]))


def test_options_of_the_interface_change_the_ranges_of_their_parameters(equal_up_to_rounding):
    plain = interface_of(RAW, clip=None, read_heads=2)
    soft = interface_of(RAW, clip=None, read_heads=2, strengths="softplus")
    torch.testing.assert_close(soft.read_strengths, plain.read_strengths - 1)
    torch.testing.assert_close(soft.write_strengths, plain.write_strengths - 1)
    squashed = interface_of(RAW, clip=None, read_heads=2, squash=True)
    for name in ("read_keys", "write_keys", "add"):
        equal_up_to_rounding(getattr(squashed, name), torch.tanh(getattr(plain, name)))
    for name in ("read_strengths", "erase", "free_gates", "allocation_gates", "write_gates", "read_modes"):
        assert torch.equal(getattr(squashed, name), getattr(plain, name))
    assert interface_of(RAW, read_heads=2).read_keys.max() == 20


def test_each_of_several_write_heads_has_its_own_parameters():
    control = DNCInterface(HIDDEN, WIDTH, read_heads=3, write_heads=2)(torch.randn(BATCH, HIDDEN))
    for name, shape in (
        *(("read_keys", (3, WIDTH)), ("read_strengths", (3,)), ("write_keys", (2, WIDTH)), ("write_strengths", (2,))),
        *(("erase", (2, WIDTH)), ("add", (2, WIDTH)), ("free_gates", (3,)), ("allocation_gates", (2,))),
        *(("write_gates", (2,)), ("read_modes", (3, 5))),
    ):
        assert getattr(control, name).shape == (BATCH, *shape), name


@pytest.mark.parametrize("name", ["slots", "width", "read_heads", "write_heads"])
def test_a_memory_needs_sizes_of_at_least_1(name):
    with pytest.raises(ValueError, match=f"{name} of DNCMemory is 0, but it must be at least 1"):
        DNCMemory(**({"slots": 2, "width": 2} | {name: 0}))


@pytest.mark.parametrize("name", ["width", "read_heads", "write_heads"])
def test_an_interface_needs_sizes_of_at_least_1(name):
    with pytest.raises(ValueError, match=f"{name} of DNCInterface is 0, but it must be at least 1"):
        DNCInterface(**({"hidden_size": 2, "width": 2} | {name: 0}))


def test_an_unknown_choice_is_refused(shapes_unchecked):
    with pytest.raises(ValueError, match=re.escape("strengths is 'none', but it must be one of 'oneplus', 'softplus'")):
        DNCInterface(2, 2, strengths="none")
    with pytest.raises(ValueError, match="initial_memory is 'none', but it must be one of 'constant', "):
        DNCMemory(2, 2, initial_memory="none")


def test_an_epsilon_of_usage_is_a_probability():
    with pytest.raises(
        ValueError, match=re.escape("usage_epsilon is 2.0, but it is a probability; give a number in 0..1")
    ):
        DNCMemory(2, 2, usage_epsilon=2.0)


def test_a_tolerance_of_usages_is_a_difference_of_usages():
    with pytest.raises(
        ValueError,
        match=re.escape("usage_tolerance is -1.0, but it is a difference of usages; give a number from 0 to below 1"),
    ):
        DNCMemory(2, 2, usage_tolerance=-1.0)
