"""Outer-product attention by scalar loops, and the case of one key."""

import math

import pytest
import torch

from memtape.ops import feature_similarities, outer_product_attention

F64 = torch.float64


def test_it_sums_the_products_of_similarities_and_values():
    queries, keys, values = (torch.randn(2, *shape, dtype=F64) for shape in ((3, 4), (5, 4), (5, 2)))
    found = outer_product_attention(feature_similarities(queries, keys), values)
    assert found.shape == (2, 3, 4, 2)
    for b in range(2):
        for s in range(3):
            for i in range(4):
                for j in range(2):
                    expected = sum(
                        math.tanh(queries[b, s, i].item() * keys[b, k, i].item()) * values[b, k, j].item()
                        for k in range(5)
                    )
                    assert found[b, s, i, j].item() == pytest.approx(expected, rel=1e-12, abs=1e-14)


def test_the_value_of_a_single_key_is_read_back_with_its_similarities():
    query, key, value = (
        torch.randn(1, 1, 6, dtype=F64),
        torch.randn(1, 1, 6, dtype=F64),
        torch.randn(1, 1, 3, dtype=F64),
    )
    similar = feature_similarities(query, key)
    matrix = outer_product_attention(similar, value)[0, 0]
    read = similar[0, 0, 0] @ matrix / similar.square().sum()
    torch.testing.assert_close(read, value[0, 0], rtol=1e-12, atol=1e-12)
