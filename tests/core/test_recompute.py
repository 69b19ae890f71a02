"""Recompute: the gradients equal those without recomputation, and a lost gradient raises an error."""

import pytest
import torch
from torch import nn
from torch.autograd.graph import saved_tensors_hooks

from memtape import NTM
from memtape.core.recompute import recomputed


@pytest.fixture
def layer():
    torch.manual_seed(0)
    return nn.Linear(3, 3).double()


@pytest.fixture
def xs():
    return torch.randn(2, 3, dtype=torch.float64, requires_grad=True)


def gradients(loss, layer, xs):
    return torch.autograd.grad(loss, [xs, *layer.parameters()])


def same(first, second):
    for mine, other in zip(first, second, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-12, atol=1e-12)


def run_of(layer):
    def run(tree, number):
        hidden = layer(tree["x"]).tanh() * number
        return {"y": hidden, "number": number, "again": tree["x"]}

    return run


def test_nested_inputs_and_outputs_have_the_same_gradients(layer, xs):
    run = run_of(layer)
    kept, anew = run({"x": xs}, 2.0), recomputed(run, layer, {"x": xs}, 2.0)
    assert anew["number"] == 2.0
    same(
        gradients((kept["y"] * kept["again"]).sum(), layer, xs), gradients((anew["y"] * anew["again"]).sum(), layer, xs)
    )


def test_only_requested_gradients_are_computed(layer, xs):
    anew = recomputed(run_of(layer), layer, {"x": xs}, 2.0)
    (found,) = torch.autograd.grad(anew["again"].sum(), xs)
    assert torch.equal(found, torch.ones_like(xs))
    anew = recomputed(run_of(layer), layer, {"x": xs.detach()}, 2.0)
    anew["y"].sum().backward()
    assert layer.weight.grad.abs().sum() > 0


def test_second_derivatives_are_right(layer, xs):
    def second(ys):
        (first,) = torch.autograd.grad(ys.square().sum(), xs, create_graph=True)
        return gradients(first.square().sum(), layer, xs)

    run = run_of(layer)
    kept = second(run({"x": xs.sin()}, 1.0)["y"])
    same(kept, second(recomputed(run, layer, {"x": xs.sin()}, 1.0)["y"]))


def test_it_can_be_differentiated_twice(layer, xs):
    ys = recomputed(run_of(layer), layer, {"x": xs}, 1.0)["y"].sum()
    first = torch.autograd.grad(ys, xs, retain_graph=True)
    same(first, torch.autograd.grad(ys, xs))


def test_recomputation_draws_the_same_random_numbers_and_later_ones_are_not_repeated(layer, xs):
    def run(xs):
        return nn.functional.dropout(layer(xs), 0.5)

    def drawn(call):
        torch.manual_seed(1)
        ys, between = call(xs), torch.rand(2)
        return [ys, between, *gradients(ys.sum(), layer, xs), torch.rand(2)]

    same(drawn(run), drawn(lambda xs: recomputed(run, layer, xs)))


def test_recomputation_uses_the_same_autocast_and_loses_no_gradient():
    torch.manual_seed(0)
    layer, xs = nn.Linear(3, 3), torch.randn(2, 3, requires_grad=True)

    def run(xs):
        return layer(layer(xs))

    with torch.autocast("cpu", dtype=torch.bfloat16, cache_enabled=False):
        kept = run(xs)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        anew = recomputed(run, layer, xs)
        after = layer(xs)  # the cache of autocast has no parameter that was cast without a gradient
    assert anew.dtype == torch.bfloat16
    same(gradients(kept.float().sum(), layer, xs), gradients(anew.float().sum(), layer, xs))
    assert all(found.abs().sum() > 0 for found in gradients(after.float().sum(), layer, xs))


@pytest.mark.parametrize("create_graph", [False, True])
def test_a_gradient_that_would_be_lost_is_reported(layer, xs, create_graph):
    other = torch.ones(3, dtype=torch.float64, requires_grad=True)
    before = xs * 2  # whose gradient is not needed
    ys = recomputed(lambda xs: layer(xs) * other, layer, before)
    sentence = (
        r"a step uses a tensor of shape \(3,\) that needs a gradient, but is neither a parameter of the cell nor part"
    )
    with pytest.raises(RuntimeError, match=sentence):
        torch.autograd.grad(ys.sum(), xs, create_graph=create_graph)


def test_without_gradients_it_is_a_plain_call(layer, xs):
    with torch.no_grad():
        ys = recomputed(run_of(layer), layer, {"x": xs}, 1.0)["y"]
    assert not ys.requires_grad


def test_few_tensors_of_a_long_sequence_are_saved():
    torch.manual_seed(0)
    machine = NTM(3, 2, slots=4, width=3, controller_size=5)
    parameters = {parameter.data_ptr() for parameter in machine.parameters()}
    kept = {}
    for every in (None, 10):
        numbers = []

        def note(tensor, numbers=numbers):
            if tensor.data_ptr() not in parameters:  # which are saved without a copy
                numbers.append(tensor.numel())
            return tensor

        with saved_tensors_hooks(note, lambda tensor: tensor):
            ys, _, _ = machine(
                torch.randn(2, 40, 3), collect=lambda state: state.memory.read_weights, checkpoint_every=every
            )
            ys.sum()
        kept[every] = sum(numbers)
    assert kept[10] < kept[None] / 20
