"""Named cases: sizes around the width of a vector register, each option alone, and options without a fused kernel."""

import pytest
import torch

from memtape import DNC, NTM, use_backend

EXACT = 1e-9  # float64: both sides round at 1e-16; the worst of these cases is 6.1e-15
SINGLE = 1e-4  # float32: rounding of 6e-8, amplified over the steps; the worst of these cases is 8.3e-6

SIZES = (1, 3, 15, 16, 17, 63, 65)

OPTIONS = {
    "defaults": {},
    "gru": {"controller": "gru"},
    "rnn": {"controller": "rnn"},
    "feedforward": {"controller": "feedforward"},
    "two layers": {"controller_layers": 2},
    "three layers of gru": {"controller": "gru", "controller_layers": 3},
    "two feedforward layers": {"controller": "feedforward", "controller_layers": 2},
    "many heads": {"read_heads": 3, "write_heads": 3},
    "more read heads than one pass takes": {"read_heads": 9, "slots": 17},
    "gradients through what is used": {"usage_gradient": True, "write_heads": 2, "read_heads": 2},
    "usages raised": {"usage_epsilon": 0.1, "write_heads": 2},
    "usages equal within a tenth": {"usage_tolerance": 0.1, "write_heads": 2},
    "freed slots erased": {"deallocate": True, "read_heads": 2, "write_heads": 2},
    "masks": {"masked": True, "read_heads": 2, "write_heads": 2, "product_epsilon": 1e-3},
    "masks with a floor": {"masked": True, "mask_floor": 0.3, "clip": None},
    "masks of no effect": {"masked": True, "mask_floor": 1.0},
    "sharpened links": {"sharpen_links": True, "read_heads": 5, "write_heads": 2},
    "all improvements": {"masked": True, "sharpen_links": True, "deallocate": True, "slots": 17},
    "other epsilons": {"norm_epsilon": 1e-2, "product_epsilon": 1e-2},
    "tanh, softplus and no clip": {"squash": True, "strengths": "softplus", "clip": None},
    "tightly clipped": {"clip": 0.05},
    "clipped outputs": {"output_clip": 0.3, "read_heads": 2},
    "learned initial state": {"initial_memory": "learned", "initial_reads": "learned", "initial_controller": "learned"},
    "learned initial state of layers": {"controller_layers": 2, "initial_controller": "learned"},
}

BATCH, TIME = 3, 9
EVERYTHING = {
    "lengths": torch.tensor([TIME, 1, 6]),
    "starts": torch.tensor([[t in starts for t in range(TIME)] for starts in [(0, 4), (0, 3), (2, 3, 8)]]),
    "checkpoint_every": 4,
}


def agree(computer, dtype, tolerance, batch=BATCH, time=TIME, run=None, **options):
    return computer.agree(dtype, tolerance, batch, time, run, **options)


both_dtypes = pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float64, EXACT), (torch.float32, SINGLE)], ids=["float64", "float32"]
)


@both_dtypes
@pytest.mark.parametrize("slots", SIZES)
def test_any_number_of_slots_agrees(computer, dtype, tolerance, slots):
    agree(computer, dtype, tolerance, slots=slots, read_heads=2)


@both_dtypes
@pytest.mark.parametrize("reads", range(1, 9))
def test_any_number_of_read_heads_agrees(computer, dtype, tolerance, reads):
    agree(computer, dtype, tolerance, time=4, read_heads=reads, slots=17, moved=0.1)


@both_dtypes
@pytest.mark.parametrize("size", SIZES)
def test_any_width_and_any_controller_size_agree(computer, dtype, tolerance, size):
    agree(computer, dtype, tolerance, time=4, width=size, moved=0.1)
    agree(computer, dtype, tolerance, time=4, controller_size=size, controller_layers=2, moved=0.1)


@pytest.mark.parametrize("batch", [1, 2, 7, 8, 9, 21])
def test_any_batch_agrees(computer, batch):
    agree(computer, torch.float64, EXACT, batch=batch, run={"lengths": torch.arange(batch) % TIME + 1})


@pytest.mark.parametrize("time", [1, 2, 15, 16, 17, 32, 33])
def test_any_time_agrees(computer, time):
    agree(computer, torch.float64, EXACT, time=time, moved=0.1)
    agree(computer, torch.float64, EXACT, time=time, moved=0.1, deallocate=True, write_heads=2)


@pytest.mark.slow
def test_a_long_time_agrees(computer):
    agree(computer, torch.float64, EXACT, time=300, moved=0.1)


@both_dtypes
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_every_option_agrees(computer, dtype, tolerance, options):
    agree(computer, dtype, tolerance, run=EVERYTHING, **options)


def test_outputs_agree_with_equal_initial_slots(computer):
    network = computer.build(initial_memory="zeros", read_heads=2)
    found = {}
    for backend in ("reference", "cpu"):
        xs = torch.randn(
            BATCH, TIME, network.input_size, dtype=torch.float64, generator=torch.Generator().manual_seed(0)
        )
        with use_backend(backend):
            ys, _ = network(xs.requires_grad_())
        found[backend] = [ys, *torch.autograd.grad(ys.square().sum(), [xs, *network.parameters()])]
    torch.testing.assert_close(found["cpu"], found["reference"], rtol=EXACT, atol=EXACT)


def test_an_empty_batch_runs(computer):
    network = computer.build()
    xs = torch.zeros(0, 4, network.input_size, dtype=torch.float64)
    found = computer.run("cpu", network, xs)
    assert found["outputs"].shape == (0, 4, network.output_size)
    computer.differences(found, computer.run("reference", network, xs))


STEPPED = {
    "sparse links": {"links": "sparse", "link_size": 2},
    "no links": {"links": "none"},
    "normalised": {"layer_norm": True},
    "bypass dropped": {"bypass_dropout": 0.5},
}


@pytest.mark.parametrize("options", STEPPED.values(), ids=STEPPED)
def test_options_without_a_fused_kernel_run_in_single_steps(options):
    assert DNC(3, 2, slots=5, width=3, controller_size=4).cell.fused("cpu") is not None
    assert DNC(3, 2, slots=5, width=3, controller_size=4, **options).cell.fused("cpu") is None


def test_dropout_needs_single_steps_in_training_only(computer):
    network = computer.build(bypass_dropout=0.5)
    assert network.cell.fused("cpu") is None
    assert network.eval().cell.fused("cpu") is not None
    agree(computer, torch.float64, EXACT)


def test_only_the_cpu_backend_has_a_fused_kernel():
    for network in (DNC(3, 2), NTM(3, 2)):
        assert network.cell.fused("triton") is None
