"""Links between slots: a scalar implementation of the equations, and their laws."""

import torch

from memtape.ops import follow_links, links_after, precedence_after

BATCH, WRITES, READS, SLOTS = 2, 2, 3, 5
F64 = torch.float64


def part_of_a_distribution(*shape):
    return torch.softmax(torch.randn(*shape, dtype=F64), dim=-1) * torch.rand(*shape[:-1], 1, dtype=F64)


def written(times, sharp=1.0):
    """Return links and precedence after some random writes."""
    links = torch.zeros(BATCH, WRITES, SLOTS, SLOTS, dtype=F64)
    precedence = torch.zeros(BATCH, WRITES, SLOTS, dtype=F64)
    for _ in range(times):
        weights = torch.softmax(sharp * torch.randn(BATCH, WRITES, SLOTS, dtype=F64), dim=-1)
        links, precedence = links_after(links, precedence, weights), precedence_after(precedence, weights)
    return links, precedence


def test_linking_agrees_with_the_paper():
    (links, precedence), w = written(3), part_of_a_distribution(BATCH, WRITES, SLOTS)
    after, last = links_after(links, precedence, w), precedence_after(precedence, w)
    for b in range(BATCH):
        for h in range(WRITES):
            for i in range(SLOTS):
                for j in range(SLOTS):
                    expected = (1 - w[b, h, i] - w[b, h, j]) * links[b, h, i, j] + w[b, h, i] * precedence[b, h, j]
                    assert abs(after[b, h, i, j] - (0 if i == j else expected)) < 1e-14
                total = sum(float(w[b, h, k]) for k in range(SLOTS))
                assert abs(last[b, h, i] - (1 - total) * precedence[b, h, i] - w[b, h, i]) < 1e-14


def test_following_agrees_with_the_paper():
    links, w = written(3)[0], part_of_a_distribution(BATCH, READS, SLOTS)
    backward, forward = follow_links(links, w)
    assert backward.shape == forward.shape == (BATCH, READS, WRITES, SLOTS)
    for b in range(BATCH):
        for r in range(READS):
            for h in range(WRITES):
                for i in range(SLOTS):
                    before = sum(float(links[b, h, j, i] * w[b, r, j]) for j in range(SLOTS))
                    after = sum(float(links[b, h, i, j] * w[b, r, j]) for j in range(SLOTS))
                    assert abs(backward[b, r, h, i] - before) < 1e-14
                    assert abs(forward[b, r, h, i] - after) < 1e-14


def test_a_chain_of_slots_can_be_followed_in_both_directions():
    links, precedence = torch.zeros(1, 1, 4, 4), torch.zeros(1, 1, 4)
    for slot in (2, 0, 3):
        weights = torch.eye(4)[None, slot : slot + 1]
        links, precedence = links_after(links, precedence, weights), precedence_after(precedence, weights)
    backward, forward = follow_links(links, torch.eye(4)[None])
    assert torch.equal(forward[0, 2, 0], torch.eye(4)[0])
    assert torch.equal(forward[0, 0, 0], torch.eye(4)[3])
    assert torch.equal(backward[0, 3, 0], torch.eye(4)[0])
    assert not forward[0, 3].any()
    assert not backward[0, 2].any()


def test_writing_nothing_does_not_change_links_and_precedence():
    links, precedence = written(3)
    nothing = torch.zeros_like(precedence)
    assert torch.equal(links_after(links, precedence, nothing), links)
    assert torch.equal(precedence_after(precedence, nothing), precedence)


def test_200_random_writes_keep_every_sum_at_most_1():
    for sharp in (1.0, 10.0):
        links, precedence = written(200, sharp)
        assert links.min() >= 0
        assert links.diagonal(dim1=-2, dim2=-1).abs().max() == 0
        for sums in (links.sum(-1), links.sum(-2), precedence.sum(-1)):
            assert sums.max() <= 1 + 1e-12


def test_gradients_match_finite_differences():
    links, precedence = (value.requires_grad_() for value in written(2))
    w = part_of_a_distribution(BATCH, WRITES, SLOTS).requires_grad_()
    read = part_of_a_distribution(BATCH, READS, SLOTS).requires_grad_()

    def step(links, precedence, w, read):
        return *follow_links(links_after(links, precedence, w), read), precedence_after(precedence, w)

    assert torch.autograd.gradcheck(step, [links, precedence, w, read])
