"""Listing: the answers of each operation in plain Python, the layout, and bad input."""

import pytest
import torch

from memtape.tasks.integers.listing import ANSWERS, Listing

ORACLES = {
    "copy": lambda xs: xs,
    "reverse": lambda xs: xs[::-1],
    "double": lambda xs: [*xs, *xs],
    "add": lambda xs: [(xs[i] + xs[-1 - i]) // 2 for i in range(len(xs) // 2)],
    "max": lambda xs: [max(xs[2 * i], xs[2 * i + 1]) for i in range(len(xs) // 2)],
}


@pytest.mark.parametrize("operation", ANSWERS)
@pytest.mark.parametrize("length", [2, 5, 50])
def test_an_oracle_answers_everything(operation, length):
    task = Listing(operation=operation)
    batch = task.batch(0, 7, lengths=(length, length))
    outputs = torch.zeros(*batch.mask.shape, task.output_size)
    for row, inputs in enumerate(batch.inputs):
        listed = inputs[:length].argmax(-1).tolist()
        answer = [*ORACLES[operation](listed), 0]
        for step, integer in enumerate(answer, length + 1):
            outputs[row, step, integer] = 1
        assert batch.lengths[row] == length + 1 + len(answer)
        assert batch.mask[row].nonzero()[:, 0].tolist() == list(range(length + 1, length + 1 + len(answer)))
    assert task.scores(outputs, batch)["accuracy"] == 1


def test_a_source_is_one_hot_integers_and_a_marker_before_zeros():
    batch = Listing(operation="reverse").batch(0, 500, lengths=(9, 9))
    source, rest = batch.inputs[:, :10], batch.inputs[:, 10:]
    assert source.sum(-1).eq(1).all()
    assert source[:, 9, 0].eq(1).all()
    assert not source[:, :9, 0].any()
    assert not rest.any()
    assert set(source[:, :9].argmax(-1).flatten().tolist()) == set(range(1, 10))
    assert Listing(operation="max").input_size == 51
    assert Listing(operation="max").batch(0, 500).inputs.argmax(-1).max() == 50


def test_wrong_steps_and_end_markers_count():
    task = Listing(operation="copy")
    batch = task.batch(0, 4, lengths=(3, 3))
    outputs = torch.nn.functional.one_hot(batch.targets, task.output_size).float()
    outputs[0, -1] = outputs[0, -1].roll(1)
    assert task.scores(outputs, batch)["accuracy"] == 15 / 16


def test_all_rows_of_a_batch_have_one_length():
    task = Listing(min_length=5, max_length=12)
    assert {int(task.batch(index, 3).lengths.unique()) for index in range(60)} == {2 * n + 2 for n in range(5, 13)}


def test_bad_options_are_refused_in_one_sentence(shapes_unchecked):
    with pytest.raises(ValueError, match="operation is 'sort', but it must be one of 'copy', 'reverse'"):
        Listing(operation="sort")
    with pytest.raises(ValueError, match="min_length is 1, but it must be at least 2"):
        Listing(min_length=1)


def test_only_an_answer_without_an_error_is_solved():
    judge = Listing.scored[-1]
    assert judge.name == "accuracy"
    assert judge.reaches(1.0, Listing.solved_at)
    assert not judge.reaches(0.99, Listing.solved_at)
