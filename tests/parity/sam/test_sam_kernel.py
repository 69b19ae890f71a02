"""The fused Sparse Access Memory against single steps: outputs, last state, every gradient, and properties of its own."""

import dataclasses

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from memtape import use_backend
from memtape.kernels.calling import call, function, pointers
from memtape.kernels.machine import PARAMETERS, Given
from memtape.kernels.sam.cpu import sam_on_cpu
from memtape.models.sam.dam import DAM
from memtape.models.sam.sam import SAM

# float64: both sides round at 1e-16; the worst of these cases is 1e-14.
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
    "gru": {"controller": "gru", "squash": True},
    "rnn": {"controller": "rnn", "strengths": "softplus"},
    "feedforward": {"controller": "feedforward", "strengths": "none"},
    "three layers": {"controller_layers": 3, "clip": None},
    "one nearest": {"nearest": 1},
    "all slots": {"nearest": 12},
    "as many heads as slots": {"heads": 5, "slots": 5, "initial_memory": "zeros"},
    "tightly clipped": {"clip": 0.05},
    "a high threshold": {"threshold": 0.3, "initial_memory": "zeros"},
    "approximate, of a small memory": {"neighbours": "approximate"},
}


def build(dtype=torch.float64, *, seed=0, moved=0.3, **options):
    torch.manual_seed(seed)
    usual = {"slots": 12, "width": 4, "heads": 2, "nearest": 3, "controller_size": 5, "initial_memory": "random"}
    network = SAM(INPUT, OUTPUT, **(usual | options)).to(dtype)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(moved * (5 / max(5, parameter.shape[-1])) ** 0.5 * torch.randn_like(parameter))
    return network


def agree(machine, network, dtype=torch.float64, tolerance=EXACT, batch=BATCH, time=TIME, **run):
    xs = torch.randn(batch, time, network.input_size, dtype=dtype)
    machine.compare(network, xs, tolerance=tolerance)
    return machine.compare(network, xs, machine.a_state(network, batch, dtype), tolerance=tolerance, **run)


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_every_option_agrees(machine, options):
    agree(machine, build(**options), **EVERYTHING)


@pytest.mark.parametrize("size", [1, 3, 17, 33, 64])
def test_any_width_and_size_agrees(machine, size):
    agree(machine, build(width=size, controller_size=size, slots=size + 3))
    agree(
        machine, build(torch.float32, width=size, controller_size=size, slots=size + 3), torch.float32, SINGLE, time=4
    )


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
    read_weights = torch.rand_like(state.memory.read_weights)
    state = dataclasses.replace(state, memory=dataclasses.replace(state.memory, read_weights=read_weights))
    machine.compare(network, torch.randn(BATCH, TIME, INPUT, dtype=torch.float64), state, tolerance=EXACT)


def test_the_dense_memory_has_no_fused_kernel():
    assert DAM(3, 2).cell.fused("cpu") is None


def test_nan_parameters_give_nan_and_no_crash():
    network = build(slots=5000, neighbours="approximate")
    with torch.no_grad():
        next(network.parameters()).fill_(torch.nan)
    with use_backend("cpu"):
        ys, _ = network(torch.randn(1, 4, INPUT, dtype=torch.float64))
    assert ys.isnan().all()


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


def test_a_hundred_steps_with_65536_slots_save_less_than_2_mebibytes():
    published = {"width": 32, "heads": 4, "nearest": 4, "controller_size": 100, "slots": 65_536}
    assert 4 * saved_numbers(build(torch.float32, initial_memory="zeros", **published), 100) < 2 * 2**20


def test_the_writes_are_rolled_back_bit_for_bit():
    network, xs = build(torch.float32, heads=2, slots=9), torch.randn(BATCH, 30, INPUT)
    fused, initial = network.cell.fused("cpu"), network.init_state(BATCH)
    initial = dataclasses.replace(initial, memory=dataclasses.replace(initial.memory, memory=torch.randn(BATCH, 9, 4)))
    parameters, state = fused.controller.parameters(fused.cell), fused.plain(initial)
    given = [
        xs,
        *(getattr(parameters, name) for name in PARAMETERS),
        *(getattr(state, name) for name in sam_on_cpu.state),
    ]
    form, numbers = [0, 0, 0, 3, 0, 0, 2], [0.005, 20.0]
    _, *last, saved, first_nearest = torch.ops.memtape.sam(*given, None, None, None, form, numbers, True)
    plain = Given.of(tuple(tensor.detach().contiguous() for tensor in given))
    sizes = sam_on_cpu.sizes(plain, (None, None, None), form, numbers)
    back = last[0].detach().clone()
    assert not torch.equal(back, initial.memory.memory)
    sizes.first_nearest, sizes.memory, sizes.rolled_back = int(first_nearest), last[0].data_ptr(), back.data_ptr()
    found = Given.of(sam_on_cpu.gradients(plain, [True, True, True]))
    call(
        "SAM",
        function("sam_backward", torch.float32),
        sizes,
        pointers(sam_on_cpu.parameters_struct, plain.parameters),
        plain.xs,
        saved,
        torch.randn(BATCH, 30, OUTPUT),
        pointers(sam_on_cpu.state_struct, [None] * len(sam_on_cpu.state)),
        pointers(sam_on_cpu.parameters_struct, found.parameters),
        found.xs,
        pointers(sam_on_cpu.state_struct, found.state),
    )
    assert torch.equal(back, initial.memory.memory)


def large(neighbours, **options):
    """Return a network with a memory that approximate neighbours search in part."""
    return build(slots=20_000, width=8, heads=4, nearest=4, neighbours=neighbours, **options)


def test_approximate_neighbours_are_mostly_the_nearest():
    exact, approximate = large("exact"), large("approximate")
    approximate.load_state_dict(exact.state_dict())
    xs = 3 * torch.randn(16, 1, INPUT, dtype=torch.float64)
    with use_backend("cpu"):
        wanted, seen = (network(xs)[1].memory.read_weights > 0 for network in (exact, approximate))
    assert (seen.sum(-1) == 4).all()
    assert not torch.equal(seen, wanted)
    assert (seen & wanted).sum() / wanted.sum() > 0.5


def test_gradients_through_approximate_neighbours_match_finite_differences():
    network, xs = large("approximate"), torch.randn(1, 3, INPUT, dtype=torch.float64, requires_grad=True)
    with use_backend("cpu"):
        assert torch.autograd.gradcheck(lambda xs: network(xs)[0], xs, fast_mode=True)


def test_the_index_is_updated_while_the_memory_is_filled():
    network, time = large("approximate", initial_memory="zeros"), 2600
    with use_backend("cpu"), torch.no_grad():
        ys, last = network(torch.randn(1, time, INPUT, dtype=torch.float64))
    assert ys.isfinite().all()
    assert ((last.memory.read_weights > 0).sum(-1) == 4).all()
    assert (last.memory.memory.abs().sum(-1) > 0).sum() > 8192
