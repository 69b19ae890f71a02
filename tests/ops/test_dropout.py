"""Dropout: the share of dropped entries, and the scaling of the others."""

import pytest
import torch

from memtape.ops.dropout import dropout


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_the_given_share_is_dropped_and_the_mean_is_kept(rate):
    x = torch.full((400, 500), 3.0, dtype=torch.float64)
    y = dropout(x, rate)
    assert abs((y == 0).double().mean() - rate) < 0.005
    torch.testing.assert_close(y[y != 0], (x / (1 - rate))[y != 0])
    assert abs(y.mean() - 3) < 0.05


def test_dropped_entries_have_no_gradient_even_if_they_are_nan():
    x = torch.randn(1000, requires_grad=True)
    y = dropout(x, 0.5)
    y.sum().backward()
    assert torch.equal(x.grad, torch.where(y == 0, 0.0, 2.0))
    assert torch.isfinite(dropout(torch.full((1000,), torch.nan), 0.5)).any()


def test_a_rate_of_0_changes_nothing():
    x = torch.randn(5)
    assert dropout(x, 0.0) is x


def test_it_depends_on_the_seed():
    x = torch.ones(100)
    one = torch.manual_seed(1) and dropout(x, 0.5)
    assert torch.equal(one, torch.manual_seed(1) and dropout(x, 0.5))
    assert not torch.equal(one, dropout(x, 0.5))
