"""Conditions beyond plain runs: padding, uninitialised memory, threads, builds, NaN, and saved memory."""

import ctypes

import pytest
import torch
from torch.utils import _pytree as pytree

from memtape import tree, use_backend
from memtape.core import compiled_library as loading
from memtape.kernels import calling
from memtape.kernels.dnc.cpu import dnc_on_cpu

F64 = torch.float64
EXACT = 1e-9

BATCH, TIME = 5, 19
LENGTHS = torch.tensor([19, 1, 8, 3, 17])

COMPUTERS = {
    "lstm": {"read_heads": 2, "controller_layers": 2},
    "gru": {"controller": "gru", "write_heads": 2, "usage_gradient": True, "deallocate": True},
    "feedforward": {"controller": "feedforward", "read_heads": 5, "slots": 17},
    "improved": {"masked": True, "mask_floor": 0.1, "sharpen_links": True, "deallocate": True, "read_heads": 2},
}

each_computer = pytest.mark.parametrize("options", COMPUTERS.values(), ids=COMPUTERS)


def sequences(network, batch=BATCH, time=TIME, dtype=F64):
    return torch.randn(batch, time, network.input_size, dtype=dtype)


@each_computer
@pytest.mark.parametrize("garbage", [float("nan"), 1e300])
def test_padding_has_no_influence(computer, options, garbage):
    network = computer.build(**options)
    xs, state = sequences(network), computer.a_state(network, BATCH)
    computer.padding_has_no_influence(network, xs, state, garbage, lengths=LENGTHS, tolerance=EXACT)


@each_computer
@pytest.mark.parametrize("lengths", [None, LENGTHS], ids=["full", "lengths"])
def test_uninitialised_memory_is_not_read(computer, fresh_memory, options, lengths):
    network = computer.build(**options)
    xs, state = sequences(network), computer.a_state(network, BATCH)
    fresh_memory(False)
    expected = computer.run("cpu", network, xs, state, lengths=lengths)
    fresh_memory(True)
    computer.same_bits(computer.run("cpu", network, xs, state, lengths=lengths), expected)


@each_computer
def test_threads_change_nothing_but_rounding(computer, options):
    network = computer.build(**options)
    xs, state = sequences(network), computer.a_state(network, BATCH)
    found = []
    for threads in (1, 2, 5, 16):
        torch.set_num_threads(threads)
        found.append(computer.run("cpu", network, xs, state, lengths=LENGTHS))
    for other in found[1:]:
        computer.same_up_to_rounding(other, found[0])


@each_computer
def test_a_single_row_equals_that_row_of_a_batch(computer, options, equal_up_to_rounding):
    network = computer.build(torch.float32, **options)
    xs = torch.eye(network.input_size)[torch.randint(network.input_size, (9, TIME))]
    state = computer.a_state(network, 9, torch.float32)
    with torch.no_grad(), use_backend("cpu"):
        together = tree.named_leaves(network(xs, state)[1].memory)
        for row in (0, 4, 8):
            own = pytree.tree_map(lambda leaf, row=row: leaf[row : row + 1], state)
            for name, leaf in tree.named_leaves(network(xs[row : row + 1], own)[1].memory).items():
                equal_up_to_rounding(leaf, together[name][row : row + 1])


@pytest.mark.parametrize("build", loading.LEVELS)
@each_computer
def test_every_build_agrees(computer, with_build, build, options):
    with_build(build)
    for dtype, tolerance in ((F64, EXACT), (torch.float32, 1e-4)):
        network = computer.build(dtype, **options)
        xs, state = sequences(network, dtype=dtype), computer.a_state(network, BATCH, dtype)
        computer.compare(network, xs, state, lengths=LENGTHS, tolerance=tolerance)


LOSSES = {
    "outputs": lambda ys, last: ys.sum(),
    "one output": lambda ys, last: ys[2, 4, 1],
    "memory": lambda ys, last: last.memory.memory.sum(),
    "reads": lambda ys, last: last.reads.mean(),
    "read weights": lambda ys, last: last.memory.read_weights[:, 0, 0].sum(),
    "write weights": lambda ys, last: last.memory.write_weights[:, 0, 0].sum(),
    "usage": lambda ys, last: last.memory.usage[:, 0].sum(),
    "links": lambda ys, last: last.memory.links.links[:, 0, 0].sum(),
    "precedence": lambda ys, last: last.memory.links.precedence[:, 0, 0].sum(),
    "hidden": lambda ys, last: last.controller.hidden.sum(),
}


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_expanded_and_missing_gradients_agree(computer, loss):
    network = computer.build()
    xs = sequences(network)
    found = []
    for backend in ("reference", "cpu"):
        inputs = xs.clone().requires_grad_()
        with use_backend(backend):
            found += torch.autograd.grad(loss(*network(inputs)), inputs)
    torch.testing.assert_close(found[1], found[0], rtol=1e-9, atol=1e-13)


@pytest.mark.usefixtures("shapes_unchecked")
@each_computer
def test_gradients_match_finite_differences(computer, options):
    network = computer.build(**(options | {"slots": 4, "width": 2, "controller_size": 3, "usage_gradient": True}))
    names, parameters = zip(*network.named_parameters(), strict=True)
    state = computer.a_state(network, 2)
    paths = list(tree.named_leaves(state))

    def function(xs, *tensors):
        initial = dict(zip(paths, tensors[len(names) :], strict=True))
        values = dict(zip(names, tensors[: len(names)], strict=True))
        with use_backend("cpu"):
            ys, last = torch.func.functional_call(network, values, (xs, tree.from_named_tensors(initial, state)))
        return ys, *[leaf for leaf in tree.leaves(last) if leaf.requires_grad]

    leaves = [tree.named_leaves(state)[path] for path in paths]
    inputs = [tensor.detach().clone().requires_grad_() for tensor in (sequences(network, 2, 3), *parameters, *leaves)]
    assert torch.autograd.gradcheck(function, inputs, fast_mode=True)


def test_nan_in_one_row_s_state_stays_in_that_row(computer):
    network = computer.build(torch.float32)
    xs, state = sequences(network, 3, dtype=torch.float32), computer.a_state(network, 3, torch.float32)
    computer.nan_stays_in_its_row(network, xs, state)


def test_out_of_memory_and_second_derivatives_are_reported_in_one_sentence(computer, monkeypatch):
    class Exhausted:
        """Kernels for which every call fails to allocate memory."""

        def __getattr__(self, name):
            if name.startswith(("memtape_dnc_forward", "memtape_dnc_backward")):
                return lambda *records: 1
            return getattr(real, name)

    real = calling.kernels().library
    network = computer.build()
    xs = sequences(network).requires_grad_()
    with use_backend("cpu"):
        ys, _ = network(xs)
        (gradient,) = torch.autograd.grad((ys**2).sum(), xs, create_graph=True)
        with pytest.raises(RuntimeError, match="a gradient of a gradient was requested from the fused DNC, which"):
            gradient.sum().backward()
        monkeypatch.setattr(calling, "kernels", type("Found", (), {"library": Exhausted()}))
        with pytest.raises(MemoryError, match="the fused DNC ran out of memory; use a smaller"):
            network(xs)


def kept_bytes(**sizes):
    usual = {"inputs": 9, "outputs": 8, "hidden": 100, "layers": 1, "threads": 1, "width": 20, "reads": 1, "writes": 1}
    return 4 * calling.function("dnc_kept", torch.float32)(ctypes.byref(dnc_on_cpu.sizes_struct(**usual, **sizes)))


def test_links_are_not_saved_for_every_step():
    matrix = 4 * 1024**2
    assert kept_bytes(slots=1024, batch=16, time=100) < 16 * (7 * matrix + 100 * 1024 * 64)
    long, longer = (kept_bytes(slots=1024, batch=1, time=time) for time in (400, 1600))
    assert long < 20 * matrix + 400 * 1024 * 64
    assert longer < 3 * long, "four times as many steps save about twice as many links"
