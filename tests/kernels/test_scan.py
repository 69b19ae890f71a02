"""The scan: declarations of linear steps, and its engines against single steps."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.utils import _pytree as pytree

from memtape import tree
from memtape.core.compiled_library import kernels
from memtape.core.starts import Starts
from memtape.core.state import state
from memtape.kernels.scan import ComplexDiagonal, Diagonal, LinearStep, chunkwise, complex_product, scan_on_cpu

F64 = torch.float64


@state
class Matrix(LinearStep[Tensor]):
    """A full matrix: s = A s + b."""

    decay: Tensor
    added: Tensor

    def then(self, later):
        added = (later.decay @ self.added[..., None])[..., 0] + later.added
        return Matrix(decay=later.decay @ self.decay, added=added)

    def apply(self, state):
        return (self.decay @ state[..., None])[..., 0] + self.added


@state
class DeltaRule(LinearStep[Tensor]):
    """Steps of DeltaNet, S = (I - beta k k^T) S + beta k v^T, for a state that is a matrix of keys by values."""

    erase: Tensor
    write: Tensor

    def then(self, later):
        return DeltaRule(erase=later.erase @ self.erase, write=later.erase @ self.write + later.write)

    def apply(self, state):
        return self.erase @ state + self.write


@state
class Stabilised:
    """The matrix memory of an mLSTM, divided by e to the power of a running maximum."""

    memory: Tensor
    maximum: Tensor


@state
class ExponentialGates(LinearStep[Stabilised]):
    """Steps of an mLSTM, C = f C + e^i v k^T, with everything kept in units of e to the power of a maximum."""

    log_forget: Tensor
    maximum: Tensor
    write: Tensor

    def then(self, later):
        maximum = torch.maximum(later.log_forget + self.maximum, later.maximum)
        kept = (later.log_forget + self.maximum - maximum).exp()[..., None, None] * self.write
        new = (later.maximum - maximum).exp()[..., None, None] * later.write
        return ExponentialGates(log_forget=later.log_forget + self.log_forget, maximum=maximum, write=kept + new)

    def apply(self, state):
        maximum = torch.maximum(self.log_forget + state.maximum, self.maximum)
        kept = (self.log_forget + state.maximum - maximum).exp()[..., None, None] * state.memory
        new = (self.maximum - maximum).exp()[..., None, None] * self.write
        return Stabilised(memory=kept + new, maximum=maximum)


def diagonal(batch, time):
    return Diagonal(decay=torch.rand(batch, time, 3, dtype=F64), added=torch.randn(batch, time, 3, dtype=F64)), 3


def constant_diagonal(batch, time):
    return Diagonal(decay=torch.rand(1, 1, 3, dtype=F64), added=torch.randn(batch, time, 3, dtype=F64)), 3


def complex_diagonal(batch, time):
    decay, added = 0.6 * torch.randn(2, batch, time, 2, 3, dtype=F64)
    return ComplexDiagonal(decay=decay, added=added), (2, 3)


def constant_complex_diagonal(batch, time):
    added = torch.randn(batch, time, 2, 3, dtype=F64)
    return ComplexDiagonal(decay=0.6 * torch.randn(1, 1, 2, 3, dtype=F64), added=added), (2, 3)


def matrix(batch, time):
    decay = 0.5 * torch.randn(batch, time, 3, 3, dtype=F64)
    return Matrix(decay=decay, added=torch.randn(batch, time, 3, dtype=F64)), 3


def delta_rule(batch, time):
    key = torch.nn.functional.normalize(torch.randn(batch, time, 3, 1, dtype=F64), dim=-2)
    strength, value = torch.rand(batch, time, 1, 1, dtype=F64), torch.randn(batch, time, 1, 2, dtype=F64)
    erase = torch.eye(3, dtype=F64) - strength * key @ key.mT
    return DeltaRule(erase=erase, write=strength * key @ value), (3, 2)


def exponential_gates(batch, time):
    forget, write = 3 * torch.randn(2, batch, time, dtype=F64)
    outer = torch.randn(batch, time, 3, 1, dtype=F64) @ torch.randn(batch, time, 1, 2, dtype=F64)
    log_forget = torch.nn.functional.logsigmoid(forget)
    return ExponentialGates(log_forget=log_forget, maximum=write, write=outer), None


DIAGONAL = {
    "diagonal": diagonal,
    "constant diagonal": constant_diagonal,
    "complex diagonal": complex_diagonal,
    "constant complex diagonal": constant_complex_diagonal,
}
ALL = DIAGONAL | {"matrix": matrix, "delta rule": delta_rule, "exponential gates": exponential_gates}


def drawn(name, batch, time):
    """Return steps of a declaration, and a state."""
    steps, shape = ALL[name](batch, time)
    if shape is None:
        return steps, Stabilised(memory=torch.randn(batch, 3, 2, dtype=F64), maximum=torch.randn(batch, dtype=F64))
    return steps, torch.randn(batch, *([shape] if isinstance(shape, int) else shape), dtype=F64)


needs_kernels = pytest.mark.skipif(kernels().absent is not None, reason=f"the kernels are absent: {kernels().absent}")


def at(steps, t):
    """Return the step at time t."""
    return pytree.tree_map(lambda leaf: leaf[:, min(t, leaf.shape[1] - 1)], steps)


def one_after_another(steps, state, lengths, starts):
    """Return the result of an engine, computed by single steps."""
    _, time = torch.broadcast_shapes(*(leaf.shape[:2] for leaf in tree.leaves(steps)))
    states = []
    for t in range(time):
        before = state if starts is None else tree.select(starts.steps[:, t], starts.state, state)
        after = at(steps, t).apply(before)
        state = after if lengths is None else tree.select(t < lengths, after, state)
        states.append(state)
    return tree.stack(states, axis=1), state


def situation(batch, time, state, *, lengths, starts, seed=0):
    """Return lengths, including 0, and starts, with the state that a start restores."""
    generator = torch.Generator().manual_seed(seed)
    ends = torch.randint(time + 1, (batch,), generator=generator) if lengths else None
    if not starts:
        return ends, None
    where = torch.rand(batch, time, generator=generator) < {"few": 0.2, "all": 2.0}[starts]
    where = where if ends is None else where & (torch.arange(time) < ends[:, None])
    return ends, Starts(where, pytree.tree_map(lambda leaf: 0.3 * torch.ones_like(leaf), state))


def outputs_and_gradients(engine, steps, state, lengths, starts, **options):
    """Return states within the lengths, last states and the gradients of all inputs."""
    leaves, form = pytree.tree_flatten((steps, state, starts.state if starts else state))
    leaves = [leaf.detach().clone().requires_grad_() for leaf in leaves]
    steps, state, initial = pytree.tree_unflatten(leaves, form)
    states, last = engine(steps, state, lengths, starts and starts.of(initial), **options)
    states = tree.leaves(states)
    if lengths is not None:
        alive = torch.arange(states[0].shape[1]) < lengths[:, None]
        states = [torch.where(alive.reshape(*alive.shape, *[1] * (leaf.ndim - 2)), leaf, 0) for leaf in states]
    parts = [*states, *tree.leaves(last)]
    total = sum((part * torch.linspace(1, 2, part.numel()).reshape(part.shape).to(part.dtype)).sum() for part in parts)
    return parts, torch.autograd.grad(total, leaves, materialize_grads=True)


def same(engine, steps, state, lengths, starts, tolerance=1e-10, **options):
    """Compare an engine with single steps, in values and gradients, relative to the largest entry of each."""
    found = outputs_and_gradients(engine, steps, state, lengths, starts, **options)
    expected = outputs_and_gradients(one_after_another, steps, state, lengths, starts)
    for mine, other in zip(pytree.tree_leaves(found), pytree.tree_leaves(expected), strict=True):
        assert (mine.shape, mine.dtype) == (other.shape, other.dtype)
        assert mine.isfinite().all()
        if other.numel():
            assert (mine - other).abs().amax() <= tolerance * (other.abs().amax() + 0.1)


@pytest.mark.parametrize("name", ALL)
def test_the_combination_of_steps_is_associative(name):
    (steps, _), count = drawn(name, 4, 3), 3
    first, second, third = (at(steps, t) for t in range(count))
    left, right = first.then(second).then(third), first.then(second.then(third))
    torch.testing.assert_close(tree.leaves(left), tree.leaves(right), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", ALL)
def test_two_combined_steps_equal_the_two_in_sequence(name):
    steps, state = drawn(name, 4, 2)
    first, second = at(steps, 0), at(steps, 1)
    expected, actual = second.apply(first.apply(state)), first.then(second).apply(state)
    torch.testing.assert_close(tree.leaves(actual), tree.leaves(expected), rtol=1e-12, atol=1e-12)


def test_complex_products_are_those_of_complex_numbers():
    a, b = torch.randn(2, 5, dtype=torch.complex128), torch.randn(1, 5, dtype=torch.complex128)

    def planes(x):
        return torch.stack([x.real, x.imag], dim=-2)

    torch.testing.assert_close(complex_product(planes(a), planes(b)), planes(a * b))


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("starts", [None, "few", "all"])
@pytest.mark.parametrize("lengths", [False, True])
def test_chunks_equal_single_steps_for_every_declaration(name, lengths, starts):
    steps, state = drawn(name, 4, 23)
    same(chunkwise, steps, state, *situation(4, 23, state, lengths=lengths, starts=starts), chunk=5)


@given(
    name=st.sampled_from([*ALL]),
    batch=st.integers(1, 4),
    time=st.integers(1, 40),
    chunk=st.integers(1, 50),
    lengths=st.booleans(),
    starts=st.sampled_from([None, "few", "all"]),
    seed=st.integers(0, 1000),
)
def test_chunks_of_any_size_equal_single_steps(name, batch, time, chunk, lengths, starts, seed):
    torch.manual_seed(seed)
    steps, state = drawn(name, batch, time)
    same(
        chunkwise, steps, state, *situation(batch, time, state, lengths=lengths, starts=starts, seed=seed), chunk=chunk
    )


@needs_kernels
@pytest.mark.parametrize("name", DIAGONAL)
@pytest.mark.parametrize("starts", [None, "few", "all"])
@pytest.mark.parametrize("lengths", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float32", "float64"])
def test_the_kernel_equals_single_steps(name, lengths, starts, dtype):
    steps, state = pytree.tree_map(lambda leaf: leaf.to(dtype), drawn(name, 4, 23))
    tolerance = 1e-12 if dtype == torch.float64 else 1e-5
    same(scan_on_cpu, steps, state, *situation(4, 23, state, lengths=lengths, starts=starts), tolerance=tolerance)


@needs_kernels
@given(
    kind=st.sampled_from([Diagonal, ComplexDiagonal]),
    batch=st.integers(0, 9),
    time=st.integers(1, 40),
    units=st.integers(1, 70),
    constant=st.booleans(),
    lengths=st.booleans(),
    starts=st.sampled_from([None, "few", "all"]),
    threads=st.sampled_from([1, 2, 5]),
    seed=st.integers(0, 1000),
)
def test_the_kernel_of_any_size_equals_single_steps(kind, batch, time, units, constant, lengths, starts, threads, seed):
    torch.manual_seed(seed)
    torch.set_num_threads(threads)
    shape = (units,) if kind is Diagonal else (2, units)
    decay = 0.6 * torch.randn(*((1, 1) if constant else (batch, time)), *shape, dtype=F64)
    steps = kind(decay=decay, added=torch.randn(batch, time, *shape, dtype=F64))
    state = torch.randn(batch, *shape, dtype=F64)
    same(scan_on_cpu, steps, state, *situation(batch, time, state, lengths=lengths, starts=starts, seed=seed))


@needs_kernels
def test_other_declarations_run_in_chunks_on_the_cpu():
    steps, state = drawn("delta rule", 3, 9)
    same(scan_on_cpu, steps, state, *situation(3, 9, state, lengths=True, starts="few"))


@needs_kernels
@pytest.mark.parametrize("name", DIAGONAL)
def test_the_kernel_passes_the_check_of_gradients(name):
    steps, state = drawn(name, 3, 4)
    lengths, starts = situation(3, 4, state, lengths=True, starts="few")

    def run(decay, added, state, initial):
        return scan_on_cpu(type(steps)(decay=decay, added=added), state, lengths, Starts(starts.steps, initial))

    given = [leaf.requires_grad_() for leaf in (steps.decay, steps.added, state, starts.state)]
    assert torch.autograd.gradcheck(run, given)


def test_chunks_have_second_derivatives():
    steps, state = drawn("complex diagonal", 1, 4)
    decay, state = steps.decay.requires_grad_(), state.requires_grad_()

    def run(decay, state):
        return chunkwise(ComplexDiagonal(decay=decay, added=steps.added), state, None, None, chunk=3)

    assert torch.autograd.gradgradcheck(run, [decay, state])


@needs_kernels
def test_the_kernel_refuses_second_derivatives():
    steps, state = drawn("diagonal", 2, 4)
    states, _ = scan_on_cpu(steps, state.requires_grad_(), None, None)
    (gradient,) = torch.autograd.grad(states.square().sum(), state, create_graph=True)
    with pytest.raises(
        RuntimeError, match="a gradient of a gradient was requested from the fused scan, which has none; run"
    ):
        gradient.sum().backward()


@needs_kernels
@pytest.mark.parametrize("engine", [chunkwise, scan_on_cpu])
def test_a_state_before_a_start_may_be_nan(engine):
    steps, state = drawn("complex diagonal", 2, 6)
    steps.added[0, :3] = torch.inf
    state[1] = torch.nan
    where = torch.zeros(2, 6, dtype=torch.bool)
    where[0, 3] = where[1, 0] = True
    states, last = engine(steps, state, None, Starts(where, torch.zeros_like(state)))
    assert states[0, 3:].isfinite().all()
    assert states[1].isfinite().all()
    assert last.isfinite().all()


@needs_kernels
@pytest.mark.parametrize("engine", [chunkwise, scan_on_cpu])
def test_states_stay_float32_under_autocast(engine):
    steps, state = pytree.tree_map(lambda leaf: leaf.float(), drawn("constant diagonal", 2, 40))
    expected, end = engine(steps, state, None, None)
    low = Diagonal(decay=steps.decay, added=steps.added.bfloat16())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        states, last = engine(low, state, None, None)
    assert states.dtype == last.dtype == torch.float32
    torch.testing.assert_close((states, last), (expected, end), rtol=0.02, atol=0.02)


@needs_kernels
def test_numbers_of_other_precision_run_in_chunks():
    steps, state = pytree.tree_map(lambda leaf: leaf.bfloat16(), drawn("diagonal", 2, 9))
    states, last = scan_on_cpu(steps, state, None, None)
    assert states.dtype == last.dtype == torch.bfloat16
