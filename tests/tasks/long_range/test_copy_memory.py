"""Copy memory: targets parsed from the inputs, and the loss of a predictor without memory."""

import math

import pytest
import torch

from memtape.tasks.long_range.copy_memory import CopyMemory


@pytest.mark.parametrize(("symbols", "remembered"), [(8, 10), (1, 1), (3, 2)])
@pytest.mark.parametrize("lengths", [(1, 1), (4, 9), (100, 100)])
def test_the_target_is_blank_and_then_the_symbols(symbols, remembered, lengths):
    task, lags = CopyMemory(symbols=symbols, remembered=remembered), set()
    assert (task.input_size, task.output_size) == (symbols + 2, symbols + 1)
    batch = task.batch(0, 40, lengths=lengths)
    for row, length in enumerate(batch.lengths.tolist()):
        inputs, targets = batch.inputs[row, :length].tolist(), batch.targets[row, :length].tolist()
        delimiter = inputs.index(symbols + 1)
        lag = delimiter - remembered + 1
        lags.add(lag)
        copied = inputs[:remembered]
        assert all(1 <= symbol <= symbols for symbol in copied)
        assert inputs == copied + [0] * (lag - 1) + [symbols + 1] + [0] * remembered
        assert targets == [0] * (lag + remembered) + copied
        assert batch.mask[row].tolist() == [True] * length + [False] * (batch.mask.shape[1] - length)
    assert lags == set(range(lengths[0], lengths[1] + 1))


def test_symbols_are_uniform():
    copied = CopyMemory().batch(0, 2_000, lengths=(1, 1)).inputs[:, :10]
    shares = copied.flatten().bincount(minlength=10)[1:9] / 20_000
    assert (abs(shares - 1 / 8) < 0.01).all()


def memoryless(task, batch):
    """Return the logits of a predictor that depends on the delimiter alone."""
    outputs = torch.full((*batch.targets.shape, task.output_size), -1e9, dtype=torch.float64)
    since = torch.arange(batch.targets.shape[1]) - (batch.lengths - task.remembered)[:, None]
    outputs[..., 0] = torch.where(since < 0, 0.0, -1e9)
    outputs[..., 1:] = torch.where(since < 0, -1e9, 0.0)[..., None]
    return outputs


@pytest.mark.parametrize(("lag", "nats"), [(20, 0.5199), (50, 0.2971), (100, 0.1733), (200, 0.0945), (1000, 0.0204)])
def test_without_memory_the_loss_is_that_of_ten_symbols_of_eight(lag, nats):
    task = CopyMemory(min_length=lag, max_length=lag)
    assert task.chance(task.lengths)["cross_entropy"] == pytest.approx(nats, abs=5e-5)
    batch = task.batch(0, 3)
    assert batch.lengths.tolist() == [lag + 20] * 3
    scores = task.scores(memoryless(task, batch), batch)
    assert scores["cross_entropy"] == pytest.approx(10 * math.log(8) / (lag + 20))
    assert task.loss(memoryless(task, batch), batch).item() == pytest.approx(scores["cross_entropy"])


def test_wrong_symbols_are_counted_among_those_to_remember():
    task = CopyMemory(min_length=5, max_length=5)
    batch = task.batch(0, 4)
    outputs = torch.nn.functional.one_hot(batch.targets, 9).float()
    assert task.scores(outputs, batch)["wrong_symbols"] == 0
    outputs[0, 3] = torch.eye(9)[4]
    assert task.scores(outputs, batch)["wrong_symbols"] == 0
    outputs[0, -2] = torch.eye(9)[0]
    outputs[1, -1] = torch.eye(9)[0]
    assert task.scores(outputs, batch)["wrong_symbols"] == 2 / 4
    assert task.chance((5, 5))["wrong_symbols"] == 10 * 7 / 8


@pytest.mark.parametrize("name", ["symbols", "remembered", "min_length"])
def test_a_size_below_1_is_refused(name):
    with pytest.raises(ValueError, match=f"{name} is 0, but it must be at least 1; give a larger {name}"):
        CopyMemory(**{name: 0})
