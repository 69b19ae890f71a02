"""Laws of near-ties: noise of the size of rounding errors never changes which slot is selected."""

import dataclasses
from functools import partial

import pytest
import torch

from memtape import DNCCell, NTMCell, unroll, use_backend
from memtape.core.backends import backends
from memtape.models.mann.mann import MANNCell
from memtape.models.sam.dam import DAMCell
from memtape.models.sam.sam import SAMCell
from memtape.models.sam.sdnc import SDNCCell
from memtape.ops import near_ties, sparse_access

INPUT, OUTPUT, BATCH, TIME, DRAWS = 2, 3, 3, 12, 3
NOISE = 1e-9
UNCHANGED = 1e-6
"""Limit of the noise in the outputs: a thousand times the input noise, as machines amplify it from step to step."""

SLOTS = {"slots": 9, "width": 4, "controller_size": 5, "initial_memory": "learned"}
HEADS = {"read_heads": 2, "write_heads": 3}
FEW = {"heads": 2, "nearest": 3}
EVERYTHING = {"masked": True, "mask_floor": 0.1, "sharpen_links": True, "deallocate": True}

MACHINES = {
    "ntm": lambda: NTMCell(INPUT, OUTPUT, **SLOTS, read_heads=2, write_heads=2),
    "dnc": lambda: DNCCell(INPUT, OUTPUT, **SLOTS),
    "dnc-heads": lambda: DNCCell(INPUT, OUTPUT, **SLOTS, **HEADS),
    "dnc-deallocate": lambda: DNCCell(INPUT, OUTPUT, **SLOTS, **HEADS, deallocate=True),
    "dnc-improved": lambda: DNCCell(INPUT, OUTPUT, **SLOTS, **HEADS, **EVERYTHING, layer_norm=True),
    "dnc-raised": lambda: DNCCell(INPUT, OUTPUT, **SLOTS, **HEADS, usage_epsilon=1e-6, usage_gradient=True),
    "dnc-sparse": lambda: DNCCell(INPUT, OUTPUT, **SLOTS, **HEADS, links="sparse", link_size=3),
    "dnc-content": lambda: DNCCell(INPUT, OUTPUT, **SLOTS, **HEADS, links="none"),
    "sam": lambda: SAMCell(INPUT, OUTPUT, **SLOTS, **FEW),
    "sam-one": lambda: SAMCell(INPUT, OUTPUT, **SLOTS, heads=3, nearest=1),
    "sdnc": lambda: SDNCCell(INPUT, OUTPUT, **SLOTS, **FEW, links=2),
    "dam": lambda: DAMCell(INPUT, OUTPUT, **SLOTS, heads=2),
    "mann": lambda: MANNCell(INPUT, OUTPUT, **SLOTS, heads=2),
}


HALVES = torch.tensor([0, 1, 2, 3, 0, 1, 2, 3, 0])
ORDER = torch.tensor([5.0, 2, 7, 1, 3, 8, 0, 6, 4], dtype=torch.float64)


def with_noise(tensor, noise):
    return tensor + noise * torch.rand_like(tensor)


def initial_state(cell):
    """Return a state with different but equally used slots, or, for sparse memories, with pairs of equal slots."""
    initial = cell.init_state(BATCH, dtype=torch.float64)
    memory = initial.memory
    parts = {"memory": memory.memory}
    if hasattr(memory, "usage"):
        parts["usage"] = torch.full_like(memory.usage, 0.3)
    if isinstance(cell, SAMCell | SDNCCell):
        parts = {"memory": memory.memory[:, HALVES], "usage": ORDER.expand_as(memory.usage)}
    return initial, parts


def outputs_of(cell, noise):
    """Return outputs of the same machine with different noise in its slots, usages and inputs."""
    torch.manual_seed(2)
    xs = torch.randn(BATCH, TIME, INPUT, dtype=torch.float64)
    initial, parts = initial_state(cell)
    found = []
    for draw in range(DRAWS):
        torch.manual_seed(draw)
        noisy = {name: with_noise(part, noise) for name, part in parts.items()}
        state = dataclasses.replace(initial, memory=dataclasses.replace(initial.memory, **noisy))
        found.append(unroll(cell, with_noise(xs, noise), state)[0].detach())
    return found


def spread(found):
    return max(float((other - found[0]).abs().max()) for other in found[1:])


@pytest.fixture(params=["reference", "cpu"])
def backend(request):
    if backends()[request.param]:
        pytest.skip(backends()[request.param])
    with use_backend(request.param):
        yield request.param


def moved(build):
    torch.manual_seed(1)
    cell = build().double()
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return cell


@pytest.mark.parametrize("build", MACHINES.values(), ids=MACHINES.keys())
def test_outputs_change_by_the_size_of_the_noise_only(build, backend):
    cell = moved(build)
    if backend != "reference" and cell.fused(backend) is None:
        pytest.skip("the cell has no fused kernel")
    assert spread(outputs_of(cell, NOISE)) < UNCHANGED
    assert spread(outputs_of(cell, 0.1)) > 1e-3


@pytest.mark.parametrize("name", ["dnc", "dnc-heads", "dnc-deallocate", "dnc-improved"])
def test_without_a_tolerance_noise_changes_the_allocation(name, backend):
    cell = moved(MACHINES[name])
    cell.machine.memory.usage_tolerance = 0.0
    assert spread(outputs_of(cell, NOISE)) > 1e-3


def test_without_a_tolerance_noise_changes_the_least_used_slot(monkeypatch):
    monkeypatch.setattr(sparse_access, "least_first", partial(near_ties.least_first, tolerance=0.0))
    with use_backend("reference"):
        assert spread(outputs_of(moved(MACHINES["mann"]), NOISE)) > 1e-3


@pytest.mark.parametrize("name", ["sam", "sdnc"])
def test_without_a_tolerance_noise_changes_the_nearest_slots(name, monkeypatch):
    monkeypatch.setattr(near_ties, "NEAR_TIE", 0.0)
    with use_backend("reference"):
        assert spread(outputs_of(moved(MACHINES[name]), NOISE)) > 1e-3
