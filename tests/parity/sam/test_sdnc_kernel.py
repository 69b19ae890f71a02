"""The fused SDNC against single steps: outputs, last state with its links, every gradient, and properties of its own."""

import dataclasses

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils import _pytree as pytree

from memtape import use_backend
from memtape.core import compiled_library as loading
from memtape.models.sam.sdnc import SDNC

# float64: both sides round at 1e-16; the worst of these cases is 1e-13.
EXACT = 1e-10
# float32: rounding of 6e-8, amplified over the steps.
SINGLE = 1e-3

INPUT, OUTPUT, BATCH, TIME = 3, 2, 3, 9
EVERYTHING = {
    "lengths": torch.tensor([TIME, 0, 6]),
    "starts": torch.tensor([[t in starts for t in range(TIME)] for starts in [(0, 4), (), (2, 3, 5)]]),
    "checkpoint_every": 4,
}
OPTIONS = {
    "defaults": {},
    "empty initial memory": {"initial_memory": "zeros"},
    "learned initial state": {"initial_memory": "learned", "initial_reads": "learned", "initial_controller": "learned"},
    "one link": {"links": 1},
    "links to all slots": {"links": 12},
    "gru": {"controller": "gru", "squash": True},
    "rnn": {"controller": "rnn", "strengths": "softplus"},
    "feedforward": {"controller": "feedforward", "strengths": "none"},
    "three layers": {"controller_layers": 3, "clip": None},
    "one nearest": {"nearest": 1},
    "all slots": {"nearest": 12},
    "as many heads as slots": {"heads": 5, "slots": 5, "initial_memory": "zeros"},
    "clipped": {"clip": 0.3},
    "a high threshold": {"threshold": 0.3, "initial_memory": "zeros"},
    "approximate, of a small memory": {"neighbours": "approximate"},
}


def build(dtype=torch.float64, *, seed=0, moved=0.3, **options):
    torch.manual_seed(seed)
    usual = {"slots": 12, "width": 4, "heads": 2, "nearest": 3, "links": 3, "controller_size": 5}
    network = SDNC(INPUT, OUTPUT, **(usual | {"initial_memory": "random"} | options)).to(dtype)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(moved * (5 / max(5, parameter.shape[-1])) ** 0.5 * torch.randn_like(parameter))
    return network


def agree(machine, network, dtype=torch.float64, tolerance=EXACT, batch=BATCH, time=TIME, **run):
    xs = torch.randn(batch, time, network.input_size, dtype=dtype)
    machine.compare(network, xs, tolerance=tolerance)
    return machine.compare(network, xs, machine.a_state(network, batch, dtype), tolerance=tolerance, **run)


def with_memory(state, **parts):
    return dataclasses.replace(state, memory=dataclasses.replace(state.memory, **parts))


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_every_option_agrees(machine, options):
    agree(machine, build(**options), **EVERYTHING)


@pytest.mark.parametrize("size", [1, 3, 17, 33, 64])
def test_any_width_and_size_agrees(machine, size):
    options = {"width": size, "controller_size": size, "slots": size + 3, "links": min(size, 9)}
    agree(machine, build(**options))
    agree(machine, build(torch.float32, **options), torch.float32, SINGLE, time=4)


@pytest.mark.parametrize(("batch", "threads"), [(1, 1), (2, 1), (9, 2)])
def test_any_batch_and_number_of_threads_agrees(machine, batch, threads):
    torch.set_num_threads(threads)
    agree(machine, build(), batch=batch, lengths=torch.arange(batch) % TIME + 1)


@given(
    options=st.fixed_dictionaries(
        {
            "slots": st.sampled_from([5, 8, 31]),
            "heads": st.integers(1, 4),
            "nearest": st.integers(1, 5),
            "links": st.integers(1, 9),
            "initial_memory": st.sampled_from(["zeros", "random", "learned"]),
            "controller": st.sampled_from(["lstm", "gru", "rnn", "feedforward"]),
            "threshold": st.sampled_from([0.0, 0.005, 0.4]),
        }
    ),
    time=st.integers(1, 20),
    seed=st.integers(0, 10_000),
)
@settings(max_examples=10)
def test_any_machine_agrees(machine, options, time, seed):
    agree(machine, build(seed=seed, **options), time=time)


@pytest.mark.parametrize("instructions", loading.LEVELS)
def test_every_build_agrees(machine, with_build, instructions):
    with_build(instructions)
    agree(machine, build(), **EVERYTHING)


def test_a_long_sequence_agrees(machine):
    agree(machine, build(slots=40, moved=0.1), time=150, tolerance=1e-9)


def test_uninitialised_memory_is_not_read(machine, fresh_memory):
    network, xs = build(initial_memory="zeros"), torch.randn(BATCH, TIME, INPUT, dtype=torch.float64)
    found = []
    for poisoned in (True, False):
        fresh_memory(poisoned)
        found.append(machine.run("cpu", network, xs))
    machine.same_bits(*found)


def test_an_initial_state_with_all_weights_above_0_agrees(machine):
    network = build()
    state = machine.a_state(network, BATCH)
    state = with_memory(state, read_weights=torch.rand_like(state.memory.read_weights))
    machine.compare(network, torch.randn(BATCH, TIME, INPUT, dtype=torch.float64), state, tolerance=EXACT)


def test_an_initial_state_with_links_but_no_read_weights_agrees(machine):
    network = build()
    state = machine.a_state(network, BATCH)
    state = with_memory(state, read_weights=torch.zeros_like(state.memory.read_weights))
    machine.compare(network, torch.randn(BATCH, TIME, INPUT, dtype=torch.float64), state, tolerance=EXACT)


def test_the_initial_state_is_not_modified(machine):
    network = build()
    state = machine.a_state(network, BATCH)
    before = pytree.tree_map(torch.clone, state)
    with use_backend("cpu"):
        network(torch.randn(BATCH, TIME, INPUT, dtype=torch.float64), state)
    assert all(map(torch.equal, pytree.tree_leaves(state), pytree.tree_leaves(before)))


@pytest.mark.parametrize("write_gate", [0, 1])
def test_a_head_that_writes_nothing_or_all_to_one_slot_agrees(machine, write_gate):
    network = build(heads=1, slots=5, clip=None, strengths="none")
    with torch.no_grad():
        raw = network.cell.machine.interface.access.head_parameters
        _, write_gates, gates, _ = raw.linear.bias.split([sum(raw.sizes[:2]), 1, 1, 0])
        write_gates.fill_(1000 * write_gate - 500)
        gates.fill_(-500)
    xs = torch.randn(BATCH, 30, INPUT, dtype=torch.float64)
    machine.compare(network, xs, machine.a_state(build(heads=1, slots=5), BATCH), tolerance=EXACT)


def saved_numbers(network, time):
    """Return the tensors that the fused run saves for the backward pass, except parameters, inputs and the last memory."""
    saved = []
    with use_backend("cpu"), torch.autograd.graph.saved_tensors_hooks(lambda t: saved.append(t) or t, lambda t: t):
        network(torch.randn(1, time, network.input_size))
    slots = network.configuration["slots"]
    return sum(t.numel() for t in saved if slots not in t.shape)


def test_the_memory_for_the_backward_pass_does_not_depend_on_the_number_of_slots():
    few, many = (build(torch.float32, slots=slots, initial_memory="zeros") for slots in (1000, 50_000))
    assert saved_numbers(few, 50) == saved_numbers(many, 50)
    assert saved_numbers(many, 100) < 2.1 * saved_numbers(many, 50)


def test_nan_parameters_give_nan_and_no_crash():
    network = build(slots=5000, neighbours="approximate")
    with torch.no_grad():
        next(network.parameters()).fill_(torch.nan)
    with use_backend("cpu"):
        ys, _ = network(torch.randn(1, 4, INPUT, dtype=torch.float64))
    assert ys.isnan().all()


def test_invalid_slot_numbers_cause_no_crash(machine):
    network = build()
    state = machine.a_state(network, BATCH)
    wrong = torch.tensor([-7.0, 1e12, torch.nan, 2.4, torch.inf], dtype=torch.float64)

    def broken(part):
        places = wrong.repeat(part.places.numel())[: part.places.numel()].view_as(part.places)
        return dataclasses.replace(part, places=places, weights=torch.ones_like(part.weights))

    links = state.memory.links
    parts = {name: broken(getattr(links, name)) for name in ("before", "after", "last")}
    state = with_memory(state, links=dataclasses.replace(links, **parts))
    with use_backend("cpu"):
        ys, _ = network(torch.randn(BATCH, TIME, INPUT, dtype=torch.float64), state)
    assert ys.isfinite().all()


def test_approximate_neighbours_read_as_many_slots():
    network = build(slots=20_000, width=8, heads=4, nearest=4, neighbours="approximate")
    exact = build(slots=20_000, width=8, heads=4, nearest=4)
    exact.load_state_dict(network.state_dict())
    xs = 3 * torch.randn(4, 5, INPUT, dtype=torch.float64)
    with use_backend("cpu"):
        (ys, last), (wanted, _) = network(xs), exact(xs)
    assert ((last.memory.read_weights > 0).sum(-1) == 4).all()
    assert not torch.equal(ys, wanted)
