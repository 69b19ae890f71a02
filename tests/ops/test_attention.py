"""Attention against its equations, and edge cases: padding, rows without slots, scores that are not finite."""

import math

import pytest
import torch

from memtape import ops

BATCH, QUERIES, SLOTS, WIDTH = 2, 3, 5, 4
F64 = torch.float64


def random(*shape):
    return torch.randn(*shape, dtype=F64)


def test_additive_scores_compute_their_equation():
    queries, keys, direction = random(BATCH, QUERIES, WIDTH), random(BATCH, SLOTS, WIDTH), random(WIDTH)
    scores = ops.additive_scores(queries, keys, direction)
    for b in range(BATCH):
        for i in range(QUERIES):
            for j in range(SLOTS):
                expected = sum(
                    float(direction[k]) * math.tanh(float(queries[b, i, k]) + float(keys[b, j, k]))
                    for k in range(WIDTH)
                )
                assert abs(float(scores[b, i, j]) - expected) < 1e-12


def test_dot_scores_compute_their_equation():
    queries, keys = random(BATCH, QUERIES, WIDTH), random(BATCH, SLOTS, WIDTH)
    scores = ops.dot_scores(queries, keys)
    for b in range(BATCH):
        for i in range(QUERIES):
            for j in range(SLOTS):
                expected = sum(float(queries[b, i, k]) * float(keys[b, j, k]) for k in range(WIDTH))
                assert abs(float(scores[b, i, j]) - expected) < 1e-12


def test_weights_are_the_softmax_of_the_scores():
    scores = random(BATCH, QUERIES, SLOTS)
    present = torch.tensor([[True, True, False, False, False], [True, False, True, True, True]])
    weights = ops.attention_weights(scores, present)
    for b in range(BATCH):
        for i in range(QUERIES):
            total = sum(math.exp(float(scores[b, i, j])) for j in range(SLOTS) if present[b, j])
            for j in range(SLOTS):
                expected = math.exp(float(scores[b, i, j])) / total if present[b, j] else 0.0
                assert abs(float(weights[b, i, j]) - expected) < 1e-12


@pytest.mark.parametrize("size", [1.0, 1e30])
def test_padding_is_exactly_0_and_rows_sum_to_1(size):
    scores = size * torch.randn(4, QUERIES, SLOTS)
    scores[0, 0] = -3e38  # the lowest possible score
    present = torch.arange(SLOTS) < torch.tensor([1, 2, 4, 5])[:, None]
    weights = ops.attention_weights(scores, present)
    assert not weights[~present[:, None].expand_as(weights)].any()
    torch.testing.assert_close(weights.sum(-1), torch.ones(4, QUERIES))


@pytest.mark.parametrize("poison", [float("nan"), float("inf"), 1e30])
def test_padding_has_no_influence_on_weights_or_gradients(poison, equal_up_to_rounding):
    present = torch.tensor([[True, True, False, False, True]])
    clean = random(1, QUERIES, SLOTS)
    dirty = torch.where(present[:, None], clean, poison).requires_grad_()
    weights = ops.attention_weights(dirty, present)
    equal_up_to_rounding(weights, ops.attention_weights(clean, present))
    (gradient,) = torch.autograd.grad((weights * random(1, QUERIES, SLOTS)).sum(), dirty)
    assert gradient.isfinite().all()
    assert not gradient[:, :, [2, 3]].any()


def test_a_row_without_slots_has_weights_of_0_and_no_nan():
    scores = random(2, QUERIES, SLOTS).requires_grad_()
    present = torch.tensor([[False] * SLOTS, [True] * SLOTS])
    weights = ops.attention_weights(scores, present)
    assert not weights[0].any()
    (gradient,) = torch.autograd.grad((weights**2).sum(), scores)
    assert gradient.isfinite().all()
    assert not gradient[0].any()
    assert gradient[1].any()
