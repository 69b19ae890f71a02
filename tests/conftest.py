"""Every test begins from the same seeds and computes on one thread."""

import sys
from pathlib import Path

import jaxtyping
import pytest
import torch
from hypothesis import settings

settings.register_profile("repeatable", derandomize=True, database=None, deadline=None, max_examples=30)
settings.load_profile("repeatable")


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
