"""Laws of every external memory with slots."""

import dataclasses

import pytest
import torch

from memtape import tree
from memtape.memory import (
    ContentInterface,
    ContentMemory,
    DNCInterface,
    DNCMemory,
    LeastUsedControl,
    LeastUsedInterface,
    LeastUsedMemory,
    SparseAccessInterface,
    SparseAccessMemory,
    SparseComputerInterface,
    SparseComputerMemory,
    TuringInterface,
    TuringMemory,
)

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


def sam(**options):
    return SparseAccessMemory(SLOTS, WIDTH, **({"heads": 2, "nearest": 3, "initial_memory": "random"} | options))


def sdnc():
    return SparseComputerMemory(SLOTS, WIDTH, heads=2, nearest=3, links=SLOTS, initial_memory="random")


def lrua(**options):
    return LeastUsedMemory(SLOTS, WIDTH, **({"heads": 2, "initial_memory": "random"} | options))


def of_heads(interface_class):
    """Return an interface of heads that read and write, with the arguments of interfaces of separate read and write
    heads.
    """

    def build(hidden, width, *, read_heads, write_heads, squash):
        assert read_heads == write_heads
        return interface_class(hidden, width, heads=read_heads, squash=squash)

    return build


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
    ("sam", sam, of_heads(SparseAccessInterface)),
    ("dam", lambda: sam(nearest=None, usage="discounted"), of_heads(SparseAccessInterface)),
    ("sdnc", sdnc, of_heads(SparseComputerInterface)),
    ("lrua", lrua, of_heads(LeastUsedInterface)),
    ("lrua-uniform", lambda: lrua(initial_weights="uniform", usage_decay=0.5), of_heads(LeastUsedInterface)),
]
SPARSE = (SparseAccessMemory, SparseComputerMemory, LeastUsedMemory)
"""The memories whose heads write to the slots that they read last, or to the least used ones."""


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
    """Return the weights of all heads; others compute their write weights from their read weights."""
    return torch.cat([state.read_weights, getattr(state, "write_weights", state.read_weights[:, :0])], dim=1)


def with_values(control, **changes):
    """Return the control with other values; the control of the SDNC contains that of SAM."""
    if hasattr(control, "access"):
        return dataclasses.replace(control, access=dataclasses.replace(control.access, **changes))
    return dataclasses.replace(control, **changes)


def one_hot(heads, slot):
    weights = torch.zeros(BATCH, heads, SLOTS, dtype=torch.float64)
    weights[:, :, slot] = 1
    return weights


def staying(control):
    """Return the control without shift and sharpening, so that a Turing head equals a content head."""
    if not hasattr(control, "kernel"):
        return control
    ones, kernel = torch.ones_like(control.gates), torch.zeros_like(control.kernel)
    kernel[..., kernel.shape[-1] // 2] = 1
    return dataclasses.replace(control, gates=ones, kernel=kernel, exponents=ones)


def test_weights_sum_to_1_or_less_if_a_head_may_skip_a_step(parts):
    memory, state, control = parts
    for moved in (memory.address(control, state), memory(control, state)[1]):
        weights = weights_of(moved)
        assert (weights >= 0).all()
        if isinstance(memory, DNCMemory | SparseComputerMemory):
            assert (weights.sum(-1) <= 1 + 1e-12).all()
        else:
            torch.testing.assert_close(weights.sum(-1), torch.ones_like(weights[..., 0]))


def test_a_step_is_address_write_and_read_in_order(parts):
    memory, state, control = parts
    reads, after = memory(control, state)
    if getattr(memory, "sequential_heads", False):
        pytest.skip("heads in sequence have no separate parts of address, write and read")
    if isinstance(memory, DNCMemory):
        pytest.skip("read and write heads are addressed at different times; see tests/memory")
    if isinstance(memory, SPARSE):
        written = memory.write(control, state)
        addressed = memory.address(control, written)
        assert torch.equal(after.memory, written.memory)
        assert torch.equal(weights_of(after), weights_of(addressed))
        assert torch.equal(reads, memory.read(addressed))
        assert not torch.allclose(reads, memory.read(memory.address(control, state)))
        return
    addressed = memory.address(control, state)
    written = memory.write(control, addressed)
    assert torch.equal(after.memory, written.memory)
    assert torch.equal(weights_of(after), weights_of(addressed))
    expected, other = (addressed, written) if memory.read_first else (written, addressed)
    assert torch.equal(reads, memory.read(expected))
    assert not torch.allclose(reads, memory.read(other))


def test_addressing_keeps_the_contents_and_writing_keeps_the_weights(parts):
    memory, state, control = parts
    assert torch.equal(memory.address(control, state).memory, state.memory)
    written = memory.write(control, state)
    assert torch.equal(weights_of(written), weights_of(state))
    assert not torch.allclose(written.memory, state.memory)


def writing_to_slot_3(control, state, item):
    """Return a control and a state with which the first head writes an item to slot 3, and the slots that no head
    writes to.
    """
    if not hasattr(state, "write_weights"):  # each head clears one of the least used slots and writes to it
        usage = torch.tensor([3.0, 2.0, 5.0, 1.0, 4.0], dtype=torch.float64).expand(BATCH, -1)
        gates = torch.zeros(BATCH, 2, dtype=torch.float64)
        words = torch.cat([item, torch.zeros_like(item)], dim=1)
        opened = {"write_gates": gates + 1} if not isinstance(control, LeastUsedControl) else {}
        control = with_values(control, add=words, gates=gates, **opened)
        return control, dataclasses.replace(state, usage=usage), [0, 2, 4]
    erase, add = torch.zeros_like(control.erase), torch.zeros_like(control.add)
    erase[:, 0], add[:, :1] = 1, item
    return (
        with_values(control, erase=erase, add=add),
        dataclasses.replace(state, write_weights=one_hot(2, 3)),
        [0, 1, 2, 4],
    )


def test_an_item_written_to_one_slot_is_read_back(parts):
    memory, state, control = parts
    item = torch.randn(BATCH, 1, WIDTH, dtype=torch.float64)
    state = dataclasses.replace(state, read_weights=one_hot(2, 3))
    control, state, others = writing_to_slot_3(control, state, item)
    written = memory.write(control, state)
    torch.testing.assert_close(memory.read(written), item.expand(-1, 2, -1).flatten(1), rtol=0, atol=0)
    assert torch.equal(written.memory[:, others], state.memory[:, others])


def test_writing_nothing_changes_nothing(parts):
    memory, state, control = parts
    if isinstance(memory, SPARSE):
        pytest.skip("the least used slots are cleared in every step")
    nothing = {"erase": torch.zeros_like(control.erase), "add": torch.zeros_like(control.add)}
    if isinstance(memory, DNCMemory):
        nothing["free_gates"] = torch.zeros_like(control.free_gates)
    _, after = memory(with_values(control, **nothing), state)
    assert torch.equal(after.memory, state.memory)


def links_in_order(links, order):
    """Return the links of permuted slots, for a matrix, lists of one or both directions, or no links."""
    place = torch.argsort(order).to(torch.float64)
    if not tree.leaves(links):
        return links
    if hasattr(links, "links"):
        matrix = links.links[..., order, :][..., order]
        return dataclasses.replace(links, links=matrix, precedence=links.precedence[..., order])
    if hasattr(links, "last"):
        lists = {name: getattr(links, name) for name in ("before", "after", "last")}
        lists = {name: dataclasses.replace(one, places=place[one.places.long()]) for name, one in lists.items()}
        for name in ("before", "after"):
            places, weights = lists[name].places[:, order], lists[name].weights[:, order]
            lists[name] = dataclasses.replace(lists[name], places=places, weights=weights)
        return dataclasses.replace(links, **lists)
    places = place.to(links.places)[links.places[:, :, order].long()]
    return dataclasses.replace(
        links, values=links.values[:, :, order], places=places, precedence=links.precedence[..., order]
    )


def with_slots_in_order(state, order):
    """Return the state with its slots and all values per slot permuted."""
    parts = {"memory": state.memory[:, order]}
    if hasattr(state, "usage"):
        names = [name for name in ("read_weights", "write_weights", "usage") if hasattr(state, name)]
        parts |= {name: getattr(state, name)[..., order] for name in names}
    if hasattr(state, "links"):
        parts["links"] = links_in_order(state.links, order)
    return dataclasses.replace(state, **parts)


def test_a_look_up_does_not_depend_on_the_order_of_the_slots(parts):
    memory, state, control = parts
    if isinstance(memory, SPARSE):  # of equally used slots the first are replaced
        usage = torch.tensor([3.0, 1.0, 5.0, 2.0, 4.0], dtype=torch.float64).expand(BATCH, -1)
        state = dataclasses.replace(state, usage=usage)
    control, order = staying(control), torch.tensor([3, 0, 4, 1, 2])
    reads, after = memory(control, state)
    reads_shuffled, after_shuffled = memory(control, with_slots_in_order(state, order))
    torch.testing.assert_close(reads_shuffled, reads)
    torch.testing.assert_close(after_shuffled.memory, after.memory[:, order])
    torch.testing.assert_close(weights_of(after_shuffled), weights_of(after)[:, :, order])


def test_the_tape_is_a_ring(parts):
    memory, state, control = parts
    if isinstance(memory, (DNCMemory, *SPARSE)):
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


def test_equal_slots_stay_equal_if_addressing_ignores_their_position(parts):
    memory, state, control = parts
    if isinstance(memory, DNCMemory):
        pytest.skip("free slots are allocated in order and become different")
    if isinstance(memory, SPARSE):
        pytest.skip("of equally used slots the first are replaced and become different")
    equal_slots = dataclasses.replace(
        state,
        memory=state.memory[:, :1].expand(-1, SLOTS, -1),
        read_weights=torch.full_like(state.read_weights, 1 / SLOTS),
        write_weights=torch.full_like(state.write_weights, 1 / SLOTS),
    )
    _, after = memory(control, equal_slots)
    torch.testing.assert_close(after.memory, after.memory[:, :1].expand(-1, SLOTS, -1))


@pytest.mark.parametrize("scale", [0.0, 1e4, 1e30])
def test_any_hidden_vector_gives_finite_values_and_gradients_in_float32(scale):
    plain = ("turing", "content", "dnc", "sam", "dam", "sdnc", "lrua")
    for build, interface_class in [case[1:] for case in MEMORIES if case[0] in plain]:
        memory, interface = build(), interface_class(HIDDEN, WIDTH, squash=False, **HEADS)
        state = memory.init_state(BATCH, dtype=torch.float32)
        for _ in range(3):
            reads, state = memory(interface(scale * torch.randn(BATCH, HIDDEN)), state)
        assert reads.isfinite().all()
        (reads.sum() + state.memory.sum()).backward()
        for parameter in [*interface.parameters(), *memory.parameters()]:
            assert parameter.grad.isfinite().all()


def test_views_are_finite_arrays_in_their_range_with_the_shape_that_their_axes_name(parts):
    memory, state, control = parts
    views = memory.views(control, state)
    assert {"adds", "reads", "write_weights", "read_weights", "contents"} <= {view.name for view in views}
    for view in views:
        assert view.values.shape[0] == BATCH
        assert view.values.isfinite().all()
        least, most = view.range
        assert view.values.min() >= least - 1e-12
        assert view.values.max() <= most + 1e-12
        for name, size in zip(view.axes, view.values.shape[1:], strict=True):
            assert size == {"head": 2, "slot": SLOTS, "width": WIDTH}.get(name.split()[-1], size)


def test_views_have_unique_names(parts):
    memory, state, control = parts
    views = memory.views(control, state)
    for names in ([view.name for view in views], [view.title for view in views]):
        assert len(set(names)) == len(names)


def test_views_are_those_of_the_current_step(parts):
    memory, state, control = parts
    reads, after = memory(control, state)
    views = {view.name: view.values for view in memory.views(control, state)}
    assert torch.equal(views["reads"].flatten(1), reads)
    assert torch.equal(views["read_weights"], after.read_weights)
    assert torch.equal(views["contents"], after.memory)
    assert torch.equal(views["write_weights"], getattr(after, "write_weights", views["write_weights"]))
