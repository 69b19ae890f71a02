"""Stack, queue and deque of items with strengths: published numbers, scalar loops, and plain lists."""

import random
from collections import deque

import pytest
import torch

from memtape.memory import StrengthStack, StrengthStackControl, StrengthStackInterface
from memtape.memory.depth import DepthError
from memtape.memory.strength_stack import PUSHED_AT, READ_AT

F64 = torch.float64
BATCH = 3


def tensor(values):
    return torch.tensor([values], dtype=F64)


def one_end(value, pop, push):
    return StrengthStackControl(values=tensor([[value]]), push=tensor([push]), pop=tensor([pop]))


def two_ends(value_bottom, push_bottom, pop_bottom, value_top, push_top, pop_top):
    return StrengthStackControl(
        values=tensor([[value_top], [value_bottom]]),
        push=tensor([push_top, push_bottom]),
        pop=tensor([pop_top, pop_bottom]),
    )


def run(access, controls):
    memory, reads = StrengthStack(1, access=access), []
    state = memory.init_state(1, dtype=F64)
    for control in controls:
        read, state = memory(control, state)
        reads.append(read)
    return torch.cat(reads), state


def leaves_of(controls):
    return [leaf.requires_grad_() for control in controls for leaf in (control.values, control.pop, control.push)]


SHORT = [(1, 0, 0.8), (2, 0.1, 0.5), (3, 0.9, 0.9)]
LONG = [(1, 0, 0.7), (-2, 0.25, 0.6), (4, 0.5, 0.2), (0.5, 0.3, 0.1)]


@pytest.mark.parametrize(
    ("access", "strengths", "reads", "slopes"),
    [
        ("stack", [0.3, 0, 0.9], [0.8, 1.5, 2.8], [0.1, 0, 0, 0, 0, 0, 0.9, 0, 2]),
        ("queue", [0, 0.3, 0.9], [0.8, 1.3, 2.7], [0, 0, -1, 0.3, 1, -1, 0.7, 1, 0]),
    ],
)
def test_three_steps_have_the_computed_reads_and_gradients(access, strengths, reads, slopes):
    controls = [one_end(*step) for step in SHORT]
    leaves = leaves_of(controls)
    found, state = run(access, controls)
    assert state.strengths[0, 0].flip(0).tolist() == pytest.approx(strengths)
    assert found.flatten().tolist() == pytest.approx(reads)
    gradients = torch.autograd.grad(found[2].sum(), leaves)
    assert [slope.item() for slope in gradients] == pytest.approx(slopes)


@pytest.mark.parametrize(
    ("access", "strengths", "reads", "slopes"),
    [
        ("stack", [0.45, 0, 0, 0.1], [0.7, -0.8, 1.05, 0.5], [4.65, 0, 8, 1.5, -7, -12, 0.6, 6, 12, 0.4, 0, 2]),
        ("queue", [0, 0.25, 0.2, 0.1], [0.7, -0.65, -0.3, 0.35], [1.6, 0, -7, 3.75, 8, -14, 1.4, 14, 28, 0.4, 8, 2]),
    ],
)
def test_four_steps_have_the_computed_reads_and_gradients(access, strengths, reads, slopes):
    controls = [one_end(*step) for step in LONG]
    leaves = leaves_of(controls)
    found, state = run(access, controls)
    assert state.strengths[0, 0].flip(0).tolist() == pytest.approx(strengths)
    assert found.flatten().tolist() == pytest.approx(reads)
    loss = (found.flatten() * torch.arange(1, 5)).sum()
    assert [slope.item() for slope in torch.autograd.grad(loss, leaves)] == pytest.approx(slopes)


def test_a_deque_has_the_computed_reads():
    steps = [(10, 0.3, 0, 1, 0.8, 0), (20, 0.2, 0.4, 2, 0.5, 0.1), (30, 0.6, 0.1, 3, 0.4, 0.7)]
    reads, state = run("deque", [two_ends(*step) for step in steps])
    torch.testing.assert_close(reads, torch.tensor([[2.8, 3.7], [1.5, 5], [6.6, 20.3]], dtype=F64))
    top, bottom = state.strengths[0]
    assert [*bottom.tolist(), *top.flip(0).tolist()] == pytest.approx([0.6, 0.1, 0, 0.4, 0, 0.4])
    top, bottom = state.values[0, ..., 0]
    assert [*bottom.tolist(), *top.flip(0).tolist()] == [30, 20, 10, 1, 2, 3]


@pytest.mark.parametrize(
    ("last", "reads", "slopes"),
    [((3, 1, 1), [1, 2, 3], [0, 0, 3]), ((3, 1, 0), [1, 2, 1], [1, 0, 3])],
)
def test_at_ties_the_gradients_are_those_of_the_first_arguments(last, reads, slopes):
    controls = [one_end(1, 0, 1), one_end(2, 0, 1), one_end(*last)]
    leaves = leaves_of(controls)
    found, _ = run("stack", controls)
    assert found.flatten().tolist() == reads
    gradients = torch.autograd.grad(found[2].sum(), leaves)
    assert [slope.item() for slope in gradients[2::3]] == slopes
    assert not any(slope.any() for slope in gradients[1::3])


@pytest.mark.parametrize("access", ["stack", "queue", "deque"])
def test_strengths_of_0_and_1_are_exactly_those_of_python(access):
    chosen, memory, plain = random.Random(1), StrengthStack(1, access=access), deque()
    state = memory.init_state(1, dtype=F64)
    for number in range(1, 80):
        pops = [chosen.randrange(2) for _ in READ_AT[access]]
        pushes = [chosen.randrange(2) for _ in PUSHED_AT[access]]
        values = [number, -number][: len(pushes)]
        for end, pop in zip(READ_AT[access], pops, strict=True):
            if pop and plain:
                (plain.pop if end == "top" else plain.popleft)()
        for end, push, value in zip(PUSHED_AT[access], pushes, values, strict=True):
            if push:
                (plain.append if end == "top" else plain.appendleft)(value)
        control = StrengthStackControl(
            values=tensor([[value] for value in values]), push=tensor(pushes), pop=tensor(pops)
        )
        read, state = memory(control, state)
        expected = [(plain[-1] if end == "top" else plain[0]) if plain else 0 for end in READ_AT[access]]
        assert read[0].tolist() == expected


def random_control(access, width):
    pushes, pops = len(PUSHED_AT[access]), len(READ_AT[access])
    return StrengthStackControl(
        values=torch.randn(BATCH, pushes, width, dtype=F64),
        push=torch.rand(BATCH, pushes, dtype=F64),
        pop=torch.rand(BATCH, pops, dtype=F64),
    )


@pytest.mark.parametrize("access", ["stack", "queue", "deque"])
def test_a_step_is_pop_push_and_read(access):
    memory = StrengthStack(2, access=access)
    _, state = memory(random_control(access, 2), memory.init_state(BATCH, dtype=F64))
    given = random_control(access, 2)
    reads, after = memory(given, state)
    popped = memory.address(given, state)
    assert torch.equal(popped.values, state.values)
    assert (popped.strengths <= state.strengths).all()
    written = memory.write(given, popped)
    assert torch.equal(written.strengths, after.strengths)
    assert torch.equal(written.values[:, :, 1:], state.values)
    assert torch.equal(memory.read(written), reads)
    assert reads.shape == (BATCH, memory.read_size)


@pytest.mark.parametrize("access", ["stack", "queue", "deque"])
def test_empty_items_at_the_end_have_no_effect(access):
    memory, given = StrengthStack(2, access=access), random_control(access, 2)
    _, state = memory(random_control(access, 2), memory.init_state(BATCH, dtype=F64))
    room = type(state)(
        values=torch.nn.functional.pad(state.values, (0, 0, 0, 3)),
        strengths=torch.nn.functional.pad(state.strengths, (0, 3)),
    )
    reads, after = memory(given, state)
    same, larger = memory(given, room)
    torch.testing.assert_close(same, reads)
    torch.testing.assert_close(larger.strengths[..., :2], after.strengths)
    assert not larger.strengths[..., 2:].any()


def test_more_items_with_strength_than_the_limit_are_refused():
    memory = StrengthStack(1, max_depth=2)
    state = memory.init_state(1, dtype=F64)
    for step in ((1, 0, 0.5), (2, 0, 0.5)):
        _, state = memory(one_end(*step), state)
    memory(one_end(3, 1, 0.5), state)  # the first two are popped
    with pytest.raises(DepthError, match=r"more than 2 .* max_depth is 2"):
        memory(one_end(3, 0.4, 0.5), state)


@pytest.mark.parametrize(("access", "pushes", "pops"), [("stack", 1, 1), ("queue", 1, 1), ("deque", 2, 2)])
def test_the_interface_stores_before_it_pops(access, pushes, pops):
    interface = StrengthStackInterface(4, 3, access=access)
    given = interface(torch.zeros(5, 4))
    assert given.values.shape == (5, pushes, 3)
    torch.testing.assert_close(given.push, torch.full((5, pushes), 0.5))
    torch.testing.assert_close(given.pop, torch.full((5, pops), 1 / (1 + torch.e)))
    given = interface(100 * torch.randn(50, 4))
    assert given.values.abs().max() <= 1
    assert 0 <= given.push.min() < given.push.max() <= 1


def test_the_views_of_a_stack_show_the_items_in_the_order_of_their_pushes():
    memory = StrengthStack(1)
    state = memory.init_state(1, dtype=F64)
    for step in SHORT[:2]:
        _, state = memory(one_end(*step), state)
    room = type(state)(
        values=torch.nn.functional.pad(state.values, (0, 0, 0, 2)),
        strengths=torch.nn.functional.pad(state.strengths, (0, 2)),
    )
    for before in (state, room):
        views = {view.name: view for view in memory.views(one_end(*SHORT[2]), before)}
        assert list(views) == ["actions", "strengths", "read_coefficients", "reads", "contents"]
        assert views["actions"].values[0].tolist() == [0.9, 0.9]
        assert views["strengths"].values[0, :3].tolist() == pytest.approx([0.3, 0, 0.9])
        assert views["read_coefficients"].values[0, :3].tolist() == pytest.approx([0.1, 0, 0.9])
        assert views["contents"].values[0, :3, 0].tolist() == [1, 2, 3]
        assert not views["strengths"].values[0, 3:].any()
        assert views["reads"].values.item() == pytest.approx(2.8)


def test_the_views_of_a_deque_have_a_head_for_each_end():
    memory = StrengthStack(2, access="deque")
    given, state = random_control("deque", 2), memory.init_state(BATCH, dtype=F64)
    views = {view.name: view for view in memory.views(given, state)}
    assert views["actions"].entries == ("push top", "push bottom", "pop top", "pop bottom")
    assert views["strengths"].heads == 2
    torch.testing.assert_close(views["strengths"].values[..., 0], given.push)
    assert views["reads"].values.shape == (BATCH, 2, 2)
    assert views["contents"].values.shape == (BATCH, 2, 1, 2)


def test_an_unknown_access_and_sizes_below_1_are_refused(shapes_unchecked):
    for build in (lambda: StrengthStack(2, access="heap"), lambda: StrengthStackInterface(2, 2, access="heap")):
        with pytest.raises(
            ValueError, match="access is 'heap', but it must be one of 'stack', 'queue', 'deque'; choose"
        ):
            build()
    with pytest.raises(ValueError, match="width of StrengthStack is 0, but it must be at least 1"):
        StrengthStack(0)
    with pytest.raises(ValueError, match="max_depth is 0, but it must be at least 1"):
        StrengthStack(2, max_depth=0)
