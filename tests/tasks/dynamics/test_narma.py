"""NARMA: a scalar implementation of the system, and computable baselines."""

import math

import numpy
import pytest
import torch

from memtape.tasks.dynamics import narma
from memtape.tasks.dynamics.narma import Narma


def scalar_narma(noise, order):
    """Return y(1), y(2), ... of a system at rest, driven by u(0), u(1), ..."""
    u, y = (lambda t: noise[t] if t >= 0 else 0.0), {}
    for t in range(len(noise)):
        window = sum(y.get(t - i, 0.0) for i in range(order))
        y[t + 1] = 0.3 * y.get(t, 0.0) + 0.05 * y.get(t, 0.0) * window + 1.5 * u(t - order + 1) * u(t) + 0.1
    return [y[t + 1] for t in range(len(noise))]


@pytest.mark.parametrize("order", [1, 2, 10])
@pytest.mark.parametrize("steps", [5, 40])
def test_the_system_computes_its_equation(order, steps):
    batch = Narma(order=order, washout=0, min_length=1).batch(0, 3, lengths=(steps, steps))
    for inputs, targets in zip(batch.inputs[:, :, 0].double().tolist(), batch.targets[:, :, 0].tolist(), strict=True):
        assert targets == pytest.approx(scalar_narma(inputs, order), rel=1e-5)


def test_the_noise_is_uniform_from_0_to_a_half():
    noise = Narma().batch(0, 50, lengths=(1_000, 1_000)).inputs
    assert noise.min() >= 0
    assert noise.max() <= 0.5
    assert noise.mean() == pytest.approx(1 / 4, abs=0.005)
    assert noise.var() == pytest.approx(1 / 48, abs=0.0005)


def test_steps_after_the_washout_are_scored():
    batch = Narma(washout=7, min_length=8, max_length=15).batch(0, 50)
    assert set(batch.lengths.tolist()) == set(range(8, 16))
    for row, length in enumerate(batch.lengths.tolist()):
        assert batch.mask[row].nonzero()[:, 0].tolist() == list(range(7, length))


def test_predicting_the_mean_scores_1_and_predicting_the_target_scores_0():
    task = Narma()
    batch = task.batch(0, 20)
    mean = batch.targets[batch.mask].mean()
    assert task.scores(mean.expand(batch.targets.shape), batch)["nrmse"] == pytest.approx(1, abs=1e-4)
    assert task.scores(batch.targets, batch) == {"nrmse": 0}
    assert task.chance(task.lengths) == {"nrmse": 1}


def test_the_score_equals_an_explicit_computation():
    task = Narma(washout=2, min_length=5, max_length=9)
    batch = task.batch(0, 6)
    outputs = torch.randn(batch.targets.shape, dtype=torch.float64)
    true, predicted = batch.targets[batch.mask].double().numpy(), outputs[batch.mask].numpy()
    expected = math.sqrt(((true - predicted) ** 2).mean() / true.var())
    assert task.scores(outputs, batch)["nrmse"] == pytest.approx(expected)


def test_one_target_alone_has_no_variance_to_divide_by():
    task = Narma(washout=0, min_length=1)
    batch = task.batch(0, 1, lengths=(1, 1))
    assert task.scores(torch.zeros(1, 1, 1), batch) == {"nrmse": math.inf}


def taps(batch, count):
    """Return the last inputs up to each scored step, and a 1, a row for each."""
    noise = numpy.pad(batch.inputs[:, :, 0].double().numpy(), ((0, 0), (count - 1, 0)))
    windows = numpy.lib.stride_tricks.sliding_window_view(noise, count, axis=1)[batch.mask.numpy()]
    return numpy.column_stack([windows, numpy.ones(len(windows))])


def test_a_linear_filter_of_20_taps_is_better_than_the_mean_and_far_from_0():
    task = Narma(washout=100, min_length=1_000, max_length=2_000)
    train, test = task.batch(0, 1, lengths=(2_000, 2_000)), task.batch(0, 1, lengths=(1_000, 1_000), split="test")
    weights, *_ = numpy.linalg.lstsq(taps(train, 20), train.targets[train.mask][:, 0].double().numpy(), rcond=None)
    outputs = torch.zeros(test.targets.shape, dtype=torch.float64)
    outputs[test.mask] = torch.from_numpy(taps(test, 20) @ weights)[:, None]
    assert 0.3 < task.scores(outputs, test)["nrmse"] < 0.7


def test_a_sequence_that_reaches_the_bound_is_drawn_again_although_it_may_return():
    noise = torch.rand(2_000, 500, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) / 2
    outputs = narma.narma(noise, 10)
    reached = outputs.abs().amax(1) >= 1
    assert reached.any()
    assert outputs[reached].isfinite().all(1).double().mean() > 0.5
    batch = Narma().batch(0, 2_000, lengths=(500, 500))
    assert batch.targets.abs().max() < 1
    assert len(batch.inputs[:, 0, 0].unique()) > 1_900


def test_a_system_that_always_reaches_the_bound_is_reported(monkeypatch):
    monkeypatch.setattr(narma, "BOUND", 0.1)
    with pytest.raises(
        ValueError,
        match=r"all 100 draws of a sequence of 50 steps had an output of 0\.1 or more, as long",
    ):
        Narma().batch(0, 1, lengths=(50, 50))


def test_invalid_options_are_refused():
    with pytest.raises(ValueError, match="order is 11, but above 10 the system diverges; give a smaller order"):
        Narma(order=11)
    with pytest.raises(ValueError, match="min_length is 20, but it must be at least 21; give a larger min_length"):
        Narma(min_length=20)
    with pytest.raises(ValueError, match=r"lengths are 20\.\.50, but Narma needs 21 <= shortest <= longest"):
        Narma().batch(0, 1, lengths=(20, 50))
