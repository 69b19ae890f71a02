"""The probability of the teacher in scheduled sampling."""

import math

import pytest

from memtape.training.optim.schedule import teacher_at
from memtape.training.settings import TrainSettings


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("always", [1, 1, 1, 1]),
        ("linear", [1, 0.75, 0.5, 0.1]),
        ("exponential", [1, math.exp(-0.25), math.exp(-0.5), 0.1]),
        ("inverse_sigmoid", [8 / 9, 8 / (8 + math.exp(0.25)), 8 / (8 + math.exp(0.5)), 0.1]),
    ],
)
def test_the_probability_decays_by_its_equation_down_to_its_minimum(kind, expected):
    settings = TrainSettings(teacher=kind, teacher_steps=8, teacher_least=0.1)
    assert [teacher_at(step, settings) for step in (0, 2, 4, 100_000)] == pytest.approx(expected, rel=1e-12)
