"""Sinusoid: the wave by its equation, the range of its parameters, and a least-squares fit that continues it."""

import math

import pytest
import torch

from memtape.tasks.dynamics.sinusoid import Sinusoid


def waves(frequencies, length):
    """Return sine and cosine of each frequency, and a constant, at each step."""
    angles = 2 * math.pi * frequencies[:, None] * torch.arange(1, length + 1, dtype=torch.float64) / 1000
    return torch.stack([torch.sin(angles), torch.cos(angles), torch.ones_like(angles)], dim=-1)


def fitted(batch, length):
    """Return the continuation of the best fit over a grid of frequencies, the offset and two amplitudes free."""
    frequencies = torch.linspace(10, 30, 401, dtype=torch.float64)
    seen = waves(frequencies, length)
    values = batch.inputs[:, :length, 0].double()
    found = torch.linalg.lstsq(seen[None], values[:, None, :, None].expand(-1, len(frequencies), -1, -1)).solution
    errors = (seen @ found - values[:, None, :, None]).square().sum((-1, -2))
    best = errors.argmin(1)
    rest = waves(frequencies, 2 * length)[best] @ found[torch.arange(len(best)), best]
    return torch.where(batch.mask[..., None], rest, 0)


def test_a_wave_without_its_parameters_is_continued_by_a_fit():
    task = Sinusoid()
    batch = task.batch(0, 40)
    error = task.scores(fitted(batch, 100), batch)["mse"]
    # the jitter of the targets cannot be predicted: (2 pi f A / 1000)^2 / 2 / 3 on average over f and A
    jitter = (2 * math.pi / 1000) ** 2 * (30**3 - 10**3) / 60 * (5**3 - 1) / 12 / 6
    assert 0.5 * jitter < error < 0.2
    assert error < task.chance(task.lengths)["mse"] / 25


def test_inputs_are_values_and_then_zeros_and_the_second_input_marks_the_answer():
    batch = Sinusoid().batch(0, 3, lengths=(7, 7))
    assert batch.inputs.shape == (3, 14, 2)
    assert not batch.inputs[:, 7:, 0].any()
    assert batch.inputs[:, :, 1].tolist() == [[0.0] * 7 + [1.0] * 7] * 3
    assert torch.equal(batch.mask, batch.inputs[:, :, 1].bool())
    assert not batch.targets[:, :7].any()


def test_amplitudes_and_the_mean_are_those_of_the_paper():
    targets = Sinusoid().batch(0, 400, lengths=(500, 500))
    values = targets.targets[targets.mask].reshape(400, 500)
    amplitudes = (values.amax(1) - values.amin(1)) / 2
    assert amplitudes.min() > 0.99
    assert amplitudes.max() < 5.0001
    assert amplitudes.mean() == pytest.approx(3, abs=0.2)
    assert ((values.amax(1) + values.amin(1)) / 2 - 5).abs().max() < 0.05


def test_noise_is_added_to_the_inputs_alone():
    plain, noisy = Sinusoid().batch(0, 50), Sinusoid(noise=2.0).batch(0, 50)
    assert torch.equal(plain.targets, noisy.targets)
    errors = (noisy.inputs - plain.inputs)[:, :100, 0]
    assert errors.abs().max() <= 2
    assert errors.std() == pytest.approx(2 / math.sqrt(3), rel=0.05)


def test_predicting_the_mean_has_about_the_error_of_chance():
    task = Sinusoid()
    batch = task.batch(0, 1000)
    error = task.scores(torch.full_like(batch.targets, 5.0), batch)["mse"]
    assert error == pytest.approx(task.chance(task.lengths)["mse"], rel=0.1)
    assert task.scores(batch.targets, batch) == {"mse": 0}


def test_a_plot_shows_outputs_beside_targets():
    task = Sinusoid()
    batch = task.batch(0, 1, lengths=(20, 20))
    assert "@" in task.show(batch, batch.targets)
    wrong = task.show(batch, batch.targets + 4)
    assert "o" in wrong
    assert "@" not in wrong


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"noise": -1.0}, "noise is -1.0, but it must be finite and at least 0"),
        ({"min_length": 5, "max_length": 4}, "min_length"),
        ({"min_length": 0}, "min_length"),
    ],
)
def test_bad_options_are_refused_in_one_sentence(options, message):
    with pytest.raises(ValueError, match=message):
        Sinusoid(**options)
