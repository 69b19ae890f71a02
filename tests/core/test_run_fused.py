"""A run over sequences with a fused kernel, tested with a small cell whose kernel is written in plain torch."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks

from memtape import Cell, tree, unroll, use_backend
from memtape.core import unroll as seam
from memtape.core.starts import Starts, run_with_starts
from memtape.core.state import state

F64 = torch.float64
BATCH, TIME, INPUT = 3, 6, 2


@state
class Sums:
    """The state of the toy cell: a running sum, and the number of steps."""

    total: Float[Tensor, "*batch width"]
    steps: Float[Tensor, "*batch"]


class Toy(Cell[Sums]):
    """A leaky sum, s <- tanh(a s + W x), y = (s, steps), with a fused kernel."""

    def __init__(self):
        super().__init__()
        self.input_size, self.output_size = INPUT, 4
        self.leak = nn.Parameter(torch.tensor(0.7))
        self.linear = nn.Linear(INPUT, 3)
        self.begin = nn.Parameter(torch.full((3,), 0.3))
        self.calls = []

    def init_state(self, batch_size, *, device=None, dtype=None):
        total = self.begin.to(device=device, dtype=dtype).expand(batch_size, -1)
        return Sums(total=total, steps=torch.zeros(batch_size, device=device, dtype=dtype))

    def forward(self, x, state):
        total = torch.tanh(self.leak * state.total + self.linear(x))
        return torch.cat([total, state.steps[:, None] + 1], dim=1), Sums(total=total, steps=state.steps + 1)

    def fused(self, backend):
        return self._whole if backend == "cpu" else None

    def _whole(self, xs, state, lengths):
        """Run over whole sequences in another way than `unroll`: each row separately, up to its length."""
        self.calls.append((xs.shape, None if lengths is None else lengths.tolist()))
        assert xs.isfinite().all()
        batch, time = xs.shape[:2]
        outputs, ends = [], []
        for row in range(batch):
            own = Sums(total=state.total[row : row + 1], steps=state.steps[row : row + 1])
            ys = xs.new_zeros(time, self.output_size)
            for t in range(time if lengths is None else int(lengths[row])):
                y, own = self.forward(xs[row : row + 1, t], own)
                ys = ys.index_put((torch.tensor([t]),), y)
            outputs.append(ys)
            ends.append(own)
        if not batch:
            return xs.new_zeros(0, time, self.output_size), state
        return torch.stack(outputs), tree.cat(ends, axis=0)


@pytest.fixture(autouse=True)
def with_kernels(monkeypatch):
    """Let "auto" and "cpu" run fused kernels, even if the compiled kernels are absent."""
    monkeypatch.setattr(seam, "backend_for", lambda _: chosen[0])
    chosen[0] = "cpu"


chosen = ["cpu"]


@pytest.fixture(scope="module")
def toy():
    torch.manual_seed(0)
    return Toy().double()


def run(toy, backend, xs, **options):
    """Return outputs, last state and gradients by single steps ("reference") or by the fused kernel ("cpu")."""
    chosen[0] = backend
    xs = xs.clone().requires_grad_()
    toy.calls.clear()
    ys, last, trace = unroll(toy, xs, **options)
    assert trace is None
    assert bool(toy.calls) == (backend == "cpu")
    parts = [ys, *tree.leaves(last)]
    weighted = sum((part * torch.linspace(1, 2, part.numel(), dtype=F64).view(part.shape)).sum() for part in parts)
    return [*parts, *torch.autograd.grad(weighted, [xs, *toy.parameters()], materialize_grads=True)]


def agree(toy, xs, **options):
    for mine, other in zip(run(toy, "cpu", xs, **options), run(toy, "reference", xs, **options), strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-12, atol=1e-14)


def state_of(toy, batch=BATCH):
    chosen[0] = "reference"
    with torch.no_grad():
        return unroll(toy, torch.randn(batch, 2, INPUT, dtype=F64))[1]


def marks(*rows):
    """Return starts at the given steps of each row."""
    return torch.tensor([[t in row for t in range(TIME)] for row in rows])


@pytest.fixture
def xs():
    return torch.randn(BATCH, TIME, INPUT, dtype=F64)


def test_a_kernel_is_called_once_for_plain_sequences(toy, xs):
    agree(toy, xs)
    run(toy, "cpu", xs)
    assert toy.calls == [((BATCH, TIME, INPUT), None)]


def test_starts_split_rows_into_pieces_and_those_of_similar_lengths_run_as_one_batch(toy, xs):
    starts = marks([2], [], [0, 3, 4])
    agree(toy, xs, state=state_of(toy), starts=starts)
    run(toy, "cpu", xs, starts=starts)
    carried = [((1, 2, INPUT), [2]), ((1, 6, INPUT), [6])]
    fresh = [((1, 1, INPUT), [1]), ((2, 3, INPUT), [3, 2]), ((1, 4, INPUT), [4])]
    assert toy.calls == carried + fresh


def test_starts_without_a_true_entry_are_ignored(toy, xs):
    run(toy, "cpu", xs, starts=marks([], [], []))
    assert toy.calls == [((BATCH, TIME, INPUT), None)]


def test_a_start_at_the_first_step_replaces_the_given_state(toy, xs, equal_up_to_rounding):
    state = state_of(toy)
    starts = marks([0], [], [0])
    agree(toy, xs, state=state, starts=starts)
    parts = run(toy, "cpu", xs, state=state, starts=starts)
    fresh, alone = run(toy, "cpu", xs), run(toy, "cpu", xs, state=state)
    equal_up_to_rounding(parts[0][::2], fresh[0][::2])
    equal_up_to_rounding(parts[0][1], alone[0][1])


def test_a_start_at_every_step_agrees(toy, xs):
    agree(toy, xs, state=state_of(toy), starts=torch.ones(BATCH, TIME, dtype=torch.bool))


class Piecewise(Toy):
    """The same sum, with a kernel that computes all steps of all rows at once, as compiled kernels do."""

    def _whole(self, xs, state, lengths):
        self.calls.append((xs.shape, lengths))
        total, ys = state.total, []
        for t, x in enumerate(xs.unbind(dim=1)):
            moved = torch.tanh(self.leak * total + self.linear(x))
            total = torch.where((t < lengths)[:, None], moved, total)
            ys.append(torch.cat([total, torch.full_like(total[:, :1], t + 1)], dim=1))
        return torch.stack(ys, dim=1), Sums(total=total, steps=state.steps + lengths)


def many_starts(kind, time):
    starts = torch.zeros(2, time, dtype=torch.bool)
    starts[: 1 if kind == "beside a whole row" else 2, :: 3 if kind == "every third step" else 1] = True
    if kind == "half":
        starts[:, time // 2 :] = False
    return starts


@pytest.mark.parametrize("kind", ["every step", "every third step", "half", "beside a whole row"])
def test_memory_and_work_are_proportional_to_the_steps_however_many_starts_there_are(kind):
    """An earlier version padded each piece to the longest one, so that 2,000 steps took gigabytes."""
    toy = Piecewise()
    saved, computed = {}, {}
    for time in (200, 400):
        sizes = []
        toy.calls.clear()
        xs = torch.randn(2, time, INPUT, requires_grad=True)
        chosen[0] = "cpu"
        with saved_tensors_hooks(
            lambda tensor, sizes=sizes: sizes.append(tensor.numel()) or tensor, lambda tensor: tensor
        ):
            unroll(toy, xs, starts=many_starts(kind, time))
        saved[time], computed[time] = sum(sizes), sum(shape[0] * shape[1] for shape, _ in toy.calls)
        assert computed[time] < 2 * 2 * time
        assert len(toy.calls) < 12
    assert saved[400] < 2.2 * saved[200]


def test_an_equal_state_of_all_pieces_is_not_copied(toy):
    seen = []

    def kernel(xs, state, lengths):
        seen.append(state.total.stride(0))
        return toy._whole(xs, state, lengths)

    initial = toy.init_state(2, dtype=F64)
    starts = Starts(torch.tensor([[True, False, True], [False, True, False]]), initial)
    run_with_starts(kernel, torch.randn(2, 3, INPUT, dtype=F64), state_of(toy, 2), None, starts)
    assert sorted(seen) == [0, 0, 3]


def test_a_start_at_the_last_step_agrees(toy, xs):
    agree(toy, xs, starts=marks([TIME - 1], [], [TIME - 1]))


@pytest.mark.parametrize("every", [1, 2, 4, 6, 50])
def test_rows_that_end_before_a_chunk_starts_keep_their_state(toy, xs, every):
    lengths = torch.tensor([TIME, 1, 3])
    agree(toy, xs, lengths=lengths, state=state_of(toy), checkpoint_every=every)
    run(toy, "cpu", xs, lengths=lengths, checkpoint_every=every)
    ahead = toy.calls[: -(-TIME // every)]  # the other calls are recomputation in the backward pass
    assert [given for _, given in ahead] == [
        [min(max(length - first, 0), every, TIME - first) for length in lengths.tolist()]
        for first in range(0, TIME, every)
    ]


@pytest.mark.parametrize("every", [None, 1, 2, 4])
def test_starts_lengths_and_chunks_together_agree(toy, xs, every):
    starts = marks([0, 2, 5], [1, 4], [2, 3])
    agree(toy, xs, lengths=torch.tensor([6, 2, 4]), starts=starts, state=state_of(toy), checkpoint_every=every)


@pytest.mark.parametrize("backend", ["reference", "cpu"])
@pytest.mark.parametrize("every", [None, 1, 3])
def test_a_start_beyond_the_length_of_its_row_is_ignored(toy, xs, backend, every, equal_up_to_rounding):
    """An earlier version reset the state after the last step of the row."""
    lengths = torch.tensor([2, TIME, 3])
    beyond = marks([2, 4], [], [3, 5])
    expected = run(toy, backend, xs, lengths=lengths, checkpoint_every=every)
    actual = run(toy, backend, xs, lengths=lengths, starts=beyond, checkpoint_every=every)
    equal_up_to_rounding(actual, expected)
    assert actual[2].tolist() == lengths.tolist()  # the steps taken


@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_nan_before_a_start_and_beyond_a_length_has_no_influence(toy, xs, backend, equal_up_to_rounding):
    initial = state_of(toy)
    broken = Sums(total=initial.total * torch.nan, steps=initial.steps)
    padded = xs.clone()
    padded[1, 3:] = torch.nan
    lengths, starts = torch.tensor([TIME, 3, TIME]), marks([0], [0], [0, 4])
    found = run(toy, backend, padded, state=broken, lengths=lengths, starts=starts)
    assert all(part.isfinite().all() for part in found)
    expected = run(toy, backend, xs, lengths=lengths, starts=starts)
    equal_up_to_rounding(found[0], expected[0])


def test_an_empty_batch_runs(toy):
    chosen[0] = "cpu"
    nothing = torch.zeros(0, TIME, INPUT, dtype=F64)
    for options in ({}, {"starts": torch.zeros(0, TIME, dtype=torch.bool)}, {"lengths": torch.zeros(0).long()}):
        ys, last, _ = unroll(toy, nothing, **options)
        assert ys.shape == (0, TIME, 4)
        assert last.total.shape == (0, 3)


@given(
    batch=st.integers(1, 4),
    time=st.integers(1, 9),
    every=st.sampled_from([None, 1, 2, 3, 20]),
    seed=st.integers(0, 1000),
    some=st.tuples(st.booleans(), st.booleans(), st.booleans()),
)
def test_all_options_together_agree(toy, batch, time, every, seed, some):
    generator = torch.Generator().manual_seed(seed)
    xs = torch.randn(batch, time, INPUT, dtype=F64, generator=generator)
    options = {
        "lengths": torch.randint(1, time + 1, (batch,), generator=generator) if some[0] else None,
        "starts": torch.rand(batch, time, generator=generator) < 0.3 if some[1] else None,
        "state": state_of(toy, batch) if some[2] else None,
    }
    agree(toy, xs, checkpoint_every=every, **options)


def test_a_cell_without_a_kernel_runs_in_single_steps_on_every_backend(monkeypatch):
    monkeypatch.undo()
    from memtape.cells import GRUCell  # noqa: PLC0415

    class Other(GRUCell):
        """A subclass, for which there is no kernel."""

    cell, xs = Other(INPUT, 3), torch.randn(BATCH, TIME, INPUT)
    assert cell.fused("cpu") is None
    with use_backend("reference"):
        expected, _, _ = unroll(cell, xs)
    assert torch.equal(unroll(cell, xs)[0], expected)
