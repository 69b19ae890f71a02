"""Every test starts with the same seeds and computes on one thread."""

import sys
from pathlib import Path

import jaxtyping
import pytest
import torch
from hypothesis import settings
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode

settings.register_profile("repeatable", derandomize=True, database=None, deadline=None, max_examples=30)
settings.load_profile("repeatable")


ROUNDING = {torch.float64: {"rtol": 1e-10, "atol": 1e-12}, torch.float32: {"rtol": 1e-5, "atol": 1e-6}}
"""Tolerances for results that sum the same numbers in another order: the rounding of a matrix product depends on its
shape, on the number of threads and on the instructions of the processor. Thousands of times the last bit of numbers
around 1 in float64, about ten times in float32."""


@pytest.fixture(scope="session")
def equal_up_to_rounding():
    """Return a comparison for two calls that compute the same with other shapes; equal calls give equal bits."""

    def check(actual, expected):
        first, second = pytree.tree_leaves(actual), pytree.tree_leaves(expected)
        assert len(first) == len(second)
        for one, other in zip(first, second, strict=True):
            torch.testing.assert_close(one, other, **ROUNDING.get(one.dtype, {"rtol": 0, "atol": 0}))

    return check


@pytest.fixture(autouse=True)
def same_seeds():
    torch.set_num_threads(1)
    torch.manual_seed(0)


@pytest.fixture
def shapes_unchecked(monkeypatch):
    """Call the library as a user does, without the hook that checks shape annotations, so that its own errors are
    raised.
    """
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)


class OperatorCalls(TorchDispatchMode):
    """Record the calls of memtape's operators, each with its arguments."""

    def __init__(self):
        super().__init__()
        self.calls = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func.namespace == "memtape":
            self.calls.append((func, args))
        return func(*args, **(kwargs or {}))


@pytest.fixture
def operator_calls():
    """A block that records the calls of memtape's operators."""
    return OperatorCalls()


@pytest.fixture
def fake_training(monkeypatch):
    """Replace the command of sweeps by a script that writes the files of a training run at once."""
    command = (sys.executable, str(Path(__file__).with_name("fake_training.py")))
    monkeypatch.setattr("memtape.experiments.sweep.workers.COMMAND", command)
    return command
