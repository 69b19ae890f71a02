"""Conditions beyond plain runs, for all machines: padding, memory, strides, threads, builds, gradients."""

from typing import NamedTuple

import pytest
import torch
from torch.utils import _pytree as pytree

from memtape import tree, use_backend
from memtape.core import compiled_library as loading

F64 = torch.float64
BATCH = 5


class Batch(NamedTuple):
    """The steps of the batches of one kind of machine, and the error of float64 that is accepted."""

    time: int
    lengths: torch.Tensor
    exact: float


BATCHES = {
    "machine": Batch(11, torch.tensor([11, 1, 8, 3, 9]), 1e-10),  # float64 rounds at 1e-16
    "computer": Batch(19, torch.tensor([19, 1, 8, 3, 17]), 1e-9),
}

OPTIONS = {
    "machine": {
        "lstm": {"read_heads": 2, "controller_layers": 2},
        "gru": {"controller": "gru", "write_heads": 2, "read_first": False},
        "rnn": {"controller": "rnn", "similarity": "dot", "slots": 17},
        "feedforward": {"controller": "feedforward", "controller_layers": 2, "shift_range": 3},
        "content": {"addressing": "content", "initial_memory": "learned"},
    },
    "computer": {
        "lstm": {"read_heads": 2, "controller_layers": 2},
        "gru": {"controller": "gru", "write_heads": 2, "usage_gradient": True, "deallocate": True},
        "feedforward": {"controller": "feedforward", "read_heads": 5, "slots": 17},
        "improved": {"masked": True, "mask_floor": 0.1, "sharpen_links": True, "deallocate": True, "read_heads": 2},
    },
}

each_form = pytest.mark.parametrize(
    ("kind", "options"),
    [
        pytest.param(kind, options, id=f"{kind}-{name}")
        for kind, forms in OPTIONS.items()
        for name, options in forms.items()
    ],
)


@pytest.fixture
def tools(request, kind):
    """The functions that build, run and compare machines of a kind."""
    return request.getfixturevalue(kind)


OF_EVERY_PART = {"machine": {}, "computer": {"usage_gradient": True}}
"""Options with which the outputs depend on every part of the state."""


def given(tools, kind, options, dtype=F64, batch=BATCH):
    """Return a network, inputs, and a state in the middle of a sequence."""
    network = tools.build(dtype, **options)
    xs = torch.randn(batch, BATCHES[kind].time, network.input_size, dtype=dtype)
    return network, xs, tools.a_state(network, batch, dtype)


@each_form
@pytest.mark.parametrize("garbage", [float("nan"), float("inf"), 1e300])
def test_padding_has_no_influence(tools, kind, options, garbage):
    _, lengths, exact = BATCHES[kind]
    tools.padding_has_no_influence(*given(tools, kind, options), garbage, lengths=lengths, tolerance=exact)


@each_form
@pytest.mark.parametrize("padded", [False, True], ids=["full", "lengths"])
def test_uninitialised_memory_is_not_read(tools, fresh_memory, kind, options, padded):
    lengths = BATCHES[kind].lengths if padded else None
    network, xs, state = given(tools, kind, options)
    fresh_memory(False)
    expected = tools.run("cpu", network, xs, state, lengths=lengths)
    fresh_memory(True)
    tools.same_bits(tools.run("cpu", network, xs, state, lengths=lengths), expected)


@each_form
def test_threads_change_nothing_but_rounding(tools, kind, options):
    network, xs, state = given(tools, kind, options)
    found = []
    for threads in (1, 2, 5, 16):
        torch.set_num_threads(threads)
        found.append(tools.run("cpu", network, xs, state, lengths=BATCHES[kind].lengths))
    for other in found[1:]:
        tools.same_up_to_rounding(other, found[0])


@each_form
@pytest.mark.parametrize("dtype", [torch.float32, F64])
def test_a_single_row_equals_that_row_of_a_batch(tools, kind, options, dtype, equal_up_to_rounding):
    network, _, state = given(tools, kind, options, dtype, batch=9)
    xs = torch.eye(network.input_size, dtype=dtype)[torch.randint(network.input_size, (9, BATCHES[kind].time))]
    together = outputs_and_state(network, xs, state)
    for row in (0, 4, 8):
        own = pytree.tree_map(lambda leaf, row=row: leaf[row : row + 1], state)
        alone = outputs_and_state(network, xs[row : row + 1], own)
        equal_up_to_rounding(alone, {name: leaf[row : row + 1] for name, leaf in together.items()})


def outputs_and_state(network, xs, state):
    with torch.no_grad(), use_backend("cpu"):
        ys, last = network(xs, state)
    return {"outputs": ys} | tree.named_leaves(last)


@pytest.mark.parametrize("build", loading.LEVELS)
@each_form
def test_every_build_agrees(tools, with_build, build, kind, options):
    with_build(build)
    for dtype, tolerance in ((F64, BATCHES[kind].exact), (torch.float32, 1e-4)):
        tools.compare(*given(tools, kind, options, dtype), lengths=BATCHES[kind].lengths, tolerance=tolerance)


LOSSES = {
    "outputs": lambda ys, last: ys.sum(),
    "one output": lambda ys, last: ys[2, 4, 1],
    "memory": lambda ys, last: last.memory.memory.sum(),
    "reads": lambda ys, last: last.reads.mean(),
    "read weights": lambda ys, last: last.memory.read_weights[:, 0, 0].sum(),
    "write weights": lambda ys, last: last.memory.write_weights[:, 0, 0].sum(),
    "hidden": lambda ys, last: last.controller.hidden.sum(),
}
OF_COMPUTERS = {
    "usage": lambda ys, last: last.memory.usage[:, 0].sum(),
    "links": lambda ys, last: last.memory.links.links[:, 0, 0].sum(),
    "precedence": lambda ys, last: last.memory.links.precedence[:, 0, 0].sum(),
}


@pytest.mark.parametrize(
    ("kind", "loss"),
    [
        *(pytest.param("machine", loss, id=f"machine-{name}") for name, loss in LOSSES.items()),
        *(pytest.param("computer", loss, id=f"computer-{name}") for name, loss in (LOSSES | OF_COMPUTERS).items()),
    ],
)
def test_expanded_and_missing_gradients_agree(tools, kind, loss):
    network, xs, _ = given(tools, kind, {})
    found = []
    for backend in ("reference", "cpu"):
        inputs = xs.clone().requires_grad_()
        with use_backend(backend):
            found += torch.autograd.grad(loss(*network(inputs)), inputs)
    torch.testing.assert_close(found[1], found[0], rtol=BATCHES[kind].exact, atol=1e-13)


def scattered(tensor):
    """Return the same numbers with gaps between them in memory, last axis first."""
    wide = torch.full((*tensor.shape[::-1], 2), torch.nan, dtype=tensor.dtype)
    view = wide[..., 0].permute(*range(tensor.ndim - 1, -1, -1))
    return view.copy_(tensor)


@each_form
def test_tensors_may_have_any_strides(tools, kind, options):
    _, lengths, exact = BATCHES[kind]
    network, xs, state = given(tools, kind, options)
    with use_backend("cpu"), torch.no_grad():
        expected, end = network(xs, state, lengths=lengths)
        every_other = torch.stack([lengths, torch.zeros_like(lengths)], dim=1)[:, 0]
        assert torch.equal(network(xs, state, lengths=every_other)[0], expected)
        assert torch.equal(network(xs, state, lengths=lengths.to(torch.int16))[0], expected)
        for parameter in network.parameters():
            parameter.data = scattered(parameter.data)
        assert not all(parameter.is_contiguous() for parameter in network.parameters())
        actual, last = network(scattered(xs), pytree.tree_map(scattered, state), lengths=lengths)
    # A matrix product may round differently with other strides.
    torch.testing.assert_close(actual, expected, rtol=exact, atol=1e-12)
    torch.testing.assert_close(tree.named_tensors(last), tree.named_tensors(end), rtol=exact, atol=1e-12)
    tools.compare(network, scattered(xs), state, lengths=lengths, tolerance=exact)


@pytest.mark.parametrize("kind", BATCHES)
def test_expanded_tensors_agree(tools, kind):
    network, row, state = given(tools, kind, OF_EVERY_PART[kind], batch=1)
    state = pytree.tree_map(lambda leaf: leaf.expand(BATCH, *leaf.shape[1:]), state)
    found = {}
    for backend in ("reference", "cpu"):
        xs = row.clone().requires_grad_()
        initial = pytree.tree_map(lambda leaf: leaf.detach().requires_grad_(), state)
        with use_backend(backend):
            ys, last = network(xs.expand(BATCH, -1, -1), initial)
        parts = [ys, *tree.leaves(last)]
        gradients = torch.autograd.grad(sum((part**2).sum() for part in parts), [xs, *tree.leaves(initial)])
        found[backend] = [*parts, *gradients]
    torch.testing.assert_close(found["cpu"], found["reference"], rtol=BATCHES[kind].exact, atol=1e-12)


SMALL = {"slots": 4, "width": 2, "controller_size": 3}


@pytest.mark.usefixtures("shapes_unchecked")
@each_form
def test_gradients_match_finite_differences(tools, kind, options):
    network = tools.build(**options | SMALL | OF_EVERY_PART[kind])
    tools.gradients_match_finite_differences(network)
