"""Read and write: a scalar implementation of the equations, and their laws."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from memtape.ops import erase_and_add, read

BATCH, HEADS, SLOTS, WIDTH = 2, 3, 5, 4
F64 = torch.float64


def random_write(heads=HEADS):
    memory = torch.randn(BATCH, SLOTS, WIDTH, dtype=F64)
    weights = torch.softmax(torch.randn(BATCH, heads, SLOTS, dtype=F64), dim=-1)
    erase = torch.rand(BATCH, heads, WIDTH, dtype=F64)
    add = torch.randn(BATCH, heads, WIDTH, dtype=F64)
    return memory, weights, erase, add


def scalar_write(memory, weights, erase, add):
    """Erase with every head, then add with every head, computed with scalars."""
    written = memory.clone()
    for b in range(BATCH):
        for i in range(SLOTS):
            for j in range(WIDTH):
                for h in range(weights.shape[1]):
                    written[b, i, j] *= 1 - weights[b, h, i] * erase[b, h, j]
                for h in range(weights.shape[1]):
                    written[b, i, j] += weights[b, h, i] * add[b, h, j]
    return written


@pytest.mark.parametrize("heads", [1, 3])
def test_writing_agrees_with_the_paper(heads):
    write = random_write(heads)
    torch.testing.assert_close(erase_and_add(*write), scalar_write(*write))


def test_reading_agrees_with_the_paper():
    memory, weights, _, _ = random_write()
    expected = torch.zeros(BATCH, HEADS, WIDTH, dtype=F64)
    for b in range(BATCH):
        for h in range(HEADS):
            for i in range(SLOTS):
                for j in range(WIDTH):
                    expected[b, h, j] += weights[b, h, i] * memory[b, i, j]
    torch.testing.assert_close(read(memory, weights), expected)


def test_gradients_match_finite_differences():
    write = [part.requires_grad_() for part in random_write()]
    assert torch.autograd.gradcheck(erase_and_add, write)
    assert torch.autograd.gradcheck(read, write[:2])


def test_a_head_with_one_hot_weights_and_full_erase_replaces_exactly_one_slot():
    memory, weights, erase, add = random_write()
    weights, erase = torch.zeros_like(weights), torch.ones_like(erase)
    weights[:, 0, 2] = 1
    expected = memory.clone()
    expected[:, 2] = add[:, 0]
    torch.testing.assert_close(erase_and_add(memory, weights, erase, add), expected, rtol=0, atol=0)
    assert torch.equal(read(expected, weights)[:, 0], add[:, 0])


def test_a_write_does_not_modify_the_old_memory():
    memory, *write = random_write()
    before = memory.clone()
    erase_and_add(memory, *write)
    assert torch.equal(memory, before)


@given(st.permutations(range(HEADS)))
def test_the_order_of_the_heads_does_not_matter(order):
    torch.manual_seed(0)
    memory, *write = random_write()
    again = erase_and_add(memory, *[part[:, list(order)] for part in write])
    torch.testing.assert_close(again, erase_and_add(memory, *write))


@pytest.mark.parametrize("dtype", [torch.float32, F64])
@pytest.mark.parametrize("value", [0.0, 1e-30, 1e30, -1e30])
def test_reading_and_writing_are_finite_at_the_extremes(value, dtype):
    memory, weights, erase, add = (part.to(dtype) for part in random_write())
    leaves = [torch.full_like(memory, value), weights, erase, torch.full_like(add, value)]
    leaves = [leaf.requires_grad_() for leaf in leaves]
    written = erase_and_add(*leaves)
    reads = read(written, leaves[1])
    assert written.isfinite().all()
    assert reads.isfinite().all()
    reads.sum().backward()
    assert all(leaf.grad.isfinite().all() for leaf in leaves)
