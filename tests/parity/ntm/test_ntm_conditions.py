"""Conditions beyond plain runs: padding, uninitialised and strided memory, threads, builds, huge numbers, NaN."""

import json
import os
import subprocess
import sys

import pytest
import torch
from torch.utils import _pytree as pytree

from memtape import NTM, tree, use_backend
from memtape.core import compiled_library as loading

F64 = torch.float64
EXACT = 1e-10  # float64 rounds at 1e-16; the cases here are short and not chaotic

BATCH, TIME = 5, 11
LENGTHS = torch.tensor([11, 1, 8, 3, 9])

MACHINES = {
    "lstm": {"read_heads": 2, "controller_layers": 2},
    "gru": {"controller": "gru", "write_heads": 2, "read_first": False},
    "rnn": {"controller": "rnn", "similarity": "dot", "slots": 17},
    "feedforward": {"controller": "feedforward", "controller_layers": 2, "shift_range": 3},
    "content": {"addressing": "content", "initial_memory": "learned"},
}

each_machine = pytest.mark.parametrize("options", MACHINES.values(), ids=MACHINES)


def sequences(network, batch=BATCH, time=TIME, dtype=F64):
    return torch.randn(batch, time, network.input_size, dtype=dtype)


@each_machine
@pytest.mark.parametrize("garbage", [float("nan"), float("inf"), 1e300])
def test_padding_has_no_influence(machine, options, garbage):
    network = machine.build(**options)
    xs, state = sequences(network), machine.a_state(network, BATCH)
    machine.padding_has_no_influence(network, xs, state, garbage, lengths=LENGTHS, tolerance=EXACT)


@each_machine
@pytest.mark.parametrize("lengths", [None, LENGTHS], ids=["full", "lengths"])
def test_uninitialised_memory_is_not_read(machine, fresh_memory, options, lengths):
    network = machine.build(**options)
    xs, state = sequences(network), machine.a_state(network, BATCH)
    fresh_memory(False)
    expected = machine.run("cpu", network, xs, state, lengths=lengths)
    fresh_memory(True)
    machine.same_bits(machine.run("cpu", network, xs, state, lengths=lengths), expected)


def scattered(tensor):
    """Return the same numbers with gaps between them in memory, last axis first."""
    wide = torch.full((*tensor.shape[::-1], 2), torch.nan, dtype=tensor.dtype)
    view = wide[..., 0].permute(*range(tensor.ndim - 1, -1, -1))
    return view.copy_(tensor)


@each_machine
def test_tensors_may_have_any_strides(machine, options):
    network = machine.build(**options)
    xs, state = sequences(network), machine.a_state(network, BATCH)
    with use_backend("cpu"), torch.no_grad():
        expected, end = network(xs, state, lengths=LENGTHS)
        every_other = torch.stack([LENGTHS, torch.zeros_like(LENGTHS)], dim=1)[:, 0]
        assert torch.equal(network(xs, state, lengths=every_other)[0], expected)
        assert torch.equal(network(xs, state, lengths=LENGTHS.to(torch.int16))[0], expected)
        for parameter in network.parameters():
            parameter.data = scattered(parameter.data)
        assert not all(parameter.is_contiguous() for parameter in network.parameters())
        actual, last = network(scattered(xs), pytree.tree_map(scattered, state), lengths=LENGTHS)
    # A matrix product may round differently with other strides.
    torch.testing.assert_close(actual, expected, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(tree.named_tensors(last), tree.named_tensors(end), rtol=1e-10, atol=1e-12)
    machine.compare(network, scattered(xs), state, lengths=LENGTHS, tolerance=EXACT)


def test_expanded_tensors_agree(machine):
    network = machine.build()
    row = sequences(network, batch=1)
    state = pytree.tree_map(lambda leaf: leaf.expand(BATCH, *leaf.shape[1:]), machine.a_state(network, 1))
    found = {}
    for backend in ("reference", "cpu"):
        xs = row.clone().requires_grad_()
        initial = pytree.tree_map(lambda leaf: leaf.detach().requires_grad_(), state)
        with use_backend(backend):
            ys, last = network(xs.expand(BATCH, -1, -1), initial)
        parts = [ys, *tree.leaves(last)]
        gradients = torch.autograd.grad(sum((part**2).sum() for part in parts), [xs, *tree.leaves(initial)])
        found[backend] = [*parts, *gradients]
    torch.testing.assert_close(found["cpu"], found["reference"], rtol=1e-10, atol=1e-12)


def test_expanded_and_missing_gradients_agree(machine):
    network = machine.build()
    xs = sequences(network)
    losses = {
        "outputs": lambda ys, last: ys.sum(),
        "one output": lambda ys, last: ys[2, 4, 1],
        "memory": lambda ys, last: last.memory.memory.sum(),
        "reads": lambda ys, last: last.reads.mean(),
        "weights": lambda ys, last: last.memory.read_weights[:, 0, 0].sum(),
        "hidden": lambda ys, last: last.controller.hidden.sum(),
    }
    for name, loss in losses.items():
        found = []
        for backend in ("reference", "cpu"):
            inputs = xs.clone().requires_grad_()
            with use_backend(backend):
                found += torch.autograd.grad(loss(*network(inputs)), inputs)
        torch.testing.assert_close(found[1], found[0], rtol=1e-10, atol=1e-13, msg=name)


@each_machine
def test_threads_change_nothing_but_rounding(machine, options):
    network = machine.build(**options)
    xs, state = sequences(network), machine.a_state(network, BATCH)
    found = []
    for threads in (1, 2, 5, 16):
        torch.set_num_threads(threads)
        found.append(machine.run("cpu", network, xs, state, lengths=LENGTHS))
    for other in found[1:]:
        machine.same_up_to_rounding(other, found[0])


@each_machine
@pytest.mark.parametrize("dtype", [torch.float32, F64])
def test_a_single_row_equals_that_row_of_a_batch(machine, options, dtype, equal_up_to_rounding):
    network = machine.build(dtype, **options)
    xs = torch.eye(network.input_size, dtype=dtype)[torch.randint(network.input_size, (9, TIME))]
    state = machine.a_state(network, 9, dtype)
    together = machine.run("cpu", network, xs, state)
    for row in (0, 4, 8):
        mine = slice(row, row + 1)
        alone = rows_run(machine, network, xs[mine], pytree.tree_map(lambda leaf, mine=mine: leaf[mine], state))
        equal_up_to_rounding(alone, {name: together[name][mine] for name in alone})


def rows_run(machine, network, xs, state):
    with torch.no_grad(), use_backend("cpu"):
        ys, last = network(xs, state)
    return {"outputs": ys} | {f"last {name}": leaf for name, leaf in tree.named_leaves(last).items()}


@pytest.mark.parametrize("build", loading.LEVELS)
@each_machine
def test_every_build_agrees(machine, with_build, build, options):
    with_build(build)
    network = machine.build(**options)
    machine.compare(network, sequences(network), machine.a_state(network, BATCH), lengths=LENGTHS, tolerance=EXACT)
    single = machine.build(torch.float32, **options)
    xs, state = sequences(single, dtype=torch.float32), machine.a_state(single, BATCH, torch.float32)
    machine.compare(single, xs, state, lengths=LENGTHS, tolerance=1e-4)  # worst measured 7.0e-7


def test_the_environment_selects_the_build():
    code = (
        "import json, sys, torch, memtape; from memtape.core.compiled_library import kernels; "
        "torch.manual_seed(0); net = memtape.NTM(3, 2, slots=5, width=3, controller_size=4); "
        "ys, _ = net(torch.ones(1, 2, 3)); print(json.dumps([kernels().instructions, ys.tolist()]))"
    )
    found = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "MEMTAPE_INSTRUCTIONS": "portable"},
        capture_output=True,
        text=True,
        check=True,
    )
    build, ys = json.loads(found.stdout)
    assert build == "portable"
    torch.manual_seed(0)
    same = NTM(3, 2, slots=5, width=3, controller_size=4)
    with use_backend("reference"):
        expected, _ = same(torch.ones(1, 2, 3))
    torch.testing.assert_close(torch.tensor(ys), expected)
