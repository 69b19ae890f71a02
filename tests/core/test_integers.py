"""Integers of any size, in tensors, arrays and lists, become int64 where they are passed; other values are refused."""

import re

import numpy as np
import pytest
import torch

from memtape.core import checks
from memtape.core.integers import as_integers, widened
from memtape.models.recurrent.gru import GRU

SIGNED = [torch.int8, torch.int16, torch.int32, torch.int64]
UNSIGNED = [torch.uint8, torch.uint16, torch.uint32, torch.uint64]


@pytest.mark.parametrize("dtype", SIGNED + UNSIGNED)
def test_integers_of_every_size_are_taken(dtype):
    result = as_integers("lengths", torch.tensor([3, 0, 127]).to(dtype), "numbers of steps")
    assert result.dtype == torch.int64
    assert result.tolist() == [3, 0, 127]
    assert widened(torch.tensor([3]).to(dtype)).dtype == torch.int64


@pytest.mark.parametrize("values", [[2, 5], (2, 5), np.array([2, 5], dtype=np.uint16), [np.int64(2), torch.tensor(5)]])
def test_lists_and_arrays_are_taken(values):
    result = as_integers("lengths", values, "numbers of steps")
    assert result.dtype == torch.int64
    assert result.tolist() == [2, 5]


def test_an_empty_list_is_taken():
    assert as_integers("lengths", [], "numbers of steps").shape == (0,)


@pytest.mark.parametrize("values", [torch.tensor([True]), torch.tensor([1.0]), torch.zeros(0), [2.5], np.array([1.0])])
def test_other_numbers_are_refused(values):
    with pytest.raises(TypeError, match=r"lengths are torch\.\w+, but they are numbers of steps; pass integers"):
        as_integers("lengths", values, "numbers of steps")


@pytest.mark.parametrize(
    ("values", "kind"), [("abc", "a str"), ([None, 2], "a list"), ([[1], [1, 2]], "a list"), ({}, "a dict")]
)
def test_what_is_no_tensor_is_refused(values, kind):
    message = f"lengths are {kind} without the form of a tensor, but they are numbers of steps; pass integers"
    with pytest.raises(TypeError, match=message):
        as_integers("lengths", values, "numbers of steps")


@pytest.mark.parametrize("values", [[10**400], np.array([2**63], dtype=np.uint64)])
def test_integers_beyond_64_bits_are_refused(values):
    message = "lengths contain an integer beyond 64 bits, but they are numbers of steps; correct it"
    with pytest.raises(ValueError, match=message):
        as_integers("lengths", values, "numbers of steps")


def test_what_is_no_tensor_of_integers_is_not_widened():
    floats, flags = torch.ones(2), torch.ones(2, dtype=torch.bool)
    assert widened(floats) is floats
    assert widened(flags) is flags
    assert widened("a") == "a"


@pytest.mark.parametrize("value", [np.int64(3), np.uint8(3), 3])
def test_an_integer_of_numpy_is_a_count(value, shapes_unchecked):
    checks.at_least(1, slots=value)


@pytest.mark.parametrize("value", [np.True_, np.float64(3.0)])
def test_other_scalars_of_numpy_are_no_counts(value, shapes_unchecked):
    with pytest.raises(TypeError, match="but it must be an integer"):
        checks.at_least(1, slots=value)


@pytest.mark.parametrize("digits", [21, 400, 5_000])
def test_a_count_beyond_64_bits_is_refused_by_its_number_of_digits(digits):
    message = f"slots is an integer of about {digits} digits, but it must fit in 64 bits; give a smaller slots"
    with pytest.raises(ValueError, match=re.escape(message)):
        checks.at_least(1, slots=10 ** (digits - 1))
    with pytest.raises(ValueError, match=f"slots is an integer of about {digits} digits, but it must be at least 1"):
        checks.at_least(1, slots=-(10 ** (digits - 1)))
    with pytest.raises(ValueError, match="slots is 9223372036854775808, but it must fit in 64 bits"):
        checks.at_least(1, slots=2**63)


@pytest.mark.parametrize("name", ["input_size", "hidden_size", "dropout"])
@pytest.mark.parametrize("power", [400, 5_000])
def test_an_argument_of_a_network_fits_in_64_bits(name, power, shapes_unchecked):
    message = f"{name} is an integer of about {power + 1} digits, but it must fit in 64 bits; give another number"
    with pytest.raises(ValueError, match=message):
        GRU(**{"input_size": 3, "output_size": 2, name: -(10**power)})


def test_a_batch_size_is_checked(shapes_unchecked):
    with pytest.raises(ValueError, match="batch_size is -1, but it must be at least 0"):
        GRU(3, 2).init_state(-1)
    with pytest.raises(ValueError, match="batch_size is an integer of about 401 digits, but it must fit in 64 bits"):
        GRU(3, 2).init_state(10**400)
