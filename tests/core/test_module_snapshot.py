"""Module snapshot: recomputation uses the tensors and the mode that a module had in the forward pass."""

from threading import Barrier, Thread

import pytest
import torch
from torch import nn
from torch.func import functional_call, grad
from torch.nn.utils import parametrize
from torch.nn.utils.parametrizations import spectral_norm

from memtape.core.module_snapshot import ModuleSnapshot
from memtape.core.recompute import recomputed

F64 = torch.float64


class Net(nn.Module):
    """Two steps of a layer, each recomputed in the backward pass or not."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 3)
        self.register_buffer("scale", torch.linspace(0.5, 1.5, 3))

    def step(self, xs):
        return (self.layer(xs) * self.scale).tanh()

    def forward(self, xs, again=True):
        for _ in range(2):
            xs = recomputed(self.step, self, xs) if again else self.step(xs)
        return xs


@pytest.fixture
def net():
    return Net().double()


@pytest.fixture
def xs():
    return torch.randn(4, 3, dtype=F64, requires_grad=True)


def same(first, second):
    for mine, other in zip(first, second, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-12, atol=1e-12)


def gradients(ys, tensors, **options):
    return torch.autograd.grad(ys.square().sum(), tensors, **options)


def tensors_of(net, xs):
    return [xs, *net.parameters()]


@pytest.mark.parametrize("name", ["layer.weight", "layer.bias", "scale"])
def test_a_tensor_that_was_changed_in_place_raises_torch_s_error(net, xs, name):
    ys = net(xs)
    with torch.no_grad():
        net.state_dict(keep_vars=True)[name].mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        ys.sum().backward()


def test_a_tensor_that_was_replaced_has_no_influence(net, xs):
    before = tensors_of(net, xs)
    expected = gradients(net(xs, again=False), before)
    ys = net(xs)
    others = Net().double()
    replaced = {
        name: tensor.clone().requires_grad_(tensor.requires_grad) for name, tensor in others.state_dict().items()
    }
    net.load_state_dict(replaced, assign=True)
    same(gradients(ys, before), expected)
    assert all(torch.equal(tensor, replaced[name]) for name, tensor in net.state_dict().items())
    assert all(isinstance(parameter, nn.Parameter) for parameter in net.parameters())


def test_tensors_of_a_functional_call_have_their_gradients(net, xs):
    given = {name: (2 * tensor).requires_grad_() for name, tensor in net.state_dict().items()}

    def found(again):
        derived = {name: tensor.sin() for name, tensor in given.items()}
        return gradients(functional_call(net, derived, (xs,), {"again": again}), [xs, *given.values()])

    assert all(part.abs().sum() > 0 for part in found(False))
    same(found(True), found(False))


class Doubled(nn.Module):
    def forward(self, weight):
        return 2 * weight


@pytest.mark.parametrize("during", ["forward pass", "backward pass", "both"])
def test_cached_parametrisations_have_their_gradients(net, xs, during):
    parametrize.register_parametrization(net.layer, "weight", Doubled())
    expected = gradients(net(xs, again=False), tensors_of(net, xs))
    if during == "both":
        with parametrize.cached():
            found = gradients(net(xs), tensors_of(net, xs), retain_graph=True)
            same(gradients(net(xs, again=False), tensors_of(net, xs)), expected)
    elif during == "forward pass":
        with parametrize.cached():
            ys = net(xs)
        found = gradients(ys, tensors_of(net, xs))
    else:
        ys = net(xs)
        with parametrize.cached():
            found = gradients(ys, tensors_of(net, xs))
            same(gradients(net(xs, again=False), tensors_of(net, xs)), expected)
    same(found, expected)


def test_a_gradient_of_a_gradient_counts_each_path_once(net, xs):
    tensors = tensors_of(net, xs)
    first = gradients(net(xs, again=False), tensors, create_graph=True)
    again = gradients(net(xs), tensors, create_graph=True)
    same(again, first)
    second = [torch.autograd.grad(sum(part.square().sum() for part in parts), tensors) for parts in (first, again)]
    same(*second)


def test_one_tensor_given_twice_has_its_gradient_once(net, xs):
    def step(first, second):
        return net.step(first) * second

    expected = gradients(step(xs, xs), xs)
    for twice in (False, True):
        same(gradients(recomputed(step, net, xs, xs), xs, create_graph=twice), expected)


def test_hooks_of_a_parameter_are_called_once(net, xs):
    expected = gradients(net(xs, again=False), net.layer.weight)
    net.layer.weight.register_hook(lambda gradient: 2 * gradient)
    net(xs).square().sum().backward()
    same([net.layer.weight.grad / 2], expected)


def test_a_parameter_may_be_frozen_or_unfrozen_before_the_backward_pass(net, xs):
    net.layer.bias.requires_grad_(False)
    expected = gradients(net(xs, again=False), [xs, net.layer.weight])
    ys, weight = net(xs), net.layer.weight
    net.layer.weight.requires_grad_(False)
    net.layer.bias.requires_grad_(True)
    (found,) = gradients(ys, [xs])
    same([found], expected[:1])
    assert weight.grad is None
    assert net.layer.bias.grad is None


def test_the_mode_of_the_forward_pass_is_used(net, xs):
    net.layer = nn.Sequential(nn.Linear(3, 3), nn.Dropout(0.5)).double()
    torch.manual_seed(1)
    expected = gradients(net(xs, again=False), tensors_of(net, xs))
    torch.manual_seed(1)
    ys = net(xs)
    net.eval()
    same(gradients(ys, tensors_of(net, xs)), expected)
    assert not net.layer[1].training


@pytest.mark.parametrize("kind", ["running mean", "spectral norm"])
def test_buffers_that_a_step_changes_are_changed_once(xs, kind):
    def built():
        torch.manual_seed(2)
        net = Net()
        net.layer = (
            nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3)) if kind == "running mean" else spectral_norm(net.layer)
        )
        return net.double()

    kept, anew = built(), built()
    expected = gradients(kept(xs, again=False), tensors_of(kept, xs))
    ys = anew(xs)
    after = {name: tensor.clone() for name, tensor in anew.state_dict().items()}
    same(gradients(ys, tensors_of(anew, xs)), expected)
    for name, tensor in anew.state_dict().items():
        assert torch.equal(tensor, after[name])
        torch.testing.assert_close(tensor, kept.state_dict()[name])


def test_tied_parameters_have_one_gradient(net, xs):
    net.other = nn.Linear(3, 3).double()
    net.other.weight = net.layer.weight
    net.step = lambda xs: net.other(net.layer(xs)).tanh()
    tensors = tensors_of(net, xs)
    expected = gradients(net(xs, again=False), tensors)
    same(gradients(net(xs), tensors), expected)
    same(gradients(net(xs), tensors, create_graph=True), expected)


def test_transforms_of_torch_func_run_without_recomputation(net, xs):
    def loss(parameters):
        return functional_call(net, parameters, (xs.detach(),)).square().sum()

    parameters = dict(net.named_parameters())
    found = grad(loss)({name: parameter.detach() for name, parameter in parameters.items()})
    same([found[name] for name in parameters], torch.autograd.grad(loss(parameters), list(parameters.values())))


def test_overlapping_backward_passes_leave_the_module_unchanged(net):
    parameters, failures, together = dict(net.named_parameters()), [], Barrier(4)

    def work(seed):
        xs = torch.randn(4, 3, dtype=F64, generator=torch.Generator().manual_seed(seed)).requires_grad_()
        expected = gradients(net(xs, again=False), [xs, *parameters.values()])
        together.wait()
        for _ in range(10):
            try:
                same(gradients(net(xs), [xs, *parameters.values()]), expected)
            except Exception as error:
                failures.append(error)

    threads = [Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert all(parameter is parameters[name] for name, parameter in net.named_parameters())


def test_a_module_has_its_own_tensors_again_after_an_error(net):
    tensors = []
    snapshot = ModuleSnapshot(net, tensors)
    before = list(net.parameters())
    others = [tensor.clone() for tensor in tensors]
    seen = []

    def fail():
        with snapshot.restored(others):
            seen.extend(net.parameters())
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert {id(tensor) for tensor in seen} < {id(tensor) for tensor in others}
    assert all(mine is other for mine, other in zip(net.parameters(), before, strict=True))
