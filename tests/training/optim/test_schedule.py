"""What changes with the step: rates, lengths, and the update rules."""

import math

import pytest
import torch

from memtape.training.optim.graves_rmsprop import GravesRMSprop
from memtape.training.optim.schedule import lengths_at, optimizer_for, rate_at
from memtape.training.settings import TrainSettings


def test_a_constant_schedule_never_changes_the_rate():
    settings = TrainSettings(steps=10, schedule="constant")
    assert {rate_at(step, settings) for step in range(10)} == {1.0}


def test_a_cosine_falls_from_one_to_the_final_rate():
    settings = TrainSettings(steps=100, schedule="cosine", final_rate=0.1)
    rates = [rate_at(step, settings) for step in range(101)]
    assert rates[0] == 1.0
    assert rates[50] == pytest.approx(0.55)
    assert rates[100] == pytest.approx(0.1)
    assert rates == sorted(rates, reverse=True)


def test_a_warmup_grows_the_rate_in_equal_parts():
    settings = TrainSettings(steps=10, warmup_steps=4)
    assert [rate_at(step, settings) for step in range(5)] == [0.25, 0.5, 0.75, 1.0, 1.0]


def test_without_a_curriculum_all_lengths_are_trained_from_the_start():
    assert lengths_at(0, (1, 20), TrainSettings()) == (1, 20)


def test_a_curriculum_moves_both_ends_to_those_of_the_task():
    settings = TrainSettings(curriculum_steps=10, curriculum_min=10, curriculum_max=15)
    assert lengths_at(0, (1, 20), settings) == (10, 15)
    assert lengths_at(5, (1, 20), settings) == (6, 18)
    assert lengths_at(10, (1, 20), settings) == (1, 20)


def test_a_curriculum_may_begin_below_the_lengths_of_the_task_but_not_below_what_makes_sense():
    settings = TrainSettings(curriculum_steps=10, curriculum_min=1, curriculum_max=99)
    assert lengths_at(0, (3, 6), settings, least=2) == (2, 6)
    assert lengths_at(5, (3, 6), settings) == (2, 6)
    assert lengths_at(10, (3, 6), settings) == (3, 6)


def test_a_curriculum_by_score_grows_by_the_lengths_that_are_passed():
    settings = TrainSettings(curriculum_score=0.5)
    assert [lengths_at(7, (2, 4), settings, passed=passed) for passed in range(4)] == [(2, 2), (2, 3), (2, 4), (2, 4)]
    settings = TrainSettings(curriculum_score=0.5, curriculum_max=3)
    assert lengths_at(0, (2, 4), settings) == (2, 3)
    assert lengths_at(0, (4, 9), settings) == (4, 4)


def test_the_rule_of_graves_by_the_letter():
    torch.manual_seed(0)
    weight = torch.nn.Parameter(torch.randn(3, dtype=torch.float64))
    theta = weight.detach().clone()
    optimizer = GravesRMSprop([weight], lr=0.01, smoothing=0.95, momentum=0.9)
    square, mean, change = [0.0] * 3, [0.0] * 3, [0.0] * 3
    for _ in range(5):
        gradient = torch.randn(3, dtype=torch.float64)
        weight.grad = gradient.clone()
        optimizer.step()
        for i in range(3):
            g = float(gradient[i])
            square[i] = 0.95 * square[i] + 0.05 * g * g
            mean[i] = 0.95 * mean[i] + 0.05 * g
            change[i] = 0.9 * change[i] - 0.01 * g / math.sqrt(square[i] - mean[i] ** 2 + 1e-4)
            theta[i] += change[i]
    torch.testing.assert_close(weight.detach(), theta, rtol=0, atol=1e-15)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *(("adam", torch.optim.Adam), ("rmsprop", torch.optim.RMSprop), ("graves", GravesRMSprop)),
        *(("adagrad", torch.optim.Adagrad), ("ridge", torch.optim.SGD)),
    ],
)
def test_the_settings_choose_the_optimiser(name, kind):
    optimizer = optimizer_for([torch.nn.Parameter(torch.zeros(1))], TrainSettings(optimizer=name, learning_rate=0.5))
    assert type(optimizer) is kind
    assert optimizer.param_groups[0]["lr"] == 0.5


def test_adagrad_is_fused_for_whole_tensors_of_the_processor_alone():
    class Part(torch.nn.Parameter):
        """Stands in for a parameter that several processes hold in parts."""

    elsewhere = torch.nn.Parameter(torch.zeros(1, device="meta"))
    for parameter, fused in (
        (torch.nn.Parameter(torch.zeros(1)), True),
        (Part(torch.zeros(1)), False),
        (elsewhere, False),
    ):
        settings = TrainSettings(optimizer="adagrad")
        assert optimizer_for(iter([parameter]), settings).param_groups[0]["fused"] is fused


@pytest.mark.parametrize(("name", "option", "value"), [("rmsprop", "alpha", 0.7), ("graves", "smoothing", 0.7)])
def test_smoothing_and_momentum_reach_the_optimiser(name, option, value):
    settings = TrainSettings(optimizer=name, smoothing=0.7, momentum=0.3)
    group = optimizer_for([torch.nn.Parameter(torch.zeros(1))], settings).param_groups[0]
    assert group[option] == value
    assert group["momentum"] == 0.3


@pytest.mark.parametrize("name", ["curriculum_steps", "curriculum_min"])
def test_lengths_grow_by_updates_or_by_score(name):
    with pytest.raises(
        ValueError, match=f"{name} is 2, but with a curriculum_score lengths grow by what is learned; leave"
    ):
        TrainSettings(curriculum_score=0.5, **{name: 2})


def test_a_curriculum_that_is_no_range_is_refused():
    with pytest.raises(ValueError, match="curriculum_min 5 is above curriculum_max 2"):
        TrainSettings(curriculum_min=5, curriculum_max=2)
