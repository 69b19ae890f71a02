"""Near-ties: the rule by which numbers count as equal, and the order of their slots."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from memtape.ops.near_ties import NEAR_TIE, largest, largest_weights, least_first, strongest_first

F64 = torch.float64
SMALL = 0.4 * NEAR_TIE


def numbers(*values, dtype=F64):
    return torch.tensor(values, dtype=dtype)


def test_runs_of_nearly_equal_numbers_are_in_the_order_of_the_slots():
    values = numbers(0.5 + 2 * SMALL, 0.1, 0.5, 0.5 + SMALL, 0.2)
    assert least_first(values).tolist() == [1, 4, 0, 2, 3]
    assert least_first(values, tolerance=0.0).tolist() == [1, 4, 2, 3, 0]
    assert strongest_first(values).tolist() == [0, 2, 3, 4, 1]


def test_differences_of_large_numbers_are_relative():
    assert least_first(numbers(50 * (1 + SMALL), 50.0)).tolist() == [0, 1]
    assert least_first(numbers(50 * (1 + 4 * SMALL), 50.0)).tolist() == [1, 0]


def test_nan_comes_last_and_is_equal_to_no_number():
    assert least_first(numbers(torch.nan, 1.0, torch.inf, 0.5)).tolist() == [3, 1, 2, 0]


def test_lists_are_sorted_by_slot_and_weights_of_0_come_last_in_their_order():
    weights, slots = numbers(0.0, 0.3, 0.3 + SMALL, SMALL, 0.0), numbers(9.0, 5.0, 8.0, 2.0, 1.0)
    assert strongest_first(weights, slots).tolist() == [1, 2, 3, 0, 4]


def test_the_largest_are_always_chosen_and_ties_go_to_the_first_slots():
    scores = numbers(0.5 - SMALL, 0.9, 0.5 - 3 * SMALL, 0.5, 0.5 + SMALL)
    assert sorted(largest(scores, 2).tolist()) == [0, 1]
    assert sorted(largest(scores, 3).tolist()) == [0, 1, 3]
    assert sorted(largest(scores, 5).tolist()) == [0, 1, 2, 3, 4]


def test_nan_is_among_the_largest():
    assert largest(numbers(0.5, torch.nan, 0.6), 1).tolist() == [1]


def test_a_weight_of_0_is_chosen_after_all_positive_weights():
    assert sorted(largest_weights(numbers(0.0, 0.7, 0.0, 1e-9), 2).tolist()) == [1, 3]
    assert largest_weights(numbers(0.0, 0.7, 0.0, 1e-9), 3).tolist()[-1] == 0


@given(st.lists(st.sampled_from([-0.5, 0.0, 0.3, 0.3, 1.0]), min_size=1, max_size=9), st.integers(0, 1000))
def test_noise_and_precision_change_no_choice(values, seed):
    torch.manual_seed(seed)
    plain = numbers(*values)
    count = 1 + seed % len(values)
    for noisy in (plain + 1e-9 * torch.randn_like(plain), (plain + 1e-7 * torch.randn_like(plain)).float()):
        for choice in (least_first, lambda scores: largest(scores, count)):
            assert sorted(choice(noisy).tolist()) == sorted(choice(plain).tolist())
        assert least_first(noisy).tolist() == least_first(plain).tolist()
