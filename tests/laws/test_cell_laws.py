"""Laws of every cell over sequences; conftest.py lists the cells."""

import pytest
import torch
from torch.func import functional_call
from torch.utils._pytree import tree_map

from memtape import Recurrent, tree, unroll
from memtape.cells.conditioned import ConditionedState
from memtape.core.backends import backend_for
from memtape.core.growth import aligned
from memtape.memory import (
    ContentState,
    LeastUsedState,
    LimitedStackState,
    LinkLists,
    NondeterministicStackState,
    SparseAccessState,
    SparseComputerState,
    TapeState,
)

# test_cell_forms.py tests the same cells under other conditions
pytestmark = pytest.mark.usefixtures("shapes_unchecked")

BATCH, TIME = 3, 6

SHOWN_BUT_NOT_USED = {
    # A content memory computes its weights in each step; the state holds them for inspection only.
    ContentState: {"memory.read_weights", "memory.write_weights"},
    # A tape is stored from the cell under its head on; where the head is, is shown only.
    TapeState: {"memory.head_weights"},
    # The scale of all weights, from which they can be computed, has no effect on the reading.
    NondeterministicStackState: {"memory.exponent"},
    LimitedStackState: {"memory.exponent"},
}

# Integers, for which a small change has no effect: functions that return another value, by the name of the part.
INTEGERS = {"count": lambda counts: counts + 1, "places": lambda places: places.flip(-1)}
RANKED = (SparseAccessState, SparseComputerState, LeastUsedState)  # for whose usage only the order matters
CONSTANT = {
    # A context vector is the same for the whole sequence.
    ConditionedState: {"context"},
}


def skip_without_full_gradients(cell):
    """Skip a cell without the full gradient, which finite differences would detect."""
    if not all(getattr(part, "usage_gradient", True) for part in cell.modules()):
        pytest.skip("the cell stops the gradient of the write weights at the usage; another of CELLS does not")
    if any(isinstance(part, LinkLists) for part in cell.modules()):
        pytest.skip("the SDNC's links have no gradient; tests/memory/test_sparse_computer.py checks the others")


def same(first, second, **tolerance):
    """Compare within rounding, or within the given tolerance; a fused kernel sums in another order than single steps."""
    stepped = backend_for("cpu") == "reference"
    torch.testing.assert_close(
        first, second, **(tolerance if tolerance and stepped else {"rtol": 1e-10, "atol": 1e-12})
    )


def same_state(first, second, **tolerance):
    """Compare states, of which one may have more empty cells."""
    first, second = aligned([first, second])
    same(tree.named_tensors(first), tree.named_tensors(second), **tolerance)


def chosen(state, places):
    return tree_map(lambda leaf: leaf[places], state)


def total(ys, state):
    """Return a weighted sum of all outputs and all parts of the state, with a different factor for each entry."""
    parts = [ys, *tree.leaves(state)]
    return sum(
        (part * torch.linspace(1, 2, part.numel(), dtype=part.dtype).reshape(part.shape)).sum() for part in parts
    )


def gradients(cell, ys, state):
    parameters = dict(cell.named_parameters())
    found = torch.autograd.grad(total(ys, state), list(parameters.values()), allow_unused=True, retain_graph=True)
    return dict(zip(parameters, found, strict=True))


def test_two_halves_equal_the_whole(cell, xs):
    whole, last, _ = unroll(cell, xs)
    first, middle, _ = unroll(cell, xs[:, :2])
    second, end, _ = unroll(cell, xs[:, 2:], middle)
    same(torch.cat([first, second], dim=1), whole)
    same_state(end, last)


def test_no_state_is_the_initial_state_bit_for_bit(cell, xs):
    ys, last, _ = unroll(cell, xs)
    by_hand, end, _ = unroll(cell, xs, cell.init_state(BATCH, device=xs.device, dtype=xs.dtype))
    assert torch.equal(ys, by_hand)
    same_state(end, last, rtol=0, atol=0)


def test_a_loop_over_steps_equals_the_run(cell, xs):
    state = cell.init_state(BATCH, dtype=xs.dtype)
    ys, last, _ = unroll(cell, xs)
    for t in range(TIME):
        y, state = cell(xs[:, t], state)
        same(y, ys[:, t])
    same_state(state, last)


def test_rows_of_a_batch_are_independent(cell, xs):
    ys, last, _ = unroll(cell, xs)
    for row in range(BATCH):
        alone, end, _ = unroll(cell, xs[row : row + 1])
        same(alone, ys[row : row + 1])
        same_state(end, tree.rows(last, row, row + 1))


def test_gradients_do_not_cross_rows(cell, xs):
    xs = xs.requires_grad_()
    ys, last, _ = unroll(cell, xs)
    first_row = ys[0].sum() + sum(leaf[0].sum() for leaf in tree.leaves(last))
    (gradient,) = torch.autograd.grad(first_row, xs)
    assert gradient[0].abs().sum() > 0
    assert not gradient[1:].any()


@pytest.mark.parametrize("before", ["ordinary", "huge"])
def test_a_start_forgets_everything_before_it(cell, xs, before):
    if before == "huge":
        xs[:, :3] *= 1e30
    xs = xs.requires_grad_()
    starts = torch.zeros(BATCH, TIME, dtype=torch.bool)
    starts[:, 3] = True
    ys, last, _ = unroll(cell, xs, starts=starts)
    fresh, end, _ = unroll(cell, xs[:, 3:])
    same(ys[:, 3:], fresh)
    same_state(last, end)
    (gradient,) = torch.autograd.grad(total(ys[:, 3:], last), xs)
    assert gradient.isfinite().all()
    assert not gradient[:, :3].any()


def test_starts_of_a_row_do_not_affect_other_rows(cell, xs):
    starts = torch.zeros(BATCH, TIME, dtype=torch.bool)
    starts[1, 2] = starts[2, 5] = True
    ys, _, _ = unroll(cell, xs, starts=starts)
    same(ys[0], unroll(cell, xs)[0][0])
    same(ys[1, 2:], unroll(cell, xs[1:2, 2:])[0][0])
    same(ys[2, :5], unroll(cell, xs[2:, :5])[0][0])
    same(ys[2, 5:], unroll(cell, xs[2:, 5:])[0][0])


def test_a_start_forgets_even_a_state_of_nan(cell, xs):
    initial = cell.init_state(BATCH, dtype=xs.dtype)
    broken = tree.from_named_tensors(
        {name: leaf * torch.nan for name, leaf in tree.named_tensors(initial).items()}, initial
    )
    starts = torch.zeros(BATCH, TIME, dtype=torch.bool)
    starts[:, 0] = True
    ys, last, _ = unroll(cell, xs, broken, starts=starts)
    fresh, end, _ = unroll(cell, xs)
    same(ys, fresh)
    same_state(last, end)


@pytest.mark.parametrize("garbage", [float("nan"), 1e30])
def test_padding_has_no_influence_on_state_or_gradient(cell, xs, garbage):
    lengths = torch.tensor([2, TIME, 1])
    padded = xs.clone()
    for row, length in enumerate(lengths):
        padded[row, length:] = garbage
    padded.requires_grad_()
    ys, last, _ = unroll(cell, padded, lengths=lengths)

    alone = [unroll(cell, xs[row : row + 1, :length]) for row, length in enumerate(lengths)]
    for row, length in enumerate(lengths):
        same(ys[row, :length], alone[row][0][0])
        assert not ys[row, length:].any()
    together = tree.cat([end for _, end, _ in alone], axis=0)
    same_state(last, together)

    joined = torch.stack([torch.cat([y[0], y.new_zeros(TIME - y.shape[1], y.shape[2])]) for y, _, _ in alone])
    same(gradients(cell, ys, last), gradients(cell, joined, together))
    (into_inputs,) = torch.autograd.grad(total(ys, last), padded)
    assert into_inputs.isfinite().all()
    for row, length in enumerate(lengths):
        assert not into_inputs[row, length:].any()


def test_a_row_of_length_0_keeps_its_state(cell, xs):
    initial = unroll(cell, xs[:, :1])[1]
    ys, last, _ = unroll(cell, xs, initial, lengths=torch.tensor([2, 0, TIME]))
    assert not ys[1].any()
    same_state(tree.rows(last, 1, 2), tree.rows(initial, 1, 2), rtol=0, atol=0)


def test_full_lengths_change_nothing(cell, xs):
    ys, last, _ = unroll(cell, xs)
    with_lengths, end, _ = unroll(cell, xs, lengths=torch.full((BATCH,), TIME))
    same(with_lengths, ys)
    same_state(end, last)


def test_a_step_does_not_modify_the_old_state(cell, xs):
    for state in (cell.init_state(BATCH, dtype=xs.dtype), unroll(cell, xs)[1]):
        before = {name: leaf.detach().clone() for name, leaf in tree.named_tensors(state).items()}
        inputs = xs[:, 0].clone()
        cell(inputs, state)
        same(tree.named_tensors(tree.detach(state)), before, rtol=0, atol=0)
        assert torch.equal(inputs, xs[:, 0])


def test_a_step_stores_nothing_in_the_module(cell, xs):
    before = {name: value.clone() for name, value in cell.state_dict().items()}
    first = unroll(cell, xs)[0]
    second = unroll(cell, xs)[0]
    assert torch.equal(first, second)
    same(cell.state_dict(), before, rtol=0, atol=0)


def test_every_part_of_the_state_changes(cell, xs):
    state = unroll(cell, xs[:, :3])[1]
    state, moved = aligned([state, cell(xs[:, 3], state)[1]])
    after, exempt = tree.named_tensors(moved), CONSTANT.get(type(state), set())
    assert exempt <= set(after)
    for name, old in tree.named_tensors(state).items():
        if name in exempt:
            assert torch.equal(old, after[name]), name
            continue
        for row in range(BATCH):
            assert not torch.allclose(old[row], after[name][row], rtol=1e-6, atol=1e-9), name


def test_every_part_of_the_state_influences_later_outputs(cell, xs):
    state = unroll(cell, xs[:, :3])[1]
    exempt = SHOWN_BUT_NOT_USED.get(type(getattr(state, "memory", None)), set())
    parts = tree.named_tensors(tree.detach(state))
    assert exempt <= set(parts)
    expected = unroll(cell, xs[:, 3:], state)[0]
    for name, leaf in parts.items():
        if name.endswith("memory.usage") and isinstance(getattr(state, "machine", state).memory, RANKED):
            other = leaf.amax(-1, keepdim=True) - leaf
        else:
            other = INTEGERS.get(name.split(".")[-1], lambda leaf: leaf + 0.1 * torch.rand_like(leaf))(leaf)
        actual = unroll(cell, xs[:, 3:], tree.from_named_tensors(parts | {name: other}, state))[0]
        assert torch.allclose(actual, expected, rtol=1e-9) == (name in exempt), name


def test_every_parameter_has_a_gradient(cell, xs):
    ys, last, _ = unroll(cell, xs)
    for name, gradient in gradients(cell, ys, last).items():
        assert gradient is not None, name
        assert gradient.isfinite().all(), name
        assert gradient.any(), name


def test_gradients_match_finite_differences(cell, xs):
    skip_without_full_gradients(cell)
    runner = Recurrent(cell)
    names = [name for name, _ in runner.named_parameters()]
    values = [parameter.detach().clone().requires_grad_() for parameter in runner.parameters()]

    def run(xs, *parameters):
        ys, last = functional_call(runner, dict(zip(names, parameters, strict=True)), (xs,))
        return ys, *[leaf for leaf in tree.leaves(last) if leaf.requires_grad]

    inputs = xs[:2, :3].clone().requires_grad_()
    assert torch.autograd.gradcheck(run, [inputs, *values], fast_mode=True)


def test_gradients_into_the_state_match_finite_differences(cell, xs):
    skip_without_full_gradients(cell)
    state = tree.detach(unroll(cell, xs[:2, :2])[1])
    parts = tree.named_tensors(state)
    names = [name for name in parts if name.split(".")[-1] not in INTEGERS]
    if not names:
        pytest.skip("the cell has no state")
    values = [parts[name].requires_grad_() for name in names]

    def run(*leaves):
        initial = tree.from_named_tensors(parts | dict(zip(names, leaves, strict=True)), state)
        ys, last, _ = unroll(cell, xs[:2, 2:4], initial)
        return ys, *[leaf for leaf in tree.leaves(last) if leaf.requires_grad]

    assert torch.autograd.gradcheck(run, values, fast_mode=True)


@pytest.mark.parametrize("every", [1, 4])
def test_recomputation_changes_neither_values_nor_gradients(cell, xs, every):
    options = {"lengths": torch.tensor([2, TIME, 4]), "collect": lambda state: state}
    plain, last, trace = unroll(cell, xs, **options)
    again, end, kept = unroll(cell, xs, checkpoint_every=every, **options)
    same(again, plain)
    same_state(end, last)
    same_state(kept, trace)
    same(gradients(cell, again, end), gradients(cell, plain, last))


def test_a_whole_state_can_be_collected(cell, xs):
    lengths = torch.tensor([2, TIME, 4])
    _, last, trace = unroll(cell, xs, lengths=lengths, collect=lambda state: state)
    assert type(trace) is type(last)
    same_state(chosen(trace, (slice(None), -1)), last, rtol=0, atol=0)
    for t in range(TIME):
        until = unroll(cell, xs[:, : t + 1], lengths=lengths.clamp(max=t + 1))[1]
        same_state(chosen(trace, (slice(None), t)), until)


def test_a_detached_state_cuts_the_graph(cell, xs):
    xs = xs.requires_grad_()
    _, middle, _ = unroll(cell, xs[:, :3])
    second, last, _ = unroll(cell, xs[:, 3:], tree.detach(middle))
    (gradient,) = torch.autograd.grad(total(second, last), xs, retain_graph=True)
    assert not gradient[:, :3].any()
    assert gradient[:, 3:].any()
    if tree.leaves(middle):
        uncut = unroll(cell, xs[:, 3:], middle)
        (gradient,) = torch.autograd.grad(total(*uncut[:2]), xs)
        assert gradient[:, :3].any()
