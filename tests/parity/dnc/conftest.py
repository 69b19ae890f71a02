"""Run a Differentiable Neural Computer on both backends and compare all results."""

import pytest
import torch

from memtape import DNC

INPUT, OUTPUT = 3, 2


def build(dtype=torch.float64, *, seed=0, moved=0.3, **options):
    """Return a machine with every parameter moved away from its initial value.

    Its initial slots differ: else the rounding of each backend would decide which of two slots that differ in their
    last bits only is allocated first.
    """
    torch.manual_seed(seed)
    small = {"slots": 6, "width": 4, "controller_size": 5, "initial_memory": "random"}
    network = DNC(INPUT, OUTPUT, **(small | options)).to(dtype)
    with torch.no_grad():
        for parameter in network.parameters():
            spread = moved * (5 / max(5, parameter.shape[-1])) ** 0.5
            parameter.add_(spread * torch.randn_like(parameter))
    return network


@pytest.fixture(scope="session")
def computer(machine):
    return type("Computers", (machine,), {"build": staticmethod(build)})
