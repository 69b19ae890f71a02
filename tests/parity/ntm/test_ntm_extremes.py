"""Extreme numbers: results are finite where the reference is finite, and NaN where it is NaN."""

import dataclasses

import pytest
import torch

from memtape import tree, use_backend

pytestmark = pytest.mark.usefixtures("shapes_unchecked")

BATCH, TIME = 3, 4
SIZES = [1.0, 1e10, 1e14, 1e16, 1e20, 1e30]


def large(machine, dtype, memory, keys, **options):
    """Return a linear machine with keys of one size, and a state whose memory has entries of another."""
    network = machine.build(dtype, squash=False, clip=None, read_heads=2, **options)
    with torch.no_grad():
        network.cell.machine.interface.head_parameters.linear.weight[: 3 * 4].mul_(keys)
    state = machine.a_state(machine.build(dtype, read_heads=2, **options), BATCH, dtype)
    grown = dataclasses.replace(state.memory, memory=state.memory.memory * memory)
    return network, torch.randn(BATCH, TIME, network.input_size, dtype=dtype), dataclasses.replace(state, memory=grown)


@pytest.mark.parametrize("memory", SIZES)
@pytest.mark.parametrize("keys", SIZES)
@pytest.mark.parametrize("similarity", ["cosine", "dot"])
def test_huge_slots_and_keys_are_finite_and_agree(machine, similarity, keys, memory):
    network, xs, state = large(machine, torch.float32, memory, keys, similarity=similarity)
    machine.compare(network, xs, state, tolerance=1e-4)  # worst measured 3.6e-6


@pytest.mark.parametrize("memory", [1e20, 1e160, 1e300])
@pytest.mark.parametrize("keys", [1.0, 1e160, 1e300])
@pytest.mark.parametrize("similarity", ["cosine", "dot"])
def test_huge_slots_and_keys_are_finite_and_agree_in_float64_too(machine, similarity, keys, memory):
    network, xs, state = large(machine, torch.float64, memory, keys, similarity=similarity)
    machine.compare(network, xs, state, tolerance=1e-10)


@pytest.mark.parametrize("similarity", ["cosine", "dot"])
@pytest.mark.parametrize("addressing", ["location", "content"])
def test_an_empty_memory_and_keys_of_zero_agree(machine, similarity, addressing):
    network = machine.build(similarity=similarity, addressing=addressing)
    with torch.no_grad():
        network.cell.machine.interface.head_parameters.linear.weight[: 2 * 4].zero_()
        network.cell.machine.interface.head_parameters.linear.bias[: 2 * 4].zero_()
    state = machine.a_state(network, BATCH)
    bare = dataclasses.replace(state.memory, memory=torch.zeros_like(state.memory.memory))
    xs = torch.randn(BATCH, TIME, network.input_size, dtype=torch.float64)
    machine.compare(network, xs, dataclasses.replace(state, memory=bare), tolerance=1e-10)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("controller", ["lstm", "gru", "rnn", "feedforward"])
def test_saturated_gates_agree(machine, dtype, controller):
    network = machine.build(dtype, controller=controller, clip=None)
    xs = 1e4 * torch.randn(BATCH, TIME, network.input_size, dtype=dtype)
    with torch.no_grad():
        network.cell.machine.interface.head_parameters.linear.bias.mul_(300)
    machine.compare(network, xs, tolerance=1e-4 if dtype == torch.float32 else 1e-10)


def test_interface_vectors_at_the_bound_of_clipping_have_the_reference_s_gradient(machine):
    network = machine.build(clip=0.25)
    head = network.cell.machine.interface.head_parameters.linear
    with torch.no_grad():
        head.weight.zero_()
        head.bias.copy_(torch.tensor([-0.5, -0.25, 0.0, 0.25, 0.5]).repeat(20)[: len(head.bias)])
    xs = torch.randn(BATCH, TIME, network.input_size, dtype=torch.float64)
    machine.compare(network, xs, tolerance=1e-10)


PLACES = [
    "controller.cell.from_input.weight",
    "controller.cell.from_hidden.weight",
    "controller.cell.from_input.bias",
    "interface.head_parameters.linear.weight",
    "interface.head_parameters.linear.bias",
    "to_output.weight",
    "to_output.bias",
    "initial_reads",
    "memory.initial_logits",
]


@pytest.mark.parametrize("place", PLACES)
def test_nan_in_a_parameter_reaches_the_same_results_as_in_the_reference(machine, place):
    network = machine.build(torch.float32, slots=20)
    parameter = dict(network.cell.machine.named_parameters())[place]
    xs = torch.randn(BATCH, TIME, network.input_size)
    for index in range(0, parameter.numel(), max(1, parameter.numel() // 7)):
        kept = parameter.detach().flatten()[index].clone()
        parameter.data.view(-1)[index] = torch.nan
        found = {}
        for backend in ("reference", "cpu"):
            with use_backend(backend), torch.no_grad():
                ys, last = network(xs)
            found[backend] = [part.isnan() for part in (ys, *tree.leaves(last))]
        assert any(mask.any() for mask in found["reference"])
        for actual, expected in zip(found["cpu"], found["reference"], strict=True):
            assert torch.equal(actual, expected), index
        parameter.data.view(-1)[index] = kept


def test_nan_in_one_row_s_state_stays_in_that_row(machine):
    network = machine.build(torch.float32)
    xs, state = torch.randn(BATCH, TIME, network.input_size), machine.a_state(network, BATCH, torch.float32)
    machine.nan_stays_in_its_row(network, xs, state)


def test_out_of_memory_is_reported_in_one_sentence(machine, monkeypatch):
    from memtape.kernels import calling  # noqa: PLC0415

    class Exhausted:
        """Kernels for which every call fails to allocate memory."""

        def __getattr__(self, name):
            if name.startswith(("memtape_ntm_forward", "memtape_ntm_backward")):
                return lambda *records: 1
            return getattr(real, name)

    real = calling.kernels().library
    network = machine.build()
    xs = torch.randn(BATCH, TIME, network.input_size, dtype=torch.float64)
    with use_backend("cpu"):
        ys, _ = network(xs)
        monkeypatch.setattr(calling, "kernels", type("Found", (), {"library": Exhausted()}))
        message = "the fused NTM ran out of memory; use a smaller batch or shorter sequences, or store fewer"
        with pytest.raises(MemoryError, match=message):
            network(xs)
        with pytest.raises(MemoryError, match=message):
            ys.sum().backward()
