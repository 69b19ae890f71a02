"""The tape: the initial positions of its heads, the order of their actions, and their interface."""

import dataclasses
import re

import pytest
import torch

from memtape import ops
from memtape.memory import TuringControl, TuringInterface, TuringMemory, TuringState

BATCH, SLOTS, WIDTH, HIDDEN = 2, 6, 4, 3
F64 = torch.float64


def random_control(reads, writes):
    heads = reads + writes
    return TuringControl(
        keys=torch.randn(BATCH, heads, WIDTH, dtype=F64),
        strengths=3 * torch.rand(BATCH, heads, dtype=F64),
        gates=torch.rand(BATCH, heads, dtype=F64),
        kernel=torch.softmax(torch.randn(BATCH, heads, 3, dtype=F64), dim=-1),
        exponents=1 + torch.rand(BATCH, heads, dtype=F64),
        erase=torch.rand(BATCH, writes, WIDTH, dtype=F64),
        add=torch.randn(BATCH, writes, WIDTH, dtype=F64),
    )


def random_state(reads, writes):
    weights = torch.softmax(torch.randn(BATCH, reads + writes, SLOTS, dtype=F64), dim=-1)
    memory = torch.randn(BATCH, SLOTS, WIDTH, dtype=F64)
    return TuringState(memory=memory, read_weights=weights[:, :reads], write_weights=weights[:, reads:])


def one_head(control, place, writer=None):
    """Return the control of one head alone."""
    heads = {
        name: getattr(control, name)[:, place : place + 1]
        for name in ("keys", "strengths", "gates", "kernel", "exponents")
    }
    writers = {name: getattr(control, name)[:, writer : writer + 1] for name in ("erase", "add") if writer is not None}
    return dataclasses.replace(control, **heads, **writers)


def test_addressing_is_look_up_blend_step_and_sharpen_in_this_order(equal_up_to_rounding):
    memory, control, state = TuringMemory(SLOTS, WIDTH, read_heads=2), random_control(2, 1), random_state(2, 1)
    content = ops.content_weights(state.memory, control.keys, control.strengths)
    before = torch.cat([state.read_weights, state.write_weights], dim=1)
    blended = ops.interpolate(content, before, control.gates)
    expected = ops.sharpen(ops.shift(blended, control.kernel), control.exponents)
    moved = memory.address(control, state)
    equal_up_to_rounding(moved.read_weights, expected[:, :2])
    equal_up_to_rounding(moved.write_weights, expected[:, 2:])


@pytest.mark.parametrize("read_first", [True, False])
def test_together_all_heads_erase_before_any_adds(read_first):
    memory = TuringMemory(SLOTS, WIDTH, write_heads=2, read_first=read_first)
    control, state = random_control(1, 2), random_state(1, 2)
    reads, after = memory(control, state)
    w, e, a = after.write_weights[..., None], control.erase[:, :, None], control.add[:, :, None]
    expected = state.memory * (1 - w[:, 0] * e[:, 0]) * (1 - w[:, 1] * e[:, 1]) + w[:, 0] * a[:, 0] + w[:, 1] * a[:, 1]
    torch.testing.assert_close(after.memory, expected)
    seen = state.memory if read_first else expected
    torch.testing.assert_close(reads, torch.einsum("bn,bnw->bw", after.read_weights[:, 0], seen))


@pytest.mark.parametrize("read_first", [True, False])
def test_in_sequence_each_head_acts_on_the_memory_after_the_previous_heads(read_first):
    memory = TuringMemory(SLOTS, WIDTH, read_heads=2, write_heads=2, sequential_heads=True, read_first=read_first)
    control, state = random_control(2, 2), random_state(2, 2)
    reads, after = memory(control, state)
    alone = TuringMemory(SLOTS, WIDTH)
    tape, seen = state.memory, []
    order = ["read", "write"] if read_first else ["write", "read"]
    for pair in (0, 1):
        for kind in order:
            place = pair if kind == "read" else 2 + pair
            now = TuringState(
                memory=tape,
                read_weights=state.read_weights[:, pair : pair + 1],
                write_weights=state.write_weights[:, pair : pair + 1],
            )
            single = one_head(control, place, pair)
            single = dataclasses.replace(
                single,
                **{
                    n: getattr(single, n).expand(-1, 2, *[-1] * (getattr(single, n).ndim - 2))
                    for n in ("keys", "strengths", "gates", "kernel", "exponents")
                },
            )
            moved = alone.address(single, now)
            if kind == "read":
                seen.append(alone.read(moved))
                torch.testing.assert_close(after.read_weights[:, pair], moved.read_weights[:, 0])
            else:
                tape = alone.write(single, moved).memory
                torch.testing.assert_close(after.write_weights[:, pair], moved.write_weights[:, 0])
    torch.testing.assert_close(after.memory, tape)
    torch.testing.assert_close(reads, torch.cat(seen, dim=-1))


def test_one_pair_of_heads_that_reads_first_is_the_same_in_sequence():
    control, state = random_control(1, 1), random_state(1, 1)
    reads, after = TuringMemory(SLOTS, WIDTH)(control, state)
    reads_in_turn, after_in_turn = TuringMemory(SLOTS, WIDTH, sequential_heads=True)(control, state)
    torch.testing.assert_close(reads_in_turn, reads)
    torch.testing.assert_close(after_in_turn.memory, after.memory)


def test_the_heads_start_at_the_positions_of_the_option():
    def initial(kind):
        state = TuringMemory(SLOTS, WIDTH, read_heads=2, initial_weights=kind).init_state(BATCH)
        return torch.cat([state.read_weights, state.write_weights], dim=1)

    assert torch.equal(initial("zeros"), torch.zeros(BATCH, 3, SLOTS))
    assert torch.equal(initial("one-hot"), torch.eye(SLOTS)[0].expand(BATCH, 3, -1))
    torch.testing.assert_close(initial("uniform"), torch.full((BATCH, 3, SLOTS), 1 / SLOTS))
    learned = initial("learned")
    torch.testing.assert_close(learned.sum(-1), torch.ones(BATCH, 3))
    assert (learned[..., 0] > 0.99).all()


def test_learned_initial_weights_of_128_slots_have_the_documented_distribution():
    state = TuringMemory(128, WIDTH).init_state(1)
    assert round(state.read_weights[0, 0, 0].item(), 3) == 0.994


def test_each_head_has_its_own_learned_position():
    memory = TuringMemory(SLOTS, WIDTH, read_heads=2, write_heads=2)
    with torch.no_grad():
        memory.initial_logits.copy_(torch.randn(4, SLOTS))
    expected = torch.softmax(memory.initial_logits, dim=-1)
    state = memory.init_state(BATCH)
    for row in range(BATCH):
        torch.testing.assert_close(torch.cat([state.read_weights[row], state.write_weights[row]]), expected)


def test_the_interface_maps_every_parameter_to_its_range():
    interface = TuringInterface(HIDDEN, WIDTH, read_heads=2, write_heads=3, shift_range=2)
    control = interface(10 * torch.randn(50, HIDDEN))
    assert control.keys.shape == (50, 5, WIDTH)
    assert control.keys.abs().max() <= 1
    assert control.strengths.min() >= 0
    assert control.strengths.max() > 1
    assert 0 <= control.gates.min() < control.gates.max() <= 1
    assert control.kernel.shape == (50, 5, 5)
    torch.testing.assert_close(control.kernel.sum(-1), torch.ones(50, 5))
    assert control.exponents.min() >= 1
    assert 0 <= control.erase.min() < control.erase.max() <= 1
    assert control.add.shape == (50, 3, WIDTH)
    assert control.add.abs().max() <= 1


def interface_of(raw, **options):
    """Build an interface with a given interface vector, and return its control."""
    interface = TuringInterface(1, 2, **options)
    with torch.no_grad():
        interface.head_parameters.linear.weight.zero_()
        interface.head_parameters.linear.bias.copy_(torch.tensor(raw))
    return interface(torch.zeros(1, 1))


RAW = [
    *[0.5, -1.0, 2.0, 30.0],
    *[1.0, -1.0],
    *[0.0, 2.0],
    *[1.0, 0, 0, 0, 0, 1],
    *[0.0, 3.0],
    *[0.0, 1.0],
    *[5.0, -0.5],
]


def test_the_interface_applies_the_activations_of_the_paper():
    control = interface_of(RAW, clip=None)
    torch.testing.assert_close(control.keys[0], torch.tensor([[0.4621172, -0.7615942], [0.9640276, 1.0]]))
    torch.testing.assert_close(control.strengths[0], torch.tensor([1.3132617, 0.3132617]))
    torch.testing.assert_close(control.gates[0], torch.tensor([0.5, 0.8807971]))
    softmax = [0.5761169, 0.2119416, 0.2119416]
    torch.testing.assert_close(control.kernel[0], torch.tensor([softmax, softmax[::-1]]))
    torch.testing.assert_close(control.exponents[0], torch.tensor([1.6931472, 4.0485874]))
    torch.testing.assert_close(control.erase[0], torch.tensor([[0.5, 0.7310586]]))
    torch.testing.assert_close(control.add[0], torch.tensor([[0.9999092, -0.4621172]]))


def test_without_squash_keys_and_added_vectors_are_linear():
    control, squashed = interface_of(RAW, squash=False, clip=None), interface_of(RAW, clip=None)
    assert torch.equal(control.keys[0], torch.tensor([[0.5, -1], [2, 30]]))
    assert torch.equal(control.add[0], torch.tensor([[5.0, -0.5]]))
    for name in ("strengths", "gates", "kernel", "exponents", "erase"):
        assert torch.equal(getattr(control, name), getattr(squashed, name))


def test_a_clip_bounds_every_entry_of_the_interface_vector():
    control = interface_of([100.0] * 20, squash=False, clip=3.0)
    assert torch.equal(control.keys, torch.full((1, 2, 2), 3.0))
    assert torch.equal(control.add, torch.full((1, 1, 2), 3.0))
    torch.testing.assert_close(control.strengths, torch.full((1, 2), 3.0485874))
    control = interface_of([-100.0] * 20, squash=False)
    assert torch.equal(control.keys, torch.full((1, 2, 2), -20.0))


def test_biases_are_initialised_by_their_options():
    hidden = torch.zeros(1, HIDDEN)
    options = {"read_heads": 1, "write_heads": 2, "shift_range": 2}
    plain = TuringInterface(HIDDEN, WIDTH, **options)(hidden)
    torch.testing.assert_close(plain.gates, torch.full((1, 3), 0.5))
    torch.testing.assert_close(plain.kernel, torch.full((1, 3, 5), 0.2))
    biases = {"gate_bias": -2.0, "sharpening_bias": 3.0, "write_shift_bias": 4.0, "read_stay_bias": 5.0}
    set_off = TuringInterface(HIDDEN, WIDTH, **biases, **options)(hidden)
    torch.testing.assert_close(set_off.gates, torch.full((1, 3), 0.1192029))
    torch.testing.assert_close(set_off.exponents, torch.full((1, 3), 4.0485874))
    stays = torch.softmax(torch.tensor([0.0, 0, 5, 0, 0]), dim=0)
    torch.testing.assert_close(set_off.kernel[0, 0], stays)
    expected = torch.softmax(torch.tensor([0.0, 0, 0, 4, 0]), dim=0)
    torch.testing.assert_close(set_off.kernel[0, 1:], expected.expand(2, -1))


@pytest.mark.parametrize("name", ["slots", "width", "read_heads", "write_heads"])
def test_a_memory_needs_sizes_of_at_least_1(name):
    with pytest.raises(ValueError, match=f"{name} of TuringMemory is 0, but it must be at least 1"):
        TuringMemory(**({"slots": 2, "width": 2} | {name: 0}))


@pytest.mark.parametrize("name", ["width", "read_heads", "write_heads", "shift_range"])
def test_an_interface_needs_sizes_of_at_least_1(name):
    with pytest.raises(ValueError, match=f"{name} of TuringInterface is 0, but it must be at least 1"):
        TuringInterface(**({"hidden_size": 2, "width": 2} | {name: 0}))


@pytest.mark.parametrize("option", ["similarity", "initial_memory", "initial_weights"])
def test_an_unknown_choice_is_refused(option, shapes_unchecked):
    with pytest.raises(ValueError, match=re.escape(f"{option} is 'none', but it must be one of ")):
        TuringMemory(2, 2, **{option: "none"})
