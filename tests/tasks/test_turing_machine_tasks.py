"""Invariants of the five tasks of the Neural Turing Machine."""

import inspect
import math

import pytest
import torch

from memtape import AssociativeRecall, Copy, DynamicNGrams, PrioritySort, RepeatCopy

SIZES = {Copy: (9, 8), RepeatCopy: (10, 9), AssociativeRecall: (8, 6), DynamicNGrams: (1, 1), PrioritySort: (10, 8)}
TRAINING = {
    Copy: (1, 20),
    RepeatCopy: (1, 10),
    AssociativeRecall: (2, 6),
    DynamicNGrams: (200, 200),
    PrioritySort: (20, 20),
}
OTHER_OPTIONS = {
    "start_marker": True,
    "bits": 3,
    "item_vectors": 2,
    "min_length": 4,
    "max_length": 4,
    "min_repeats": 3,
    "max_repeats": 3,
    "repeats_scale_max": 20,
    "order": 2,
    "answer_share": 0.5,
    "same_length": True,
}


def same(first, second):
    return all(
        torch.equal(getattr(first, name), getattr(second, name)) for name in ("inputs", "targets", "mask", "lengths")
    )


def test_the_defaults_are_those_of_the_paper(task):
    assert (task.input_size, task.output_size) == SIZES[type(task)]
    assert task.lengths == TRAINING[type(task)]


def test_a_batch_is_a_pure_function_of_seed_split_and_index(task, task_class):
    batch = task.batch(3, 8, seed=1, split="test")
    task.batch(4, 8)
    assert same(task_class().batch(3, 8, seed=1, split="test"), batch)
    for other in ({"index": 4}, {"seed": 2}, {"split": "train"}):
        arguments = {"index": 3, "seed": 1, "split": "test"} | other
        assert not torch.equal(
            task.batch(arguments["index"], 8, seed=arguments["seed"], split=arguments["split"]).inputs, batch.inputs
        )


def test_a_batch_has_the_shapes_of_the_task(task):
    batch = task.batch(0, 7)
    time = batch.inputs.shape[1]
    assert batch.inputs.shape == (7, time, task.input_size)
    assert batch.targets.shape == (7, time, task.output_size)
    assert batch.mask.shape == (7, time)
    assert batch.lengths.shape == (7,)
    assert time == batch.lengths.max()
    assert batch.inputs.dtype == batch.targets.dtype == torch.float32


def test_padding_is_zero_and_unscored_and_targets_are_bits_of_scored_steps(task_class):
    task = DynamicNGrams(min_length=5, max_length=9) if task_class is DynamicNGrams else task_class()
    task = PrioritySort(min_length=2) if task_class is PrioritySort else task
    batch = task.batch(0, 40)
    assert batch.lengths.unique().numel() > 2
    for row, length in enumerate(batch.lengths):
        assert not batch.inputs[row, length:].any()
        assert not batch.mask[row, length:].any()
        assert batch.mask[row, length - 1]
    assert not batch.targets[~batch.mask].any()
    assert ((batch.targets == 0) | (batch.targets == 1)).all()
    assert 0.3 < batch.targets[batch.mask][:, 0].mean() < 0.7


def test_the_inputs_are_zero_at_scored_steps(task):
    batch = task.batch(0, 20)
    if not isinstance(task, DynamicNGrams):
        assert not batch.inputs[batch.mask].any()


def test_same_length_draws_one_length_for_a_batch_and_another_for_the_next(task_class):
    task = task_class(min_length=2, max_length=30, same_length=True)
    batches = [task.batch(index, 6) for index in range(8)]
    assert all(batch.lengths.unique().numel() == 1 for batch in batches)
    assert len({int(batch.lengths[0]) for batch in batches}) > 3
    assert task_class(min_length=2, max_length=30).batch(0, 20).lengths.unique().numel() > 3


def test_lengths_are_uniform_and_include_both_ends(task_class):
    task = task_class(min_length=2, max_length=5)
    if isinstance(task, RepeatCopy):
        task = RepeatCopy(min_length=2, max_length=5, min_repeats=1, max_repeats=1)
    steps = {length: int(task.batch(0, 1, lengths=(length, length)).lengths) for length in (2, 3, 4, 5)}
    assert len(set(steps.values())) == 4
    drawn = task.batch(0, 4000).lengths
    for expected in steps.values():
        share = (drawn == expected).float().mean()
        assert abs(share - 0.25) < 5 * math.sqrt(0.25 * 0.75 / 4000)


def test_given_lengths_may_exceed_those_of_training(task):
    longest = int(task.batch(0, 50).lengths.max())
    beyond = task.batch(0, 3, lengths=(3 * task.lengths[1], 3 * task.lengths[1]))
    assert beyond.lengths.min() > longest / 2
    assert beyond.inputs.shape[1] > task.lengths[1]


def test_every_option_changes_the_data(task_class):
    for name in set(inspect.signature(task_class).parameters) - {"test_length"}:
        plain, changed = (
            task_class(),
            task_class(**{name: OTHER_OPTIONS[name]} | ({"min_length": 2} if name == "max_length" else {})),
        )
        one, other = plain.batch(0, 8, lengths=(4, 9)), changed.batch(0, 8, lengths=(4, 9))
        if name in ("min_length", "max_length"):
            one, other = plain.batch(0, 8), changed.batch(0, 8)
        assert not (one.inputs.shape == other.inputs.shape and same(one, other)), name


def test_the_loss_is_the_cross_entropy_per_scored_bit(task):
    batch = task.batch(0, 3)
    outputs = torch.randn(batch.targets.shape, dtype=torch.float64)
    nats = []
    for row, step in torch.nonzero(batch.mask).tolist():
        for logit, bit in zip(outputs[row, step].tolist(), batch.targets[row, step].tolist(), strict=True):
            p = 1 / (1 + math.exp(-logit))
            nats.append(-math.log(p if bit else 1 - p))
    double = type(batch)(inputs=batch.inputs, targets=batch.targets.double(), mask=batch.mask, lengths=batch.lengths)
    assert task.loss(outputs, double).item() == pytest.approx(sum(nats) / len(nats), rel=1e-9)
    cost = task.scores(outputs, double)["cost_bits"]
    assert cost == pytest.approx(sum(nats) / math.log(2) / 3, rel=1e-9)


def test_a_logit_of_0_costs_one_bit_for_each_scored_bit(task):
    batch = task.batch(0, 5)
    outputs = torch.zeros(batch.targets.shape)
    assert task.loss(outputs, batch).item() == pytest.approx(math.log(2), rel=1e-6)
    scored = int(batch.mask.sum()) * task.output_size / 5
    assert task.scores(outputs, batch)["cost_bits"] == pytest.approx(scored, rel=1e-6)


def test_a_perfect_answer_costs_nothing_and_each_wrong_bit_counts_once(task):
    batch = task.batch(0, 5)
    perfect = 100 * (2 * batch.targets - 1)
    assert task.scores(perfect, batch) == {"cost_bits": pytest.approx(0, abs=1e-6), "wrong_bits": 0}
    spoilt = perfect.clone()
    rows, steps = torch.nonzero(batch.mask, as_tuple=True)
    for row, step in list(zip(rows.tolist(), steps.tolist(), strict=True))[:3]:
        spoilt[row, step, -1] *= -1
    assert task.scores(spoilt, batch)["wrong_bits"] == pytest.approx(3 / 5)


def test_unscored_outputs_have_no_influence(task, equal_up_to_rounding):
    batch = task.batch(0, 5)
    outputs = torch.randn(batch.targets.shape)
    loss, scores = task.loss(outputs, batch), task.scores(outputs, batch)
    outputs[~batch.mask] = 1e6
    equal_up_to_rounding(task.loss(outputs, batch), loss)
    assert task.scores(outputs, batch) == pytest.approx(scores)


def test_the_loss_has_a_gradient_and_the_scores_need_none(task):
    batch = task.batch(0, 5)
    outputs = torch.randn(batch.targets.shape, requires_grad=True)
    task.loss(outputs, batch).backward()
    assert outputs.grad[batch.mask].all()
    assert not outputs.grad[~batch.mask].any()
    assert set(task.scores(outputs, batch)) == {"cost_bits", "wrong_bits"}


def test_a_size_below_1_is_refused(task_class):
    size = "order" if task_class is DynamicNGrams else "bits"
    with pytest.raises(ValueError, match=f"{size} is 0, but it must be at least 1; give a larger {size}"):
        task_class(**{size: 0})


def test_an_empty_range_of_lengths_is_refused(task_class):
    name = task_class.__name__
    with pytest.raises(
        ValueError, match=f"max_length of {name} is 3, but min_length is 4 and must not be larger; raise"
    ):
        task_class(min_length=4, max_length=3)
    with pytest.raises(ValueError, match="min_length is 0, but it must be at least"):
        task_class(min_length=0, max_length=3)
    with pytest.raises(ValueError, match=rf"lengths are 3\.\.2, but {name} needs \d <= shortest <= longest"):
        task_class().batch(0, 1, lengths=(3, 2))


@pytest.mark.parametrize(("option", "value"), [("bits", 2.0), ("min_length", 1.5), ("max_length", 2.5)])
def test_a_size_that_is_not_an_integer_is_refused(shapes_unchecked, option, value):
    with pytest.raises(TypeError, match=f"{option} is {value}, but it must be an integer"):
        Copy(**{option: value})
