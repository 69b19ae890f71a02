"""Continual learning: the phases of training, the layout of the four tasks, and their accuracies counted by hand."""

import pytest
import torch

from memtape import Continual

BITS = 2
MARKERS = {1: range(1), 2: range(1, 3), 3: range(3, 5), 4: range(5, 7)}
NAMES = ["copy", "repeat_copy", "associative_recall", "priority_sort"]


def small(**options):
    return Continual(bits=BITS, **({"phase_steps": 3, "longest": 3} | options))


def task_of(inputs):
    """Return the number of the task of a row, from the channels of its markers."""
    used = [number for number, channels in MARKERS.items() if inputs[:, [BITS + at for at in channels]].any()]
    assert len(used) == 1
    return used[0]


def test_training_batches_are_of_one_task_after_another():
    task = small()
    numbers = [{task_of(row) for row in task.batch(index, 4).inputs} for index in range(14)]
    assert numbers == [{1}] * 3 + [{2}] * 3 + [{3}] * 3 + [{4}] * 5


@pytest.mark.parametrize("split", ["validation", "test"])
def test_other_splits_have_all_tasks(split):
    batch = small().batch(0, 9, split=split)
    numbers = [task_of(row) for row in batch.inputs]
    assert sorted(numbers.count(number) for number in range(1, 5)) == [2, 2, 2, 3]


def test_a_length_is_the_number_of_a_task():
    task = small()
    for number in range(1, 5):
        for split in ("train", "test"):
            batch = task.batch(0, 5, split=split, lengths=(number, number))
            assert {task_of(row) for row in batch.inputs} == {number}
    with pytest.raises(
        ValueError, match=r"lengths are 4\.\.5, but lengths are numbers of tasks; give some from 1 to 4"
    ):
        task.batch(0, 5, split="test", lengths=(4, 5))


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_a_row_is_that_of_its_task_with_more_channels(number):
    task = small()
    part = task.parts[number - 1]
    batch = task.batch(0, 6, split="test", lengths=(number, number))
    channels = [*range(BITS), *(BITS + at for at in MARKERS[number])]
    others = [at for at in range(task.input_size) if at not in channels]
    assert not batch.inputs[:, :, others].any()
    assert batch.inputs[:, :, channels].shape[2] == part.input_size
    assert not batch.targets[:, :, part.output_size :].any()
    assert batch.targets.shape[2] == BITS + 1
    if number == 1:
        for row, length in enumerate(batch.lengths.tolist()):
            vectors = length // 2
            assert torch.equal(batch.targets[row, vectors + 1 : length, :BITS], batch.inputs[row, :vectors, :BITS])
            assert batch.mask[row].tolist() == [vectors < step < length for step in range(batch.inputs.shape[1])]


def test_the_largest_numbers_are_those_of_the_tasks_or_the_given_one():
    assert [part.lengths[1] for part in Continual().parts] == [20, 10, 6, 20]
    assert [part.lengths[1] for part in small(longest=2).parts] == [2, 2, 2, 2]
    assert Continual().parts[3].lengths == (20, 20)


def test_accuracies_are_counted_for_each_task():
    task = small()
    batch = task.batch(0, 12, split="test")
    outputs = torch.randn(batch.targets.shape)
    found = task.scores(outputs, batch)
    right, scored = dict.fromkeys(NAMES, 0), dict.fromkeys(NAMES, 0)
    for row in range(12):
        name = NAMES[task_of(batch.inputs[row]) - 1]
        for step in range(batch.mask.shape[1]):
            if batch.mask[row, step]:
                for bit in range(BITS + 1):
                    scored[name] += 1
                    right[name] += (outputs[row, step, bit] > 0).item() == (batch.targets[row, step, bit] == 1).item()
    shares = [right[name] / scored[name] for name in NAMES]
    assert [found[f"accuracy_{name}"] for name in NAMES] == pytest.approx(shares)
    assert found["accuracy"] == pytest.approx(sum(shares) / 4)
    assert found["wrong_bits"] == pytest.approx((sum(scored.values()) - sum(right.values())) / 12)


def test_a_task_without_a_sequence_has_the_accuracy_of_a_guess():
    task = small()
    batch = task.batch(0, 5)
    perfect = 100 * (2 * batch.targets - 1)
    scores = task.scores(perfect, batch)
    assert [scores[f"accuracy_{name}"] for name in NAMES] == [1, 0.5, 0.5, 0.5]
    assert scores["accuracy"] == 1


@pytest.mark.parametrize(
    ("options", "sentence"),
    [({"phase_steps": 0}, "phase_steps is 0"), ({"longest": 1}, "longest is 1"), ({"bits": 0}, "bits is 0")],
)
def test_invalid_options_are_refused(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        Continual(**({"bits": 2} | options))
