"""The content memory, the initial slots of memories, and the interface layer of the heads."""

import math

import pytest
import torch

from memtape import ops
from memtape.memory import ContentControl, ContentInterface, ContentMemory, TuringMemory
from memtape.memory.control import HeadParameters
from memtape.memory.slots import InitialSlots

BATCH, SLOTS, WIDTH, HIDDEN = 2, 6, 4, 3
F64 = torch.float64


def random_control(reads, writes):
    return ContentControl(
        keys=torch.randn(BATCH, reads + writes, WIDTH, dtype=F64),
        strengths=3 * torch.rand(BATCH, reads + writes, dtype=F64),
        erase=torch.rand(BATCH, writes, WIDTH, dtype=F64),
        add=torch.randn(BATCH, writes, WIDTH, dtype=F64),
    )


@pytest.mark.parametrize("similarity", ["cosine", "dot"])
@pytest.mark.parametrize("read_first", [True, False])
def test_a_step_is_query_softmax_read_and_erase_and_add(read_first, similarity):
    memory = ContentMemory(
        SLOTS, WIDTH, read_heads=2, similarity=similarity, read_first=read_first, initial_memory="random"
    ).double()
    control, state = random_control(2, 1), memory.init_state(BATCH, dtype=F64)
    reads, after = memory(control, state)
    weights = ops.content_weights(state.memory, control.keys, control.strengths, similarity=similarity)
    written = ops.erase_and_add(state.memory, weights[:, 2:], control.erase, control.add)
    torch.testing.assert_close(after.read_weights, weights[:, :2])
    torch.testing.assert_close(after.write_weights, weights[:, 2:])
    torch.testing.assert_close(after.memory, written)
    seen = state.memory if read_first else written
    expected = torch.cat([weights[:, head, None] @ seen for head in range(2)], dim=-1)[:, 0]
    torch.testing.assert_close(reads, expected)


def test_every_head_starts_with_uniform_weights():
    state = ContentMemory(SLOTS, WIDTH, write_heads=2).init_state(BATCH)
    torch.testing.assert_close(state.read_weights, torch.full((BATCH, 1, SLOTS), 1 / SLOTS))
    torch.testing.assert_close(state.write_weights, torch.full((BATCH, 2, SLOTS), 1 / SLOTS))


def test_the_interface_maps_every_parameter_to_its_range():
    control = ContentInterface(HIDDEN, WIDTH, read_heads=2, write_heads=3)(10 * torch.randn(50, HIDDEN))
    assert control.keys.shape == (50, 5, WIDTH)
    assert control.keys.abs().max() <= 1
    assert control.strengths.min() >= 0
    assert control.strengths.max() > 1
    assert 0 <= control.erase.min() < control.erase.max() <= 1
    assert control.erase.shape == control.add.shape == (50, 3, WIDTH)
    assert control.add.abs().max() <= 1


def test_the_interface_applies_the_documented_activations():
    raw = [0.5, 9.0, 1.0, -1.0, 0.0, 5.0]
    squashed, linear = (ContentInterface(1, 1, squash=squash, clip=8.0) for squash in (True, False))
    for interface in (squashed, linear):
        with torch.no_grad():
            interface.head_parameters.linear.weight.zero_()
            interface.head_parameters.linear.bias.copy_(torch.tensor(raw))
    control, plain = squashed(torch.zeros(1, 1)), linear(torch.zeros(1, 1))
    torch.testing.assert_close(control.keys[0, :, 0], torch.tensor([math.tanh(0.5), math.tanh(8)]))
    torch.testing.assert_close(plain.keys[0, :, 0], torch.tensor([0.5, 8]))
    for one in (control, plain):
        torch.testing.assert_close(one.strengths[0], torch.tensor([1.3132617, 0.3132617]))
        torch.testing.assert_close(one.erase[0, :, 0], torch.tensor([0.5]))
    torch.testing.assert_close(control.add[0, :, 0], torch.tensor([math.tanh(5)]))
    torch.testing.assert_close(plain.add[0, :, 0], torch.tensor([5.0]))


def test_a_constant_memory_is_1e_6_everywhere_and_not_learned():
    slots = InitialSlots(SLOTS, WIDTH, "constant")
    assert torch.equal(slots(BATCH), torch.full((BATCH, SLOTS, WIDTH), 1e-6))
    assert not list(slots.parameters())
    assert not slots.state_dict()


def test_a_random_memory_is_drawn_once_kept_and_saved_but_not_learned():
    slots = InitialSlots(500, WIDTH, "random")
    contents = slots(BATCH)
    assert torch.equal(contents, slots(BATCH))
    assert torch.equal(contents[0], contents[1])
    assert not list(slots.parameters())
    assert torch.equal(slots.state_dict()["contents"], contents[0])
    assert contents.abs().max() < 1
    spread = torch.atanh(contents[0].double()).std()
    assert abs(float(spread) - 0.5) < 0.03
    assert not torch.equal(InitialSlots(500, WIDTH, "random")(1)[0], contents[0])


def test_a_learned_memory_is_the_tanh_of_its_parameters():
    slots = InitialSlots(SLOTS, WIDTH, "learned")
    assert torch.equal(slots(BATCH)[1], torch.tanh(slots.bias))
    slots(BATCH).sum().backward()
    assert slots.bias.grad.all()


@pytest.mark.parametrize("memory_class", [ContentMemory, TuringMemory])
@pytest.mark.parametrize("kind", ["constant", "learned", "random"])
def test_a_memory_starts_with_its_initial_slots(memory_class, kind):
    memory = memory_class(SLOTS, WIDTH, initial_memory=kind)
    assert memory.initial_slots.kind == kind
    assert torch.equal(memory.init_state(BATCH).memory, memory.initial_slots(BATCH))


def test_head_parameters_are_one_linear_layer_split_into_named_blocks():
    layer = HeadParameters(HIDDEN, {"first": torch.tensor([1.0, 2.0]), "second": torch.tensor([3.0])}, clip=None)
    assert torch.equal(layer.linear.bias, torch.tensor([1.0, 2.0, 3.0]))
    hidden = torch.randn(BATCH, HIDDEN)
    raw, whole = layer(hidden), layer.linear(hidden)
    assert list(raw) == ["first", "second"]
    assert torch.equal(raw["first"], whole[:, :2])
    assert torch.equal(raw["second"], whole[:, 2:])


@pytest.mark.parametrize("clip", [0.0, -1.0, float("nan")])
def test_a_clip_must_be_positive(clip):
    with pytest.raises(ValueError, match=f"clip is {clip}, but it is a bound and must be positive; give None"):
        ContentInterface(HIDDEN, WIDTH, clip=clip)


@pytest.mark.parametrize("name", ["slots", "width", "read_heads", "write_heads"])
def test_a_memory_needs_sizes_of_at_least_1(name):
    with pytest.raises(ValueError, match=f"{name} of ContentMemory is 0, but it must be at least 1"):
        ContentMemory(**({"slots": 2, "width": 2} | {name: 0}))


@pytest.mark.parametrize("name", ["hidden_size", "width", "read_heads", "write_heads"])
def test_an_interface_needs_sizes_of_at_least_1(name):
    with pytest.raises(ValueError, match=f"{name} of .* is 0, but it must be at least 1"):
        ContentInterface(**({"hidden_size": 2, "width": 2} | {name: 0}))


@pytest.mark.parametrize("option", ["similarity", "initial_memory"])
def test_an_unknown_choice_is_refused(option, shapes_unchecked):
    with pytest.raises(ValueError, match=f"{option} is 'none', but it must be one of "):
        ContentMemory(2, 2, **{option: "none"})
