"""The loss of a uniform prediction on each task, and of the optimal predictor of N-grams."""

import itertools
import math

import pytest
import torch

from memtape import AssociativeRecall, Copy, DynamicNGrams, PrioritySort, RepeatCopy


def cost_of_uniform_prediction(task, sequences):
    batch = task.batch(0, sequences)
    return task.scores(torch.zeros(batch.targets.shape), batch)["cost_bits"]


@pytest.mark.parametrize(
    ("task", "expected", "deviation"),
    [
        (Copy(), 84.0, 8 * math.sqrt(399 / 12)),
        (RepeatCopy(), 9 * (5.5 * 5.5 + 1), 9 * math.sqrt(38.5**2 - 5.5**4)),
        (AssociativeRecall(), 18.0, 0.0),
        (PrioritySort(), 128.0, 0.0),
        (DynamicNGrams(), 200.0, 0.0),
    ],
    ids=["copy", "repeat-copy", "recall", "sort", "n-grams"],
)
def test_a_uniform_prediction_costs_one_bit_per_bit(task, expected, deviation):
    sequences = 4000
    tolerance = 4 * deviation / math.sqrt(sequences) + 1e-4
    assert cost_of_uniform_prediction(task, sequences) == pytest.approx(expected, abs=tolerance)


def test_a_uniform_prediction_on_repeat_copy_costs_242_bits_without_the_marker():
    batch = RepeatCopy().batch(0, 4000)
    repeated = batch.mask.sum() - 4000
    deviation = 8 * math.sqrt(38.5**2 - 5.5**4)
    assert 8 * repeated.item() / 4000 == pytest.approx(242, abs=4 * deviation / math.sqrt(4000))


def scalar_kt(bits, order):
    """Return the logit of (N1 + 1/2) / (N1 + N0 + 1) for every bit, counted with a dictionary."""
    counts, logits = {}, []
    for t, bit in enumerate(bits):
        if t < order:
            logits.append(0.0)
            continue
        context = tuple(bits[t - order : t])
        zeros, ones = counts.get(context, (0, 0))
        p = (ones + 0.5) / (ones + zeros + 1)
        logits.append(math.log(p / (1 - p)))
        counts[context] = (zeros + (bit == 0), ones + (bit == 1))
    return logits


@pytest.mark.parametrize("order", [1, 3, 5])
def test_the_optimal_predictor_counts_the_bits_after_each_context(order):
    task = DynamicNGrams(order=order, min_length=2, max_length=60)
    batch = task.batch(0, 12)
    logits = task.optimal_logits(batch)
    assert logits.shape == batch.targets.shape
    for row, length in enumerate(batch.lengths.tolist()):
        expected = scalar_kt(batch.targets[row, :length, 0].tolist(), order)
        torch.testing.assert_close(logits[row, :length, 0], torch.tensor(expected))


def test_the_optimal_predictor_depends_on_previous_bits_only():
    task = DynamicNGrams()
    batch = task.batch(0, 3)
    changed = type(batch)(
        inputs=batch.inputs,
        targets=torch.cat([batch.targets[:, :100], 1 - batch.targets[:, 100:]], dim=1),
        mask=batch.mask,
        lengths=batch.lengths,
    )
    assert torch.equal(task.optimal_logits(changed)[:, :101], task.optimal_logits(batch)[:, :101])


def test_the_optimal_predictor_of_n_grams_needs_133_bits():
    sequences = 4000
    task = DynamicNGrams()
    batch = task.batch(0, sequences, split="test")
    cost = task.scores(task.optimal_logits(batch), batch)["cost_bits"]
    assert cost == pytest.approx(133.1, abs=3 * 35.8 / math.sqrt(sequences))


def test_no_shift_of_the_optimal_prediction_is_better():
    task = DynamicNGrams()
    batch = task.batch(0, 1000)
    best = task.optimal_logits(batch)
    cost = task.scores(best, batch)["cost_bits"]
    for worse in (0.8 * best, 1.2 * best, best + 0.3, best - 0.3, torch.roll(best, 1, dims=1)):
        assert task.scores(worse, batch)["cost_bits"] > cost


def test_the_input_of_n_grams_is_the_previous_bit_and_the_target_the_next():
    batch = DynamicNGrams(min_length=5, max_length=60).batch(0, 20)
    for row, length in enumerate(batch.lengths):
        assert batch.inputs[row, 0, 0] == 0
        assert torch.equal(batch.inputs[row, 1:length], batch.targets[row, : length - 1])
        assert batch.mask[row].sum() == length


def test_the_bits_of_n_grams_follow_a_table_of_arcsine_probabilities():
    batch = DynamicNGrams(order=1, min_length=3000, max_length=3000).batch(0, 300)
    bits = batch.targets[:, :, 0]
    before, after = bits[:, :-1], bits[:, 1:]
    found = []
    for context in (0, 1):
        seen = before == context
        enough = seen.sum(1) > 200
        found.append(((after * seen).sum(1) / seen.sum(1))[enough])
    shares = torch.cat(found)
    assert len(shares) > 300
    inner = ((shares > 0.25) & (shares < 0.75)).float().mean()
    assert 0.2 < inner < 0.5  # 1/3 under Beta(1/2, 1/2) and 1/2 under a uniform law
    one = DynamicNGrams(order=1, min_length=6000, max_length=6000).batch(0, 1).targets[0, :, 0]
    first, second = ([b for a, b in itertools.pairwise(half) if a == 0] for half in (one[:3000], one[3000:]))
    assert abs(sum(first) / len(first) - sum(second) / len(second)) < 0.15


def test_the_first_bits_of_n_grams_are_fair():
    batch = DynamicNGrams(min_length=6, max_length=6).batch(0, 4000)
    shares = batch.targets[:, :5, 0].mean(0)
    assert (abs(shares - 0.5) < 5 * 0.5 / math.sqrt(4000)).all()


def test_sequences_shorter_than_a_context_are_all_fair():
    task = DynamicNGrams(order=5)
    batch = task.batch(0, 50, lengths=(3, 3))
    assert batch.targets.shape == (50, 3, 1)
    assert not task.optimal_logits(batch).any()
