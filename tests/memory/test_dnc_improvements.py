"""Later improvements of the memory of the Differentiable Neural Computer, each alone."""

import dataclasses
import re

import pytest
import torch

from memtape import ops
from memtape.core.state import NoState
from memtape.memory import DNCInterface, DNCMemory, LinkExponents, LookUpMasks, Normalised, ProgramOptions

BATCH, SLOTS, WIDTH, HIDDEN = 2, 6, 4, 3
F64 = torch.float64


def control_of(reads=1, writes=1, **options):
    interface = DNCInterface(HIDDEN, WIDTH, read_heads=reads, write_heads=writes, **options).double()
    return interface(2 * torch.randn(BATCH, HIDDEN, dtype=F64))


def after_some_steps(memory, reads=1, writes=1, **options):
    state = memory.init_state(BATCH, dtype=F64)
    for _ in range(SLOTS + 1):
        _, state = memory(control_of(reads, writes, **options), state)
    return state


def test_masked_heads_compare_masked_keys_and_slots():
    memory = DNCMemory(SLOTS, WIDTH, read_heads=2, links="none")
    state, control = after_some_steps(memory, 2, links=False, masked=True), control_of(2, links=False, masked=True)
    _, after = memory(dataclasses.replace(control, allocation_gates=torch.zeros(BATCH, 1, dtype=F64)), state)

    def looked_up(contents, key, strength, mask):
        similarity = torch.cosine_similarity(contents * mask[:, None], (key * mask)[:, None], dim=-1)
        return torch.softmax(strength[:, None] * similarity, dim=-1)

    for head in (0, 1):
        expected = looked_up(
            after.memory, control.read_keys[:, head], control.read_strengths[:, head], control.masks.read[:, head]
        )
        torch.testing.assert_close(after.read_weights[:, head], expected)
    expected = looked_up(
        state.memory, control.write_keys[:, 0], control.write_strengths[:, 0], control.masks.write[:, 0]
    )
    torch.testing.assert_close(after.write_weights[:, 0], control.write_gates * expected)


def test_masks_of_ones_change_nothing_and_without_masks_there_are_none():
    memory, control = DNCMemory(SLOTS, WIDTH), control_of()
    state = after_some_steps(memory)
    assert isinstance(control.masks, NoState)
    ones = torch.ones(BATCH, 1, WIDTH, dtype=F64)
    masked = dataclasses.replace(control, masks=LookUpMasks(read=ones, write=ones))
    torch.testing.assert_close(memory(masked, state)[0], memory(control, state)[0])


def test_a_floor_raises_every_mask():
    interface = DNCInterface(HIDDEN, WIDTH, read_heads=2, masked=True)
    raised = DNCInterface(HIDDEN, WIDTH, read_heads=2, masked=True, mask_floor=0.25)
    raised.load_state_dict(interface.state_dict())
    hidden = 50 * torch.randn(BATCH, HIDDEN)
    for name, heads in (("read", 2), ("write", 1)):
        mask, higher = (getattr(control(hidden).masks, name) for control in (interface, raised))
        assert mask.shape == (BATCH, heads, WIDTH)
        torch.testing.assert_close(higher, 0.25 + 0.75 * mask)
        assert mask.min() < 0.01


def test_deallocation_erases_freed_slots_before_the_write():
    memory, plain = DNCMemory(SLOTS, WIDTH, read_heads=2, deallocate=True), DNCMemory(SLOTS, WIDTH, read_heads=2)
    state, control = after_some_steps(plain, 2), control_of(2)
    _, after = memory(control, state)
    _, kept = plain(control, state)
    retained = torch.prod(1 - control.free_gates[:, :, None] * state.read_weights, dim=1)
    erased = ops.erase_and_add(state.memory * retained[:, :, None], kept.write_weights, control.erase, control.add)
    torch.testing.assert_close(after.memory, erased)
    assert torch.equal(after.write_weights, kept.write_weights)
    assert not torch.allclose(after.memory, kept.memory)


def test_a_freed_slot_is_empty_only_if_it_is_deallocated():
    everywhere, nowhere = (torch.full((BATCH, 1), value, dtype=F64) for value in (1.0, 0.0))
    control = dataclasses.replace(control_of(), free_gates=everywhere, write_gates=nowhere)
    for deallocate in (True, False):
        memory = DNCMemory(SLOTS, WIDTH, deallocate=deallocate)
        state = after_some_steps(memory)
        at_slot_2 = torch.eye(SLOTS, dtype=F64)[None, 2:3].expand(BATCH, -1, -1)
        _, after = memory(control, dataclasses.replace(state, read_weights=at_slot_2))
        assert bool(after.memory[:, 2].any()) != deallocate
        assert not after.usage[:, 2].any()
        others = [slot for slot in range(SLOTS) if slot != 2]
        assert torch.equal(after.memory[:, others], state.memory[:, others])


def test_sharpened_links_are_powers_of_the_links():
    memory = DNCMemory(SLOTS, WIDTH, read_heads=2, write_heads=2)
    state = after_some_steps(memory, 2, 2)
    control = control_of(2, 2, sharpen_links=True)
    _, after = memory(control, state)
    backward, forward = ops.follow_links(after.links.links, state.read_weights)

    def sharp(weights, exponents):
        powers = ((weights + 1e-6) / (weights + 1e-6).amax(-1, keepdim=True)) ** exponents[..., None]
        return powers / powers.sum(-1, keepdim=True)

    backward, forward = sharp(backward, control.exponents.backward), sharp(forward, control.exponents.forward)
    content = ops.content_weights(after.memory, control.read_keys, control.read_strengths)
    pi = control.read_modes[..., None]
    expected = pi[:, :, 2] * content
    for writer in (0, 1):
        expected = expected + pi[:, :, writer] * backward[:, :, writer] + pi[:, :, 3 + writer] * forward[:, :, writer]
    torch.testing.assert_close(after.read_weights, expected)
    torch.testing.assert_close(after.read_weights.sum(-1), torch.ones(BATCH, 2, dtype=F64))


def test_exponents_are_initialised_to_1_for_each_direction_and_pair_of_heads():
    control = control_of(3, 2, sharpen_links=True)
    for exponents in (control.exponents.backward, control.exponents.forward):
        assert exponents.shape == (BATCH, 3, 2)
        assert exponents.min() > 1
    assert isinstance(control_of().exponents, NoState)
    ones = torch.ones(BATCH, 1, 1, dtype=F64)
    memory, plain = DNCMemory(SLOTS, WIDTH), control_of()
    state = after_some_steps(memory)
    links = memory(plain, state)[1].read_weights
    same = memory(dataclasses.replace(plain, exponents=LinkExponents(backward=ones, forward=ones)), state)[
        1
    ].read_weights
    assert not torch.allclose(links, same)  # powers of 1 are still normalised to a sum of 1


def test_without_links_heads_read_by_content_alone_and_have_fewer_parameters(equal_up_to_rounding):
    memory = DNCMemory(SLOTS, WIDTH, read_heads=2, links="none")
    state, control = after_some_steps(memory, 2, links=False), control_of(2, links=False)
    assert isinstance(state.links, NoState)
    _, after = memory(control, state)
    content = ops.content_weights(after.memory, control.read_keys, control.read_strengths)
    equal_up_to_rounding(after.read_weights, content)
    size = sum(DNCInterface(HIDDEN, WIDTH, read_heads=2, links=False).head_parameters.sizes)
    assert size == (3 + 2) * WIDTH + 2 * 2 + 3
    assert torch.equal(control.read_modes, torch.ones(BATCH, 2, 1, dtype=F64))


def test_sparse_links_with_open_gates_read_like_dense_ones():
    dense, sparse = DNCMemory(SLOTS, WIDTH), DNCMemory(SLOTS, WIDTH, links="sparse", link_size=2)
    open_gates = dict.fromkeys(("allocation_gates", "write_gates"), torch.ones(BATCH, 1, dtype=F64))
    states = [memory.init_state(BATCH, dtype=F64) for memory in (dense, sparse)]
    for _ in range(SLOTS):
        control = dataclasses.replace(control_of(), **open_gates, free_gates=torch.zeros(BATCH, 1, dtype=F64))
        (reads, states[0]), (same, states[1]) = dense(control, states[0]), sparse(control, states[1])
        torch.testing.assert_close(same, reads)
    assert states[1].links.values.shape == (BATCH, 1, SLOTS, 2)


def test_sparse_links_with_any_gates_equal_dense_ones_if_none_is_dropped():
    dense, sparse = (
        DNCMemory(SLOTS, WIDTH, write_heads=2),
        DNCMemory(SLOTS, WIDTH, write_heads=2, links="sparse", link_size=10**9),
    )
    states = [memory.init_state(BATCH, dtype=F64) for memory in (dense, sparse)]
    for _ in range(8):
        control = control_of(1, 2)
        (reads, states[0]), (same, states[1]) = dense(control, states[0]), sparse(control, states[1])
        torch.testing.assert_close(same, reads)


def test_a_closed_write_gate_does_not_change_sparse_links():
    memory = DNCMemory(SLOTS, WIDTH, links="sparse", link_size=50)
    state = after_some_steps(memory)
    _, after = memory(dataclasses.replace(control_of(), write_gates=torch.zeros(BATCH, 1, dtype=F64)), state)
    assert state.links.values.any()
    for name in ("values", "places", "precedence"):
        assert torch.equal(getattr(after.links, name).sort(-1).values, getattr(state.links, name).sort(-1).values)


def test_sparse_links_take_memory_in_proportion_to_the_slots():
    def numbers(slots):
        links = DNCMemory(slots, WIDTH, links="sparse").init_state(1).links
        return links.values.numel() + links.places.numel() + links.precedence.numel()

    assert numbers(2000) == 2 * numbers(1000) == 2000 * (2 * 8 + 1)


def test_the_epsilons_of_a_look_up_are_those_of_other_implementations():
    memory, control = torch.randn(BATCH, SLOTS, WIDTH, dtype=F64), control_of(2, links=False)
    memory[:, 0], memory[:, 1] = 0, 1e-4 * memory[:, 1]
    for norm, product in ((1e-6, 1e-6), (1e-12, 1e-6), (1e-3, 0.0)):
        products = torch.einsum("bhw,bnw->bhn", control.read_keys, memory)
        of_keys, of_slots = (torch.sqrt(v.square().sum(-1) + norm) for v in (control.read_keys, memory))
        scores = products / (of_keys[:, :, None] * of_slots[:, None] + product) * control.read_strengths[..., None]
        actual = ops.content_weights(
            memory, control.read_keys, control.read_strengths, norm_epsilon=norm, product_epsilon=product
        )
        torch.testing.assert_close(actual, torch.softmax(scores, dim=-1), rtol=1e-12, atol=0)


def test_a_normalised_interface_reads_a_hidden_vector_of_mean_0_and_variance_1():
    interface = Normalised(DNCInterface(HIDDEN, WIDTH), HIDDEN).double()
    hidden = torch.randn(BATCH, HIDDEN, dtype=F64)
    with torch.no_grad():
        interface.norm.weight.copy_(torch.tensor([1.0, 2, 3]))
        interface.norm.bias.copy_(torch.tensor([0.1, 0.2, 0.3]))
    centred = hidden - hidden.mean(-1, keepdim=True)
    normal = centred / torch.sqrt(centred.square().mean(-1, keepdim=True) + 1e-5)
    expected = interface.interface(normal * torch.tensor([1.0, 2, 3]) + torch.tensor([0.1, 0.2, 0.3]))
    torch.testing.assert_close(interface(hidden).read_keys, expected.read_keys)
    torch.testing.assert_close(
        interface(1e3 * hidden + 7).write_gates, interface(hidden).write_gates, rtol=1e-3, atol=1e-3
    )


@pytest.mark.parametrize(
    ("part", "options", "sentence"),
    [
        (DNCMemory, {"link_size": 3}, "link_size is 3, but links are 'dense'; leave it out or choose \"sparse\""),
        (DNCMemory, {"links": "sparse", "link_size": 0}, "link_size is 0, but it must be at least 1"),
        (DNCMemory, {"links": "some"}, "links is 'some', but it must be one of 'dense', 'sparse', 'none'"),
        (DNCMemory, {"norm_epsilon": 0.0}, "norm_epsilon is 0.0, but it must be finite and above 0"),
        (
            DNCMemory,
            {"product_epsilon": -1.0},
            "product_epsilon is -1.0, but it is added to a product of two",
        ),
        (
            DNCInterface,
            {"mask_floor": 0.1},
            "mask_floor is 0.1, but there are no masks; leave it at 0 or set masked",
        ),
        (DNCInterface, {"masked": True, "mask_floor": 2.0}, "mask_floor is 2.0, but it is a probability"),
        (
            DNCInterface,
            {"sharpen_links": True, "links": False},
            "sharpen_links is set, but there are no links; leave it out or keep links",
        ),
        (
            DNCInterface,
            {"bias": False, "programs": ProgramOptions()},
            "bias is False, but stored programs have biases; leave one of the two out",
        ),
        (
            DNCInterface,
            {"bias": False, "initial_strength": 2.0},
            "initial_strength is 2.0, but it is a bias and there are none; leave it out or keep the biases",
        ),
    ],
)
def test_invalid_options_are_refused(part, options, sentence, shapes_unchecked):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        part(3, 2, **options)
