"""Retention, usage and allocation: a scalar implementation of the equations, and their laws."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from memtape.ops import allocation_weights, retention, usage_after
from memtape.ops.near_ties import NEAR_TIE

BATCH, HEADS, SLOTS = 3, 2, 6
F64 = torch.float64


def part_of_a_distribution(*shape):
    return torch.softmax(torch.randn(*shape, dtype=F64), dim=-1) * torch.rand(*shape[:-1], 1, dtype=F64)


def test_retention_agrees_with_the_paper():
    gates, weights = torch.rand(BATCH, HEADS, dtype=F64), part_of_a_distribution(BATCH, HEADS, SLOTS)
    kept = retention(gates, weights)
    for b in range(BATCH):
        for i in range(SLOTS):
            expected = 1.0
            for h in range(HEADS):
                expected *= 1 - float(gates[b, h]) * float(weights[b, h, i])
            assert abs(float(kept[b, i]) - expected) < 1e-14


def test_usage_agrees_with_the_paper():
    used, weights = torch.rand(BATCH, SLOTS, dtype=F64), part_of_a_distribution(BATCH, 1, SLOTS)
    retained = torch.rand(BATCH, SLOTS, dtype=F64)
    after = usage_after(used, weights, retained)
    for b in range(BATCH):
        for i in range(SLOTS):
            u, w = float(used[b, i]), float(weights[b, 0, i])
            assert abs(float(after[b, i]) - (u + w - u * w) * float(retained[b, i])) < 1e-14


def test_several_write_heads_use_a_slot_unless_none_writes_to_it():
    weights = torch.tensor([[[0.5, 0.2], [0.5, 0.0]]], dtype=F64)
    nothing = torch.zeros(1, 2, dtype=F64)
    torch.testing.assert_close(
        usage_after(nothing, weights, torch.ones(1, 2, dtype=F64)), torch.tensor([[0.75, 0.2]], dtype=F64)
    )
    used, weights = torch.rand(BATCH, SLOTS, dtype=F64), part_of_a_distribution(BATCH, 3, SLOTS)
    retained = torch.rand(BATCH, SLOTS, dtype=F64)
    expected = (used + (1 - used) * (1 - torch.prod(1 - weights, dim=1))) * retained
    torch.testing.assert_close(usage_after(used, weights, retained), expected)


def scalar_allocation(usage):
    """Loop over the slots from the least used one, with nearly equal ones in their order."""
    runs = []
    for slot in sorted(range(len(usage)), key=lambda slot: usage[slot]):
        if runs and usage[slot] - usage[runs[-1][-1]] <= NEAR_TIE:
            runs[-1].append(slot)
        else:
            runs.append([slot])
    weights, product = [0.0] * len(usage), 1.0
    for slot in (slot for run in runs for slot in sorted(run)):
        weights[slot] = (1 - usage[slot]) * product
        product *= usage[slot]
    return weights


def test_allocation_agrees_with_the_paper():
    used = torch.rand(BATCH, SLOTS, dtype=F64)
    expected = torch.tensor([scalar_allocation(row) for row in used.tolist()], dtype=F64)
    torch.testing.assert_close(allocation_weights(used), expected, rtol=1e-12, atol=0)


@given(st.lists(st.sampled_from([0.0, 1e-30, 0.2, 0.2, 0.9, 1.0]), min_size=1, max_size=9))
def test_allocation_of_difficult_usages_agrees_with_the_paper(usage):
    actual = allocation_weights(torch.tensor([usage], dtype=F64))
    expected = torch.tensor([scalar_allocation(usage)], dtype=F64)
    torch.testing.assert_close(actual, expected, rtol=1e-12, atol=0)
    torch.testing.assert_close(actual.sum(-1), 1 - torch.tensor([usage], dtype=F64).prod(-1), rtol=1e-9, atol=1e-11)


def test_unused_slots_are_allocated_in_their_order():
    usage = torch.zeros(1, 4)
    for slot in range(4):
        weights = allocation_weights(usage)
        assert torch.equal(weights, torch.eye(4)[slot : slot + 1])
        usage = usage_after(usage, weights[:, None], torch.ones(1, 4))
    assert not allocation_weights(usage).any()


def test_of_usages_equal_up_to_rounding_the_first_slot_is_allocated():
    weights = allocation_weights(torch.tensor([[0.9, 0.2 + 2e-6, 0.2 + 1e-6, 0.2, 0.2 + 2e-5]], dtype=F64))
    torch.testing.assert_close(weights[0, 1:4], 0.8 * 0.2 ** torch.arange(3, dtype=F64), rtol=1e-4, atol=0)
    plain = allocation_weights(torch.tensor([[0.2 + 1e-6, 0.2]], dtype=F64), tolerance=0.0)
    assert plain[0, 1] > plain[0, 0]


def test_a_full_memory_has_no_allocation():
    assert torch.equal(allocation_weights(torch.ones(2, 5)), torch.zeros(2, 5))


def test_any_number_of_equal_usages_is_allocated_in_the_order_of_the_slots():
    used = torch.full((1, 500), 0.5)
    torch.testing.assert_close(allocation_weights(used)[0, :20], 0.5 ** torch.arange(1, 21))


def test_a_freed_slot_is_the_next_one_allocated():
    used = torch.tensor([[1.0, 1.0, 1.0]])
    freed = usage_after(used, torch.zeros(1, 1, 3), retention(torch.ones(1, 1), torch.eye(3)[None, 1:2]))
    assert torch.equal(freed, torch.tensor([[1.0, 0.0, 1.0]]))
    torch.testing.assert_close(allocation_weights(freed), torch.tensor([[0.0, 1.0, 0.0]]))


def test_gradients_match_finite_differences_where_usages_differ():
    used = (torch.randperm(SLOTS)[None] + torch.rand(BATCH, SLOTS)).double() / (SLOTS + 1)
    used[0, used[0].argmin()] = 0
    inside = used.clamp(1e-3).requires_grad_()
    assert torch.autograd.gradcheck(allocation_weights, [inside])
    weights = part_of_a_distribution(BATCH, HEADS, SLOTS).requires_grad_()
    gates = torch.rand(BATCH, HEADS, dtype=F64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda u, w, f: usage_after(u, w, retention(f, w)), [inside, weights, gates])


def test_the_gradient_at_a_slot_never_used_is_that_of_the_paper():
    used = torch.tensor([[0.0, 0.5, 0.25]], dtype=F64, requires_grad=True)
    allocation_weights(used)[0, 1].backward()
    # a[1] = (1 - u[1]) u[0] u[2], as slots are taken in the order 0, 2, 1
    torch.testing.assert_close(used.grad, torch.tensor([[0.125, 0, 0]], dtype=F64))


def test_a_usage_that_is_negative_by_rounding_has_no_effect():
    used = torch.tensor([[-1e-7, 0.5, 1.0000001]], requires_grad=True)
    weights = allocation_weights(used)
    weights.sum().backward()
    assert weights.isfinite().all()
    assert used.grad.isfinite().all()
