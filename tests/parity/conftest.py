"""Run a machine on both backends and compare all results."""

import copy

import pytest
import torch
from torch.utils import _pytree as pytree

from memtape import DNC, NTM, tree, use_backend
from memtape.core import compiled_library as loading
from memtape.memory import SparseAccessState, SparseComputerState

INPUT, OUTPUT = 3, 2

FLOOR = 1e-3
"""Added to the largest entry of a tensor before errors are divided by it: some gradients are 0 up to rounding, which is
1e-15 of the cancelled terms in float64; the losses below have gradients around 1."""

ROUNDING = 1e-12
"""Largest error, as `differences` measures it, of runs in float64 that sum the same numbers in another order."""

MOVES = 8
MAGNIFIED = 10
"""The largest ratio of a difference to the reference's own change: both round in about ten places where parameters are
used.
"""


@pytest.fixture(autouse=True)
def kernels_are_present():
    if loading.kernels().absent is not None:
        pytest.skip(f"the fused kernels are absent: {loading.kernels().absent}")


@pytest.fixture(autouse=True)
def threads_stay_as_they_were():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def builder(model, **usual):
    """Return a function that builds a network with every parameter moved away from its initial value."""

    def build(dtype=torch.float64, *, seed=0, moved=0.3, **options):
        torch.manual_seed(seed)
        network = model(INPUT, OUTPUT, **(usual | options)).to(dtype)
        with torch.no_grad():
            for parameter in network.parameters():
                spread = moved * (5 / max(5, parameter.shape[-1])) ** 0.5  # else wide layers would saturate
                parameter.add_(spread * torch.randn_like(parameter))
        return network

    return build


def leaves_of(network, state):
    """Return a detached state whose leaves require gradients, except those without a gradient."""
    del network
    initial = pytree.tree_map(lambda leaf: leaf.detach().clone().requires_grad_(), state)
    if isinstance(getattr(initial, "memory", None), SparseAccessState | SparseComputerState):
        for leaf in (initial.memory.usage, *pytree.tree_leaves(getattr(initial.memory, "links", ()))):
            leaf.requires_grad_(False)
    return initial


def run(backend, network, xs, state=None, **options):
    """Return outputs, last state and the gradients of everything on a backend, by name."""
    network.zero_grad()
    xs = xs.detach().clone(memory_format=torch.preserve_format).requires_grad_()
    initial = None if state is None else leaves_of(network, state)
    with use_backend(backend):
        ys, last = network(xs, initial, **options)
    parts = {"outputs": ys} | {f"last {name}": leaf for name, leaf in tree.named_leaves(last).items()}
    generator = torch.Generator().manual_seed(7)
    total(parts.values(), generator).backward()
    found = {name: part.detach() for name, part in parts.items()}
    found["gradient of inputs"] = xs.grad
    if initial is not None:
        found |= {f"gradient of {name}": leaf.grad for name, leaf in tree.named_leaves(initial).items()}
    found |= {f"gradient of {name}": parameter.grad for name, parameter in network.named_parameters()}
    network.zero_grad()
    return found


def total(parts, generator):
    """Return a weighted sum of all entries, with a different weight for each."""
    weighted = [
        (part * torch.randn(part.shape, generator=generator, dtype=part.dtype)).sum()
        for part in parts
        if part.requires_grad
    ]
    return sum(weighted)


def differences(actual, expected):
    """Return the largest error of each tensor, relative to its largest entry; None counts as a gradient of zeros."""
    assert set(actual) == set(expected)
    found = {}
    for name, wanted in expected.items():
        given = actual[name]
        if wanted is None or given is None:
            either = given if wanted is None else wanted
            found[name] = 0.0 if either is None else float(either.abs().amax()) if either.numel() else 0.0
            continue
        assert given.shape == wanted.shape, name
        assert given.dtype == wanted.dtype, name
        assert wanted.isfinite().all(), f"the reference is not finite: {name}"
        if wanted.numel():
            error = (given.double() - wanted.double()).abs().amax() / (wanted.double().abs().amax() + FLOOR)
            found[name] = float("inf") if error.isnan() else float(error)
    return found


def compare(network, xs, state=None, *, tolerance, magnified=False, **options):
    """Raise an error unless the fused kernel agrees with the reference; return the largest relative error.

    With `magnified`, errors of up to MAGNIFIED times the reference's own error are accepted too: its largest change
    when every parameter is moved by its last bit, in a few trials. Chaotic machines magnify any rounding, and of slots
    with equal usage up to rounding, a different one may be allocated.
    """
    expected = run("reference", network, xs, state, **options)
    actual = run("cpu", network, xs, state, **options)
    worst = differences(actual, expected)
    if magnified and max(worst.values()) > tolerance:
        for _ in range(MOVES):
            own = differences(run("reference", last_bit_moved(network), xs, state, **options), expected)
            tolerance = max(tolerance, MAGNIFIED * max(own.values()))
    wrong = {name: error for name, error in worst.items() if not error <= tolerance}
    assert not wrong, f"relative errors above {tolerance}: {wrong}"
    return max(worst.values())


def last_bit_moved(network):
    """Return a copy of a network with every parameter moved up or down by its last bit."""
    moved = copy.deepcopy(network)
    with torch.no_grad():
        for parameter in moved.parameters():
            towards = torch.randint(2, parameter.shape).to(parameter) * 4 - 2
            parameter.copy_(torch.nextafter(parameter, parameter.abs().amax() * towards))
    return moved


def same_bits(actual, expected):
    """Raise an error unless two runs on the same machine agree bit for bit."""
    for name, wanted in expected.items():
        assert (actual[name] is None) == (wanted is None), name
        assert wanted is None or torch.equal(actual[name], wanted), name


def same_up_to_rounding(actual, expected):
    """Raise an error unless two runs in float64 agree up to the order of their sums."""
    assert max(differences(actual, expected).values()) < ROUNDING


def a_state(network, batch, dtype=torch.float64):
    """Return a state in the middle of a sequence."""
    with use_backend("reference"), torch.no_grad():
        return network(torch.randn(batch, 3, network.input_size, dtype=dtype))[1]


class Tools:
    """The functions above, for the tests of this folder."""

    build = staticmethod(builder(NTM, slots=6, width=4, controller_size=5))
    run = staticmethod(run)
    compare = staticmethod(compare)
    differences = staticmethod(differences)
    same_bits = staticmethod(same_bits)
    same_up_to_rounding = staticmethod(same_up_to_rounding)
    a_state = staticmethod(a_state)

    @classmethod
    def agree(cls, dtype, tolerance, batch, time, run=None, **options):
        """Compare one machine on one batch, from a state in the middle of a sequence."""
        network = cls.build(dtype, **options)
        xs, state = torch.randn(batch, time, network.input_size, dtype=dtype), cls.a_state(network, batch, dtype)
        return cls.compare(network, xs, state, tolerance=tolerance, **(run or {}))

    @classmethod
    def agree_at_random(cls, options, how, dtype, tolerance):
        """Compare one random machine on one random batch."""
        network = cls.build(dtype, seed=how["seed"], **options)
        batch, time = how["batch"], how["time"]
        xs = torch.randn(batch, time, network.input_size, dtype=dtype)
        state = cls.a_state(network, batch, dtype) if how["carried"] else None
        lengths = torch.randint(1, time + 1, (batch,)) if how["lengths"] else None
        starts = torch.rand(batch, time) < 0.2 if how["starts"] else None
        run = {"lengths": lengths, "starts": starts, "checkpoint_every": how["checkpoint_every"]}
        return cls.compare(network, xs, state, tolerance=tolerance, magnified=True, **run)

    @classmethod
    def padding_has_no_influence(cls, network, xs, state, garbage, *, lengths, tolerance):
        """Raise an error if padding influences any result."""
        padded = xs.clone()
        for row, length in enumerate(lengths):
            padded[row, length:] = garbage
        clean = torch.where(padded == xs, xs, 0)
        expected = cls.run("cpu", network, clean, state, lengths=lengths)
        actual = cls.run("cpu", network, padded, state, lengths=lengths)
        cls.same_up_to_rounding(actual, expected)
        for row, length in enumerate(lengths):
            assert not actual["outputs"][row, length:].any()
            assert not actual["gradient of inputs"][row, length:].any()
        cls.compare(network, padded, state, lengths=lengths, tolerance=tolerance)

    @classmethod
    def gradients_match_finite_differences(cls, network, lengths=None, *, without=None):
        """Raise an error if a gradient of the kernel is wrong; parts of the state whose name has `without` are skipped."""
        names, parameters = zip(*network.named_parameters(), strict=True)
        state = cls.a_state(network, 2)
        paths = [path for path in tree.named_leaves(state) if without is None or without not in path]

        def function(xs, *tensors):
            values = dict(zip(names, tensors[: len(names)], strict=True))
            changed = dict(zip(paths, tensors[len(names) :], strict=True))
            initial = tree.from_named_tensors(tree.named_leaves(state) | changed, state)
            with use_backend("cpu"):
                ys, last = torch.func.functional_call(network, values, (xs, initial), {"lengths": lengths})
            return ys, *[leaf for leaf in tree.leaves(last) if leaf.requires_grad]

        leaves = [tree.named_leaves(state)[path] for path in paths]
        xs = torch.randn(2, 3, network.input_size, dtype=torch.float64)
        inputs = [tensor.detach().clone().requires_grad_() for tensor in (xs, *parameters, *leaves)]
        assert torch.autograd.gradcheck(function, inputs, fast_mode=True)

    @staticmethod
    def nan_stays_in_its_row(network, xs, state, *, without=None):
        """Raise an error if NaN in the state of the second of three rows reaches another row, or does not reach its
        own; parts of the state whose name has `without` are skipped.
        """
        with use_backend("cpu"), torch.no_grad():
            expected, _ = network(xs, state)
            for name in tree.named_leaves(state):
                if without is not None and without in name:
                    continue
                broken = {path: leaf.clone() for path, leaf in tree.named_leaves(state).items()}
                broken[name][1] = torch.nan
                ys, last = network(xs, tree.from_named_tensors(broken, state))
                assert ys[1].isnan().any(), name
                torch.testing.assert_close(ys[::2], expected[::2])
                assert all(leaf[::2].isfinite().all() for leaf in tree.leaves(last))


class Computers(Tools):
    """The same for Differentiable Neural Computers.

    Their initial slots differ: else the rounding of each backend would decide which of two slots that differ in their
    last bits only is allocated first.
    """

    build = staticmethod(builder(DNC, slots=6, width=4, controller_size=5, initial_memory="random"))


@pytest.fixture(scope="session")
def machine():
    return Tools


@pytest.fixture(scope="session")
def computer():
    return Computers


@pytest.fixture
def fresh_memory(monkeypatch):
    """Return a function that makes torch fill newly allocated memory with NaN, or not."""
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True)

    def poisoned(yes):
        monkeypatch.setattr(torch.utils.deterministic, "fill_uninitialized_memory", yes)
        assert not yes or torch.zeros(1).new_empty(100).isnan().all()

    yield poisoned
    torch.use_deterministic_algorithms(before)


@pytest.fixture
def with_build(monkeypatch):
    """Return a function that selects another build of the kernels."""

    def change(name):
        monkeypatch.setenv("MEMTAPE_INSTRUCTIONS", name)
        loading.kernels.cache_clear()
        found = loading.kernels()
        if found.absent is not None:
            pytest.skip(found.absent)
        assert found.instructions == name

    yield change
    monkeypatch.undo()
    loading.kernels.cache_clear()
