"""Schedules: learning rates and lengths as functions of the step."""

import pytest

from memtape.training.optim.schedule import lengths_at, rate_at
from memtape.training.settings import TrainSettings


def test_a_constant_schedule_never_changes_the_rate():
    settings = TrainSettings(steps=10, schedule="constant")
    assert {rate_at(step, settings) for step in range(10)} == {1.0}


def test_a_cosine_decays_from_one_to_the_final_rate():
    settings = TrainSettings(steps=100, schedule="cosine", final_rate=0.1)
    rates = [rate_at(step, settings) for step in range(101)]
    assert rates[0] == 1.0
    assert rates[50] == pytest.approx(0.55)
    assert rates[100] == pytest.approx(0.1)
    assert rates == sorted(rates, reverse=True)


def test_a_warmup_increases_the_rate_linearly():
    settings = TrainSettings(steps=10, warmup_steps=4)
    assert [rate_at(step, settings) for step in range(5)] == [0.25, 0.5, 0.75, 1.0, 1.0]


def test_without_a_curriculum_all_lengths_are_trained_from_the_start():
    assert lengths_at(0, (1, 20), TrainSettings()) == (1, 20)


def test_a_curriculum_moves_both_bounds_to_those_of_the_task():
    settings = TrainSettings(curriculum_steps=10, curriculum_min=10, curriculum_max=15)
    assert lengths_at(0, (1, 20), settings) == (10, 15)
    assert lengths_at(5, (1, 20), settings) == (6, 18)
    assert lengths_at(10, (1, 20), settings) == (1, 20)


def test_a_curriculum_may_start_below_the_lengths_of_the_task_but_not_below_its_minimum():
    settings = TrainSettings(curriculum_steps=10, curriculum_min=1, curriculum_max=99)
    assert lengths_at(0, (3, 6), settings, least=2) == (2, 6)
    assert lengths_at(5, (3, 6), settings) == (2, 6)
    assert lengths_at(10, (3, 6), settings) == (3, 6)


def test_a_curriculum_by_score_grows_with_the_passed_lengths():
    settings = TrainSettings(curriculum_score=0.5)
    assert [lengths_at(7, (2, 4), settings, passed=passed) for passed in range(4)] == [(2, 2), (2, 3), (2, 4), (2, 4)]
    settings = TrainSettings(curriculum_score=0.5, curriculum_max=3)
    assert lengths_at(0, (2, 4), settings) == (2, 3)
    assert lengths_at(0, (4, 9), settings) == (4, 4)


@pytest.mark.parametrize("name", ["curriculum_steps", "curriculum_min"])
def test_lengths_grow_by_steps_or_by_score(name):
    with pytest.raises(ValueError, match=f"{name} is 2, but with a curriculum_score lengths grow by the score; leave"):
        TrainSettings(curriculum_score=0.5, **{name: 2})


def test_a_curriculum_with_an_empty_range_is_refused():
    with pytest.raises(ValueError, match="curriculum_min 5 is above curriculum_max 2"):
        TrainSettings(curriculum_min=5, curriculum_max=2)
