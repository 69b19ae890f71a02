"""Back-propagation through time, as in the book, against autograd and against finite differences."""

import math

import pytest
import torch
from torch.nn.functional import cross_entropy
from torch.utils import _pytree as pytree

from memtape.ops.backpropagation import (
    ElmanParameters,
    cross_entropy_gradient,
    elman,
    elman_backward,
    elman_forward,
)

BATCH, TIME, INPUT, HIDDEN, OUTPUT = 2, 7, 3, 5, 4
F64 = torch.float64


@pytest.fixture
def parameters():
    return ElmanParameters(
        from_input=torch.randn(HIDDEN, INPUT, dtype=F64),
        from_hidden=0.7 * torch.randn(HIDDEN, HIDDEN, dtype=F64),
        bias=torch.randn(HIDDEN, dtype=F64),
        to_output=torch.randn(OUTPUT, HIDDEN, dtype=F64),
        output_bias=torch.randn(OUTPUT, dtype=F64),
    )


@pytest.fixture
def xs():
    return torch.randn(BATCH, TIME, INPUT, dtype=F64)


@pytest.fixture
def initial():
    return torch.randn(BATCH, HIDDEN, dtype=F64)


@pytest.fixture
def targets():
    return torch.randint(OUTPUT, (BATCH, TIME))


def scalar_forward(parameters, xs, initial):
    """Compute one row at a time, with scalars."""
    hiddens, logits = torch.zeros(BATCH, TIME, HIDDEN, dtype=F64), torch.zeros(BATCH, TIME, OUTPUT, dtype=F64)
    for row in range(BATCH):
        before = initial[row].tolist()
        for t in range(TIME):
            now = []
            for i in range(HIDDEN):
                a = parameters.bias[i].item()
                a += sum(parameters.from_hidden[i, j].item() * before[j] for j in range(HIDDEN))
                a += sum(parameters.from_input[i, j].item() * xs[row, t, j].item() for j in range(INPUT))
                now.append(math.tanh(a))
            for k in range(OUTPUT):
                sums = sum(parameters.to_output[k, i].item() * now[i] for i in range(HIDDEN))
                logits[row, t, k] = parameters.output_bias[k] + sums
            hiddens[row, t] = torch.tensor(now, dtype=F64)
            before = now
    return hiddens, logits


def by_hand(parameters, xs, initial, targets):
    hidden, logits = elman_forward(parameters, xs, initial)
    return elman_backward(parameters, xs, initial, hidden, cross_entropy_gradient(logits, targets))


def loss_of(logits, targets):
    return cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="sum")


def test_the_forward_pass_agrees_with_the_book(parameters, xs, initial):
    torch.testing.assert_close(elman_forward(parameters, xs, initial), scalar_forward(parameters, xs, initial))


def test_the_gradient_of_the_logits_is_prediction_minus_target():
    logits = torch.tensor([[[0.0, math.log(3.0)]]], dtype=F64)
    expected = torch.tensor([[[0.25, -0.25]]], dtype=F64)
    torch.testing.assert_close(cross_entropy_gradient(logits, torch.tensor([[1]])), expected)


def test_all_gradients_are_those_of_autograd(parameters, xs, initial, targets):
    leaves = [leaf.clone().requires_grad_() for leaf in (*pytree.tree_leaves(parameters), xs, initial)]
    *weights, inputs, start = leaves
    tracked = pytree.tree_unflatten(weights, pytree.tree_structure(parameters))
    hiddens, before = [], start
    for t in range(TIME):
        before = torch.tanh(inputs[:, t] @ tracked.from_input.T + before @ tracked.from_hidden.T + tracked.bias)
        hiddens.append(before)
    logits = torch.stack(hiddens, dim=1) @ tracked.to_output.T + tracked.output_bias
    expected = torch.autograd.grad(loss_of(logits, targets), [*leaves, *hiddens])
    found = by_hand(parameters, xs, initial, targets)
    actual = [*pytree.tree_leaves(found.parameters), found.inputs, found.initial, *found.hidden.unbind(1)]
    for mine, other in zip(actual, expected, strict=True):
        assert (mine - other).abs().max() < 1e-10 * other.abs().max()


def test_all_gradients_match_finite_differences(parameters, xs, initial, targets):
    found = by_hand(parameters, xs, initial, targets)
    pairs = zip(
        [*pytree.tree_leaves(parameters), xs, initial],
        [*pytree.tree_leaves(found.parameters), found.inputs, found.initial],
        strict=True,
    )
    for tensor, gradient in pairs:
        direction = torch.randn_like(tensor)
        losses = []
        for small in (1e-5, -1e-5):
            tensor.add_(direction, alpha=small)
            losses.append(loss_of(elman_forward(parameters, xs, initial)[1], targets))
            tensor.sub_(direction, alpha=small)
        slope = (losses[0] - losses[1]) / 2e-5
        torch.testing.assert_close((gradient * direction).sum(), slope, rtol=1e-6, atol=1e-6)


def test_explicit_gradients_and_autograd_train_a_network_equally(parameters, xs, initial, targets):
    leaves = [leaf.clone().requires_grad_() for leaf in (*pytree.tree_leaves(parameters), xs, initial)]
    *weights, inputs, start = leaves
    logits = elman(pytree.tree_unflatten(weights, pytree.tree_structure(parameters)), inputs, start)
    loss_of(logits, targets).backward()
    found = by_hand(parameters, xs, initial, targets)
    expected = [*pytree.tree_leaves(found.parameters), found.inputs, found.initial]
    for leaf, gradient in zip(leaves, expected, strict=True):
        torch.testing.assert_close(leaf.grad, gradient)


def test_the_function_s_gradient_matches_its_values(parameters, xs, initial):
    structure = pytree.tree_structure(parameters)

    def logits(xs, initial, *weights):
        return elman(pytree.tree_unflatten(list(weights), structure), xs, initial)

    leaves = (xs, initial, *pytree.tree_leaves(parameters))
    assert torch.autograd.gradcheck(logits, [leaf.requires_grad_() for leaf in leaves])


def test_later_losses_influence_earlier_hidden_vectors_but_not_vice_versa(parameters, xs, initial):
    hidden, logits = elman_forward(parameters, xs, initial)
    by_logits = torch.zeros_like(logits)
    by_logits[:, 3] = 1
    by_hidden = elman_backward(parameters, xs, initial, hidden, by_logits).hidden
    assert (by_hidden[:, :4].abs().sum((0, 2)) > 0).all()
    assert (by_hidden[:, 4:] == 0).all()
