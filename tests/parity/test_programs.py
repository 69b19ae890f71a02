"""Stored programs: the mixture of the kernels against the reference, for each machine, addressing and size."""

import pytest
import torch

from memtape import DNC, NUTM, use_backend
from memtape.kernels.machine import KEYS, PARAMETERS
from memtape.kernels.ntm import KERNELS

from .conftest import a_state, builder, compare, run, same_bits

# float64: both sides round at 1e-16. float32: rounding of 6e-8, amplified over the steps.
EXACT, SINGLE = 1e-10, 1e-4
BATCH, TIME = 5, 19
SIZES = {"slots": 6, "width": 4, "controller_size": 5}
MACHINES = {"nutm": builder(NUTM, **SIZES), "dnc": builder(DNC, **SIZES, programs=2)}
OPTIONS = {
    "defaults": {},
    "one program": {"programs": 1},
    "many programs with long keys": {"programs": 7, "program_key_size": 19},
    "short keys": {"programs": 3, "program_key_size": 1},
    "plain cosine": {"program_addressing": "cosine", "program_key_size": 3},
    "direct": {"program_addressing": "direct", "programs": 3},
    "many heads": {"read_heads": 3, "write_heads": 2},
    "layers": {"controller_layers": 2, "controller": "gru"},
    "feed-forward": {"controller": "feedforward"},
    "wide slots": {"width": 33, "read_heads": 2},
    "clipped": {"clip": 0.05},
}


@pytest.fixture(params=MACHINES.values(), ids=MACHINES)
def build(request):
    return request.param


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, EXACT), (torch.float32, SINGLE)])
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_a_machine_with_programs_agrees_with_the_reference(build, options, dtype, tolerance):
    network = build(dtype, **options)
    xs, lengths = torch.randn(BATCH, TIME, network.input_size, dtype=dtype), torch.tensor([TIME, 0, 7, 1, TIME])
    assert network.cell.fused("cpu") is not None
    compare(network, xs, a_state(network, BATCH, dtype), tolerance=tolerance, magnified=True, lengths=lengths)


def test_options_of_a_dnc_agree_with_programs():
    network = MACHINES["dnc"](masked=True, sharpen_links=True, mask_floor=0.1, read_heads=2, write_heads=2)
    xs = torch.randn(BATCH, TIME, network.input_size, dtype=torch.float64)
    compare(network, xs, a_state(network, BATCH), tolerance=EXACT, magnified=True)


def test_threads_and_recomputation_change_nothing(build):
    network = build(read_heads=2)
    xs = torch.randn(9, TIME, network.input_size, dtype=torch.float64)
    expected = run("reference", network, xs)
    for threads in (1, 3):
        torch.set_num_threads(threads)
        again = run("cpu", network, xs)
        same_bits(run("cpu", network, xs), again)
        compare(network, xs, tolerance=EXACT, magnified=True, checkpoint_every=4)
        assert set(again) == set(expected)


def test_hard_programs_run_the_reference(build):
    assert build(hard_programs=True).cell.fused("cpu") is None


def test_strengths_beyond_the_bend_of_softplus_agree(build):
    network = build()
    part = network.cell.machine.interface.head_parameters.linear
    with torch.no_grad():
        part.query.bias[-2:] = torch.tensor([25.0, -30.0])
    xs = torch.randn(BATCH, 5, network.input_size, dtype=torch.float64)
    compare(network, xs, tolerance=EXACT, magnified=True)


def test_a_query_of_zeros_agrees(build):
    network = build()
    part = network.cell.machine.interface.head_parameters.linear
    with torch.no_grad():
        part.query.weight.zero_()
        part.query.bias.zero_()
    xs = torch.randn(BATCH, 5, network.input_size, dtype=torch.float64)
    with use_backend("cpu"):
        assert network(xs)[0].isfinite().all()
    part.requires_grad_(False)  # the derivative of a direction at zero is 1e6, which magnifies rounding
    compare(network, xs, tolerance=EXACT, magnified=True)


@pytest.mark.parametrize("shape", [(3, 2, 2), (2, 0, 2), (0, 2, 2)])
def test_keys_that_do_not_fit_the_heads_are_refused(shape):
    network = MACHINES["nutm"]()
    fused = network.cell.fused("cpu")
    parameters = fused.controller.parameters(fused.cell)
    state = fused.plain(fused.cell.init_state(2, dtype=torch.float64))
    given = [getattr(parameters, name) for name in PARAMETERS]
    given[KEYS] = torch.zeros(shape, dtype=torch.float64)
    xs = torch.zeros(2, 3, network.input_size, dtype=torch.float64)
    with pytest.raises(
        ValueError, match=r"got keys of shape .*, but it has 2 heads with programs; give keys of 1 or more"
    ):
        KERNELS["cpu"](fused.form, type(parameters)(**dict(zip(PARAMETERS, given, strict=True))), state, xs, None)
