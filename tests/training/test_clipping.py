"""Clipping: the gradient after clipping by norm or by value."""

import math

import pytest
import torch
from torch import nn

from memtape.training.parallel.processes import Processes
from memtape.training.parallel.replicas import Replicas
from memtape.training.settings import TrainSettings

LIMIT = 2.0


def clipped(length, clip, dtype=torch.float64):
    """Return a gradient of the given norm over two parameters, the clipped gradient, and the reported norm."""
    torch.manual_seed(0)
    network = nn.Linear(4, 3).to(dtype)
    whole = torch.randn(15, dtype=dtype)
    whole = whole / whole.norm() * length
    network.weight.grad, network.bias.grad = whole[:12].reshape(3, 4).clone(), whole[12:].clone()
    settings = TrainSettings(device="cpu", clip=clip, clip_limit=LIMIT)
    norm = Replicas(network, settings, Processes(settings)).clip()
    return whole, torch.cat([parameter.grad.flatten() for parameter in network.parameters()]), norm


@pytest.mark.parametrize("length", [1e-3, 1.0, 1.999, 2.001, 7.0, 1e6])
def test_the_norm_is_clipped_to_the_limit_and_the_direction_is_kept(length):
    whole, left, norm = clipped(length, "norm")
    assert norm == pytest.approx(length)
    assert left.norm().item() == pytest.approx(min(length, LIMIT), rel=1e-5)  # torch adds 1e-6 to the norm
    assert torch.cosine_similarity(whole, left, dim=0).item() == pytest.approx(1)
    if length < LIMIT:
        assert torch.equal(whole, left)


def test_a_gradient_whose_square_overflows_is_clipped_like_any_other():
    whole, left, norm = clipped(1e30, "norm", torch.float32)
    assert norm == pytest.approx(1e30)
    assert left.norm().item() == pytest.approx(LIMIT, rel=1e-5)
    assert torch.cosine_similarity(whole / 1e30, left, dim=0).item() == pytest.approx(1)


@pytest.mark.parametrize("length", [1.0, 7.0, 1e6])
def test_values_are_clipped_to_the_limit_separately(length):
    whole, left, norm = clipped(length, "value")
    assert norm == pytest.approx(length)
    assert torch.equal(left, whole.clamp(-LIMIT, LIMIT))
    assert left.abs().max() <= LIMIT


def test_clipping_values_changes_the_direction_of_the_gradient():
    whole, left, _ = clipped(7.0, "value")
    assert torch.cosine_similarity(whole, left, dim=0).item() < 0.999


@pytest.mark.parametrize("length", [1.0, 1e6])
def test_without_clipping_a_gradient_is_unchanged(length):
    whole, left, norm = clipped(length, "none")
    assert torch.equal(whole, left)
    assert norm == pytest.approx(length)
    assert not math.isinf(norm)


def test_each_tensor_is_clipped_by_its_own_norm():
    whole, left, norm = clipped(7.0, "tensor")
    assert norm == pytest.approx(7)
    assert whole[:12].norm() > LIMIT < whole[12:].norm()
    for part in (slice(12), slice(12, 15)):
        assert left[part].norm().item() == pytest.approx(LIMIT, rel=1e-5)
        assert torch.cosine_similarity(whole[part], left[part], dim=0).item() == pytest.approx(1)
    whole, left, _ = clipped(1.0, "tensor")
    assert torch.equal(whole, left)
