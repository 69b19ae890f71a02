"""Sparse links: equal to dense links except for dropped entries, with a limited number of entries."""

import pytest
import torch

from memtape import ops
from memtape.ops.near_ties import NEAR_TIE

BATCH, WRITES, READS, SLOTS = 2, 2, 3, 7
F64 = torch.float64


def initial_links(size, slots=SLOTS):
    places = torch.arange(slots, dtype=F64)[:, None].repeat(BATCH, WRITES, 1, size)
    return torch.zeros_like(places), places, torch.zeros(BATCH, WRITES, slots, dtype=F64)


def random_writes(sharp=1.0, slots=SLOTS):
    weights = torch.softmax(sharp * torch.randn(BATCH, WRITES, slots, dtype=F64), dim=-1)
    return weights * torch.rand(BATCH, WRITES, 1, dtype=F64)


def as_matrix(values, places):
    """Return the links as a matrix of all slots."""
    slots = values.shape[2]
    matrix = torch.zeros(BATCH, WRITES, slots, slots, dtype=F64)
    for b in range(BATCH):
        for h in range(WRITES):
            for i in range(slots):
                for value, place in zip(values[b, h, i].tolist(), places[b, h, i].tolist(), strict=True):
                    matrix[b, h, i, int(place)] += value
    return matrix


def strongest_first(numbers):
    """Return the indices of numbers in descending order; nearly equal ones except zeros stay in their order."""
    runs = []
    for place in sorted(range(len(numbers)), key=lambda i: -numbers[i]):
        if runs and numbers[place] > 0 and numbers[runs[-1][-1]] - numbers[place] <= NEAR_TIE:
            runs[-1].append(place)
        else:
            runs.append([place])
    return [place for run in runs for place in sorted(run)]


def scalar_links(matrix, precedence, weights, size, threshold):
    """Keep the strongest weights of this write and of the last one, link them, and drop weak links; computed with
    scalars.
    """

    def kept(numbers):
        chosen = strongest_first(numbers)[:size]
        total = sum(numbers[i] for i in chosen)
        return [n * sum(numbers) / total if i in chosen and total else 0.0 for i, n in enumerate(numbers)]

    after = torch.zeros_like(matrix)
    for b in range(BATCH):
        for h in range(WRITES):
            w, p = kept(weights[b, h].tolist()), kept(precedence[b, h].tolist())
            for i in range(len(w)):
                for j in range(len(w)):
                    link = (1 - w[i] - w[j]) * float(matrix[b, h, i, j]) + w[i] * p[j]
                    after[b, h, i, j] = link if i != j and link >= threshold - NEAR_TIE else 0.0
    return after


@pytest.mark.parametrize(("size", "sharp"), [(2, 4.0), (3, 6.0), (7, 1.0)])
def test_linking_computes_its_equations(size, sharp):
    values, places, precedence = initial_links(size)
    matrix, some = as_matrix(values, places), False
    for _ in range(12):
        weights = random_writes(sharp)
        values, places = ops.sparse_links_after(values, places, precedence, weights, threshold=1 / size)
        matrix = scalar_links(matrix, precedence, weights, size, 1 / size)
        torch.testing.assert_close(as_matrix(values, places), matrix)
        precedence = ops.precedence_after(precedence, weights)
        some |= bool(matrix.any())
    assert some


def test_with_as_many_links_as_slots_and_no_threshold_they_equal_dense_links():
    values, places, precedence = initial_links(SLOTS)
    links = torch.zeros(BATCH, WRITES, SLOTS, SLOTS, dtype=F64)
    for _ in range(30):
        weights = random_writes()
        values, places = ops.sparse_links_after(values, places, precedence, weights, threshold=0.0)
        links, precedence = ops.links_after(links, precedence, weights), ops.precedence_after(precedence, weights)
    torch.testing.assert_close(as_matrix(values, places), links)


def test_a_chain_of_slots_gives_the_dense_links_for_any_number_kept():
    values, places, precedence = initial_links(1)
    links = torch.zeros(BATCH, WRITES, SLOTS, SLOTS, dtype=F64)
    for slot in (2, 0, 3, 2, 6):
        weights = torch.eye(SLOTS, dtype=F64)[slot].expand(BATCH, WRITES, -1)
        values, places = ops.sparse_links_after(values, places, precedence, weights, threshold=1.0)
        links, precedence = ops.links_after(links, precedence, weights), ops.precedence_after(precedence, weights)
        assert torch.equal(as_matrix(values, places), links)
    assert links.any()


def test_following_agrees_with_the_dense_links():
    values, places, precedence = initial_links(3)
    for _ in range(8):
        weights = random_writes(6.0)
        values, places = ops.sparse_links_after(values, places, precedence, weights, threshold=1 / 3)
        precedence = ops.precedence_after(precedence, weights)
    read = torch.softmax(torch.randn(BATCH, READS, SLOTS, dtype=F64), dim=-1)
    assert values.any()
    dense = ops.follow_links(as_matrix(values, places), read)
    torch.testing.assert_close(ops.follow_sparse_links(values, places, read), dense)


def test_200_random_writes_keep_few_links_of_every_slot_in_both_directions():
    size, slots = 3, 20
    values, places, precedence = initial_links(size, slots)
    for _ in range(200):
        weights = random_writes(8.0, slots)
        values, places = ops.sparse_links_after(values, places, precedence, weights, threshold=1 / size)
        precedence = ops.precedence_after(precedence, weights)
    matrix = as_matrix(values, places)
    assert 0 < (matrix > 0).sum(-1).max() <= size
    assert (matrix > 0).sum(-2).max() <= size
    assert matrix.diagonal(dim1=-2, dim2=-1).abs().max() == 0
    assert matrix[matrix > 0].min() >= 1 / size - NEAR_TIE
    assert matrix.sum(-1).max() <= 1 + 1e-12


def test_writing_nothing_does_not_change_the_links():
    values, places, precedence = initial_links(3)
    for _ in range(8):
        weights = random_writes(6.0)
        values, places = ops.sparse_links_after(values, places, precedence, weights, threshold=1 / 3)
        precedence = ops.precedence_after(precedence, weights)
    again, same = ops.sparse_links_after(values, places, precedence, torch.zeros_like(weights), threshold=1 / 3)
    assert values.any()
    assert torch.equal(as_matrix(again, same), as_matrix(values, places))


def test_the_strongest_are_scaled_to_the_sum_of_all_and_ties_are_in_order():
    values, places = ops.strongest(torch.tensor([[[0.1, 0.3, 0.0, 0.1, 0.3]]], dtype=F64), 3)
    torch.testing.assert_close(values[0, 0], torch.tensor([0.3, 0.3, 0.1], dtype=F64) * 0.8 / 0.7)
    assert places.tolist() == [[[1, 4, 0]]]
    assert not ops.strongest(torch.zeros(1, 1, 4), 2)[0].any()


def test_gradients_match_finite_differences():
    values, places, precedence = initial_links(3)
    for _ in range(6):
        weights = random_writes(6.0)
        values, places = ops.sparse_links_after(values, places, precedence, weights, threshold=0.2)
        precedence = ops.precedence_after(precedence, weights)
    assert values.any()
    arguments = [part.detach().requires_grad_() for part in (values, precedence, random_writes(6.0))]

    def step(values, precedence, weights):
        moved, to = ops.sparse_links_after(values, places, precedence, weights, threshold=0.2)
        return ops.follow_sparse_links(moved, to, weights)

    assert torch.autograd.gradcheck(step, arguments)
