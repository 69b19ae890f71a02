"""Recomputation of every model: the gradients belong to the weights of the forward pass, or torch's error is raised."""

from functools import partial

import pytest
import torch
from torch.func import functional_call
from torch.nn.utils import parametrize

from memtape import use_backend
from memtape.catalog.registry import MODELS
from memtape.core.backends import backends
from memtape.core.recurrent import Recurrent

F64 = torch.float64
IN_EACH_COMMIT = ("gru", "ntm", "dnc", "sam")
BACKENDS = [name for name in ("reference", "cpu") if backends()[name] is None]
NAMES = [name for name, entry in MODELS.items() if issubclass(entry.load(), Recurrent)]
MARKED = [pytest.param(name, marks=[] if name in IN_EACH_COMMIT else pytest.mark.every_form, id=name) for name in NAMES]


@pytest.fixture(params=MARKED)
def network(request):
    """Each model, in float64 and with every parameter moved away from its initial value."""
    entry = MODELS[request.param]
    network = entry.load()(2, 3, **entry.card.small).double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return network


@pytest.fixture(params=BACKENDS, autouse=True)
def backend(request):
    with use_backend(request.param):
        yield


@pytest.fixture
def xs():
    return torch.randn(2, 5, 2, dtype=F64)


def loss_of(call, xs, every):
    return call(xs, checkpoint_every=every)[0].square().sum()


def same(first, second):
    for mine, other in zip(first, second, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-9, atol=1e-11)


def test_weights_that_were_changed_in_place_raise_torch_s_error(network, xs):
    loss = loss_of(network, xs, 2)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(1.5)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_weights_of_a_functional_call_have_their_gradients(network, xs):
    given = {name: tensor.detach().requires_grad_() for name, tensor in network.named_parameters()}

    def gradients(every):
        call = partial(functional_call, network, {name: 1.1 * tensor for name, tensor in given.items()})
        loss = loss_of(lambda *args, **options: call(args, options), xs, every)
        return torch.autograd.grad(loss, list(given.values()), materialize_grads=True)

    kept = gradients(None)
    assert any(part.any() for part in kept)
    same(gradients(2), kept)


class Scaled(torch.nn.Module):
    def forward(self, weight):
        return 1.1 * weight


def test_cached_parametrisations_have_their_gradients(network, xs):
    for part in list(network.modules()):
        for name, parameter in list(part.named_parameters(recurse=False)):
            if parameter.ndim == 2:
                parametrize.register_parametrization(part, name, Scaled())
    parameters = list(network.parameters())

    def gradients(every):
        with parametrize.cached():
            loss = loss_of(network, xs, every)
        return torch.autograd.grad(loss, parameters, materialize_grads=True)

    kept = gradients(None)
    assert any(part.any() for part in kept)
    same(gradients(2), kept)
