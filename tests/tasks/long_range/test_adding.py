"""Adding: targets parsed from the inputs, and the score of a constant prediction."""

import math

import pytest
import torch

from memtape.tasks.long_range.adding import Adding

LENGTHS = [(2, 2), (3, 3), (5, 12), (101, 101)]


@pytest.mark.parametrize("markers", ["halves", "anywhere"])
@pytest.mark.parametrize("lengths", LENGTHS)
def test_the_target_is_the_sum_of_the_two_marked_numbers(markers, lengths):
    batch = Adding(markers=markers).batch(0, 40, lengths=lengths)
    assert batch.lengths.min() >= lengths[0]
    assert batch.lengths.max() <= lengths[1]
    for row, length in enumerate(batch.lengths.tolist()):
        numbers, marks = batch.inputs[row, :length].T.tolist()
        marked = [step for step, mark in enumerate(marks) if mark == 1]
        assert [mark for mark in marks if mark not in (0, 1)] == []
        assert len(marked) == 2
        assert all(0 <= number < 1 for number in numbers)
        assert batch.targets[row, :, 0].nonzero().tolist() == [[length - 1]]
        assert batch.targets[row, length - 1].item() == pytest.approx(sum(numbers[step] for step in marked))
        assert batch.mask[row].nonzero().tolist() == [[length - 1]]
        if markers == "halves":
            assert marked[0] < length // 2 <= marked[1]


def test_markers_are_uniform_over_the_steps():
    halves = Adding().batch(0, 20_000, lengths=(7, 7)).inputs[:, :, 1].mean(0)
    torch.testing.assert_close(halves, torch.tensor([1 / 3] * 3 + [1 / 4] * 4), rtol=0, atol=0.02)
    batch = Adding(markers="anywhere").batch(0, 20_000, lengths=(4, 4))
    pairs = batch.inputs[:, :, 1].T @ batch.inputs[:, :, 1]
    shares = pairs / 20_000
    torch.testing.assert_close(shares, torch.eye(4) * (1 / 2 - 1 / 6) + 1 / 6, rtol=0, atol=0.02)


@pytest.mark.parametrize("markers", ["halves", "anywhere"])
def test_a_constant_prediction_of_1_has_an_error_of_a_sixth(markers):
    task = Adding(markers=markers)
    batch = task.batch(0, 20_000, lengths=(10, 10))
    error = task.scores(torch.ones(batch.targets.shape), batch)["mse"]
    assert error == pytest.approx(1 / 6, abs=4 * math.sqrt(7 / 180 / 20_000))
    assert task.chance(task.lengths) == {"mse": 1 / 6}


def test_the_score_is_the_mean_squared_error():
    task = Adding(min_length=3, max_length=6)
    batch = task.batch(0, 10)
    outputs = torch.randn(batch.targets.shape)
    errors = [
        (outputs[row, length - 1, 0].item() - batch.targets[row, length - 1, 0].item()) ** 2
        for row, length in enumerate(batch.lengths.tolist())
    ]
    assert task.scores(outputs, batch)["mse"] == pytest.approx(sum(errors) / 10)
    assert task.loss(outputs, batch).item() == pytest.approx(sum(errors) / 10)


def test_invalid_options_are_refused():
    with pytest.raises(ValueError, match="min_length is 1, but it must be at least 2; give a larger min_length"):
        Adding(min_length=1)
    with pytest.raises(ValueError, match="max_length of Adding is 3, but min_length is 4 and must not be larger"):
        Adding(min_length=4, max_length=3)
    with pytest.raises(ValueError, match=r"lengths are 1\.\.4, but Adding needs 2 <= shortest <= longest"):
        Adding().batch(0, 1, lengths=(1, 4))


def test_markers_are_one_of_two_words(shapes_unchecked):
    with pytest.raises(ValueError, match="markers is 'thirds', but it must be one of 'halves', 'anywhere'; choose one"):
        Adding(markers="thirds")
