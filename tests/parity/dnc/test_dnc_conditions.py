"""Conditions of the DNC's kernel beyond those of all machines: NaN, errors, and saved memory."""

import ctypes

import pytest
import torch

from memtape import use_backend
from memtape.kernels import calling
from memtape.kernels.dnc.cpu import dnc_on_cpu

F64 = torch.float64
BATCH, TIME = 5, 19


def sequences(network, batch=BATCH, time=TIME, dtype=F64):
    return torch.randn(batch, time, network.input_size, dtype=dtype)


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
