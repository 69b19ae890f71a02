"""The messages for invalid sizes, numbers and choices."""

import re

import pytest
from torch import nn

from memtape.core import checks


@pytest.mark.parametrize("value", [0, -3])
def test_a_count_has_a_minimum(value):
    with pytest.raises(ValueError, match=rf"slots is {value}, but it must be at least 1; give a larger slots"):
        checks.at_least(1, width=2, slots=value)


@pytest.mark.parametrize("value", [True, "3", None, 1.5, float("nan")])
def test_a_count_must_be_an_integer(value, shapes_unchecked):
    with pytest.raises(TypeError, match=rf"slots is {value!r}, but it must be an integer; give one of at least 1"):
        checks.at_least(1, slots=value)


def test_a_choice_must_be_among_the_choices():
    checks.one_of(("cosine", "dot"), similarity="dot")
    message = "similarity is 'euclid', but it must be one of 'cosine', 'dot'; choose one of them"
    with pytest.raises(ValueError, match=re.escape(message)):
        checks.one_of(("cosine", "dot"), similarity="euclid")


def test_a_size_must_be_at_least_1():
    checks.module_sizes(nn.Tanh(), slots=1, width=7)
    with pytest.raises(ValueError, match="width of Tanh is 0, but it must be at least 1; give a larger width"):
        checks.module_sizes(nn.Tanh(), slots=1, width=0)


@pytest.mark.parametrize("value", [True, 2.0, "2", None])
def test_a_size_must_be_an_integer(value, shapes_unchecked):
    message = f"width of Tanh is {value!r}, but it must be an integer; give one of at least 1"
    with pytest.raises(TypeError, match=re.escape(message)):
        checks.module_sizes(nn.Tanh(), width=value)
