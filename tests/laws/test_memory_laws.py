"""Laws that every external memory of slots obeys."""

import dataclasses

import pytest
import torch

from memtape import tree
from memtape.memory import ContentInterface, ContentMemory, DNCInterface, DNCMemory, TuringInterface, TuringMemory

BATCH, SLOTS, WIDTH, HIDDEN = 2, 5, 3, 4
HEADS = {"read_heads": 2, "write_heads": 2}


def turing(**options):
    return TuringMemory(SLOTS, WIDTH, **(HEADS | {"initial_memory": "random"} | options))


def content(**options):
    return ContentMemory(SLOTS, WIDTH, **(HEADS | {"initial_memory": "random"} | options))


def dnc(**options):
    return DNCMemory(SLOTS, WIDTH, **(HEADS | {"initial_memory": "random"} | options))


def dnc_improved(*args, **options):
    return DNCInterface(*args, **options, masked=True, sharpen_links=True)


def dnc_by_content(*args, **options):
    return DNCInterface(*args, **options, links=False)


MEMORIES = [
    ("turing", turing, TuringInterface),
    ("turing-write-first", lambda: turing(read_first=False, initial_weights="one-hot"), TuringInterface),
    ("turing-sequential", lambda: turing(sequential_heads=True, initial_weights="zeros"), TuringInterface),
    ("turing-dot", lambda: turing(similarity="dot", initial_weights="uniform"), TuringInterface),
    ("content", content, ContentInterface),
    ("content-write-first", lambda: content(read_first=False, similarity="dot"), ContentInterface),
    ("dnc", dnc, DNCInterface),
    ("dnc-improved", lambda: dnc(deallocate=True), dnc_improved),
    ("dnc-sparse", lambda: dnc(links="sparse", link_size=50), DNCInterface),
    ("dnc-content", lambda: dnc(links="none"), dnc_by_content),
]


@pytest.fixture(params=[case[1:] for case in MEMORIES], ids=[case[0] for case in MEMORIES])
def parts(request):
    """A memory in float64, its state after a few steps, and a control for the next one."""
    build, interface_class = request.param
    memory = build().double()
    interface = interface_class(HIDDEN, WIDTH, squash=False, **HEADS).double()
    state = memory.init_state(BATCH, dtype=torch.float64)
    for _ in range(3):
        _, state = memory(interface(torch.randn(BATCH, HIDDEN, dtype=torch.float64)), state)
    return memory, state, interface(torch.randn(BATCH, HIDDEN, dtype=torch.float64))


def weights_of(state):
    return torch.cat([state.read_weights, state.write_weights], dim=1)


def one_hot(heads, slot):
    weights = torch.zeros(BATCH, heads, SLOTS, dtype=torch.float64)
    weights[:, :, slot] = 1
    return weights


def staying(control):
    """Return the control with neither step nor sharpening: a Turing head then does as a content head does."""
    if not hasattr(control, "kernel"):
        return control
    ones, kernel = torch.ones_like(control.gates), torch.zeros_like(control.kernel)
    kernel[..., kernel.shape[-1] // 2] = 1
    return dataclasses.replace(control, gates=ones, kernel=kernel, exponents=ones)


def test_weights_are_a_distribution_or_less_where_a_head_may_leave_out_a_step(parts):
    memory, state, control = parts
    for moved in (memory.address(control, state), memory(control, state)[1]):
        weights = weights_of(moved)
        assert (weights >= 0).all()
        if isinstance(memory, DNCMemory):
            assert (weights.sum(-1) <= 1 + 1e-12).all()
        else:
            torch.testing.assert_close(weights.sum(-1), torch.ones_like(weights[..., 0]))


def test_a_step_is_address_write_and_read_in_its_order(parts):
    memory, state, control = parts
    reads, after = memory(control, state)
    if getattr(memory, "sequential_heads", False):
        pytest.skip("heads that act one after another have no such three parts")
    if isinstance(memory, DNCMemory):
        pytest.skip("the heads move at two times, before and after the write; tests/memory has its order")
    addressed = memory.address(control, state)
    written = memory.write(control, addressed)
    assert torch.equal(after.memory, written.memory)
    assert torch.equal(weights_of(after), weights_of(addressed))
    expected, other = (addressed, written) if memory.read_first else (written, addressed)
    assert torch.equal(reads, memory.read(expected))
    assert not torch.allclose(reads, memory.read(other))


def test_addressing_leaves_the_contents_and_writing_leaves_the_heads(parts):
    memory, state, control = parts
    assert torch.equal(memory.address(control, state).memory, state.memory)
    written = memory.write(control, state)
    assert torch.equal(weights_of(written), weights_of(state))
    assert not torch.allclose(written.memory, state.memory)


def test_an_item_written_to_one_slot_is_read_back(parts):
    memory, state, control = parts
    item = torch.randn(BATCH, 1, WIDTH, dtype=torch.float64)
    erase, add = torch.zeros_like(control.erase), torch.zeros_like(control.add)
    erase[:, 0], add[:, :1] = 1, item
    state = dataclasses.replace(state, read_weights=one_hot(2, 3), write_weights=one_hot(2, 3))
    written = memory.write(dataclasses.replace(control, erase=erase, add=add), state)
    torch.testing.assert_close(memory.read(written), item.expand(-1, 2, -1).flatten(1), rtol=0, atol=0)
    others = [slot for slot in range(SLOTS) if slot != 3]
    assert torch.equal(written.memory[:, others], state.memory[:, others])


def test_writing_nothing_changes_nothing(parts):
    memory, state, control = parts
    nothing = {"erase": torch.zeros_like(control.erase), "add": torch.zeros_like(control.add)}
    if isinstance(memory, DNCMemory):
        nothing["free_gates"] = torch.zeros_like(control.free_gates)
    _, after = memory(dataclasses.replace(control, **nothing), state)
    assert torch.equal(after.memory, state.memory)


def with_slots_in_order(state, order):
    """Return the state of a DNC whose slots stand in another order, with all that is known of them."""
    if not tree.leaves(state.links):
        links = state.links
    elif hasattr(state.links, "links"):
        links = dataclasses.replace(
            state.links,
            links=state.links.links[..., order, :][..., order],
            precedence=state.links.precedence[..., order],
        )
    else:
        place = torch.argsort(order).to(state.links.places)
        links = dataclasses.replace(
            state.links,
            values=state.links.values[:, :, order],
            places=place[state.links.places[:, :, order].long()],
            precedence=state.links.precedence[..., order],
        )
    weights = {name: getattr(state, name)[..., order] for name in ("read_weights", "write_weights", "usage")}
    return dataclasses.replace(state, memory=state.memory[:, order], links=links, **weights)


def test_a_look_up_does_not_care_about_the_order_of_the_slots(parts):
    memory, state, control = parts
    control, order = staying(control), torch.tensor([3, 0, 4, 1, 2])
    reads, after = memory(control, state)
    shuffled = dataclasses.replace(state, memory=state.memory[:, order])
    if isinstance(memory, DNCMemory):
        shuffled = with_slots_in_order(state, order)
    reads_shuffled, after_shuffled = memory(control, shuffled)
    torch.testing.assert_close(reads_shuffled, reads)
    torch.testing.assert_close(after_shuffled.memory, after.memory[:, order])
    torch.testing.assert_close(weights_of(after_shuffled), weights_of(after)[:, :, order])


def test_the_tape_is_a_ring(parts):
    memory, state, control = parts
    if isinstance(memory, DNCMemory):
        pytest.skip("its slots have no neighbours")
    reads, after = memory(control, state)
    turned = dataclasses.replace(
        state,
        memory=state.memory.roll(2, dims=1),
        read_weights=state.read_weights.roll(2, dims=2),
        write_weights=state.write_weights.roll(2, dims=2),
    )
    reads_turned, after_turned = memory(control, turned)
    torch.testing.assert_close(reads_turned, reads)
    torch.testing.assert_close(after_turned.memory, after.memory.roll(2, dims=1))
    torch.testing.assert_close(weights_of(after_turned), weights_of(after).roll(2, dims=2))


def test_slots_that_are_alike_stay_alike_without_a_place_to_tell_them_apart(parts):
    memory, state, control = parts
    if isinstance(memory, DNCMemory):
        pytest.skip("free slots are taken one after another, and so told apart")
    alike = dataclasses.replace(
        state,
        memory=state.memory[:, :1].expand(-1, SLOTS, -1),
        read_weights=torch.full_like(state.read_weights, 1 / SLOTS),
        write_weights=torch.full_like(state.write_weights, 1 / SLOTS),
    )
    _, after = memory(control, alike)
    torch.testing.assert_close(after.memory, after.memory[:, :1].expand(-1, SLOTS, -1))


@pytest.mark.parametrize("scale", [0.0, 1e4, 1e30])
def test_any_hidden_vector_gives_finite_values_and_gradients_in_float32(scale):
    for build, interface_class in ((turing, TuringInterface), (content, ContentInterface), (dnc, DNCInterface)):
        memory, interface = build(), interface_class(HIDDEN, WIDTH, squash=False, **HEADS)
        state = memory.init_state(BATCH, dtype=torch.float32)
        for _ in range(3):
            reads, state = memory(interface(scale * torch.randn(BATCH, HIDDEN)), state)
        assert reads.isfinite().all()
        (reads.sum() + state.memory.sum()).backward()
        for parameter in [*interface.parameters(), *memory.parameters()]:
            assert parameter.grad.isfinite().all()


def turing_control(**changes):
    """Return a control whose gate, kernel and exponent leave a Turing head where it is."""
    heads = torch.ones(BATCH, 4, dtype=torch.float64)
    kernel = torch.tensor([0, 1, 0], dtype=torch.float64).expand(BATCH, 4, 3)
    control = TuringInterface(HIDDEN, WIDTH, **HEADS).double()(torch.randn(BATCH, HIDDEN, dtype=torch.float64))
    return dataclasses.replace(control, **({"gates": 0 * heads, "kernel": kernel, "exponents": heads} | changes))


def turing_state():
    state = turing().double().init_state(BATCH, dtype=torch.float64)
    weights = torch.rand(BATCH, 4, SLOTS, dtype=torch.float64)
    weights = weights / weights.sum(-1, keepdim=True)
    return dataclasses.replace(state, read_weights=weights[:, :2], write_weights=weights[:, 2:])


def test_a_turing_head_whose_gates_are_all_zero_stays():
    state = turing_state()
    moved = turing().double().address(turing_control(), state)
    torch.testing.assert_close(weights_of(moved), weights_of(state), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize(("kernel", "step"), [([0.0, 0.0, 1.0], 1), ([1.0, 0.0, 0.0], -1)])
def test_a_turing_head_walks_along_the_tape(kernel, step):
    state, memory = turing_state(), turing().double()
    control = turing_control(kernel=torch.tensor(kernel, dtype=torch.float64).expand(BATCH, 4, 3))
    begin = weights_of(state)
    for steps in range(1, SLOTS + 1):
        state = memory.address(control, state)
        torch.testing.assert_close(weights_of(state), begin.roll(step * steps, dims=2), rtol=1e-8, atol=1e-10)


def test_an_open_gate_forgets_where_a_turing_head_was():
    state, memory = turing_state(), turing().double()
    control = turing_control(gates=torch.ones(BATCH, 4, dtype=torch.float64))
    elsewhere = dataclasses.replace(state, read_weights=one_hot(2, 0), write_weights=one_hot(2, 4))
    assert torch.equal(weights_of(memory.address(control, state)), weights_of(memory.address(control, elsewhere)))
