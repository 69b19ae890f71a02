"""Every test begins from the same seeds and computes on one thread."""

import sys
from pathlib import Path

import jaxtyping
import pytest
import torch
from hypothesis import settings
from torch.utils import _pytree as pytree

settings.register_profile("repeatable", derandomize=True, database=None, deadline=None, max_examples=30)
settings.load_profile("repeatable")


ROUNDING = {torch.float64: {"rtol": 1e-10, "atol": 1e-12}, torch.float32: {"rtol": 1e-5, "atol": 1e-6}}
"""How far the same numbers may differ if they were summed in another order: a product of matrices rounds by its shape, by the
threads that share it and by the instructions of the processor. Thousands of times the last bit of numbers around 1 in float64,
some ten times in float32."""


@pytest.fixture(scope="session")
def equal_up_to_rounding():
    """Return how to compare two calls that compute the same by other shapes; the same call made twice gives equal bits."""

    def check(actual, expected):
        first, second = pytree.tree_leaves(actual), pytree.tree_leaves(expected)
        assert len(first) == len(second)
        for one, other in zip(first, second, strict=True):
            torch.testing.assert_close(one, other, **ROUNDING.get(one.dtype, {"rtol": 0, "atol": 0}))

    return check


@pytest.fixture(autouse=True)
def same_beginning():
    torch.set_num_threads(1)
    torch.manual_seed(0)


@pytest.fixture
def shapes_unchecked(monkeypatch):
    """Call the library as a user does, without the hook that executes annotations: its own errors come through."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)


@pytest.fixture
def stand_in(monkeypatch):
    """Let sweeps call a script that writes at once what a training leaves."""
    command = (sys.executable, str(Path(__file__).with_name("stand_in.py")))
    monkeypatch.setattr("memtape.experiments.sweep.workers.COMMAND", command)
    return command
