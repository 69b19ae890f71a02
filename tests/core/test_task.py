"""Task: batches are a pure function of the settings, the seed, the split and the index."""

import numpy as np
import pytest
import torch

from memtape import Copy, SequenceBatch
from memtape.core.task import DrawnTask, HeldTask


class Numbers(DrawnTask):
    """Draws one random number for each sequence."""

    input_size = output_size = 1
    lengths = (2, 5)

    def shortest_length(self):
        return 2

    def sample(self, batch_size, lengths, generator):
        self.requested = lengths
        numbers = torch.rand(batch_size, 1, 1, generator=generator)
        ones = torch.ones(batch_size, 1)
        return SequenceBatch(inputs=numbers, targets=numbers, mask=ones.bool(), lengths=ones[:, 0].long())

    def weight(self, batch):
        return len(batch.inputs)

    def loss(self, outputs, batch):
        return outputs.mean()

    def tally(self, outputs, batch):
        return {}

    def scores_of(self, tally):
        return {}

    def show(self, batch, outputs=None, row=0):
        return ""


def drawn(**arguments):
    return Numbers().batch(**({"index": 0, "batch_size": 4} | arguments)).inputs


def test_a_batch_is_the_same_whatever_else_was_drawn():
    first = drawn(index=3, seed=1, split="test")
    torch.manual_seed(99)
    drawn(index=2)
    assert torch.equal(drawn(index=3, seed=1, split="test"), first)


@pytest.mark.parametrize("other", [{"index": 1}, {"seed": 1}, {"split": "validation"}])
def test_another_index_seed_or_split_gives_other_data(other):
    assert not torch.equal(drawn(**other), drawn())


def test_seeds_are_not_confused_by_joined_digits():
    assert not torch.equal(drawn(seed=1, index=11), drawn(seed=11, index=1))


def test_drawing_does_not_change_the_global_generator():
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    drawn()
    assert torch.equal(torch.rand(1), expected)


def test_lengths_are_those_of_training_or_the_given_ones():
    task = Numbers()
    task.batch(0, 1)
    assert task.requested == (2, 5)
    task.batch(0, 1, lengths=(7, 9))
    assert task.requested == (7, 9)


@pytest.mark.parametrize("lengths", [(5, 4), (1, 4), (0, 0), (-2, 3)])
def test_a_range_of_lengths_must_not_be_empty(lengths):
    message = (
        rf"lengths are {lengths[0]}\.\.{lengths[1]}, but Numbers needs 2 <= shortest <= longest; give a range that"
    )
    with pytest.raises(ValueError, match=message):
        Numbers().batch(0, 1, lengths=lengths)


def test_a_batch_needs_at_least_one_sequence():
    with pytest.raises(ValueError, match="batch_size is 0, but it must be at least 1; give a larger batch_size"):
        Copy().batch(0, 0)


def test_a_batch_size_must_be_an_integer(shapes_unchecked):
    with pytest.raises(TypeError, match="batch_size is True, but it must be an integer"):
        Copy().batch(0, True)


def test_a_form_that_a_task_does_not_give_is_refused():
    with pytest.raises(
        ValueError, match="the network reads trees, but Copy provides sequences; choose another network"
    ):
        Copy().batch(0, 1, input_kind="trees")


class Held(HeldTask):
    """Seven examples for training, five of every other split; each is its own number."""

    input_size = output_size = 1
    lengths = (1, 1)

    def available(self, split):
        return 7 if split == "train" else 5

    def examples(self, split, rows, form):
        numbers = rows[:, None, None].float()
        ones = torch.ones(len(rows), 1)
        return SequenceBatch(inputs=numbers, targets=numbers, mask=ones.bool(), lengths=ones[:, 0].long())

    weight, loss, tally, scores_of, show = (
        Numbers.weight,
        Numbers.loss,
        Numbers.tally,
        Numbers.scores_of,
        Numbers.show,
    )


def rows_of(split="train", batches=range(1), size=4, seed=0):
    return [int(row) for index in batches for row in Held().batch(index, size, split=split, seed=seed).inputs]


def test_every_epoch_has_each_example_once_in_another_order():
    rows = rows_of(batches=range(7))
    passes = [rows[first : first + 7] for first in range(0, 28, 7)]
    assert all(sorted(each) == list(range(7)) for each in passes)
    assert len({tuple(each) for each in passes}) == 4


def test_another_seed_gives_another_order_of_examples():
    assert rows_of(batches=range(7)) != rows_of(batches=range(7), seed=1)


def test_another_batch_size_keeps_the_order_of_examples():
    assert rows_of(batches=range(3)) == rows_of(batches=range(4), size=3)


def test_held_out_examples_are_shuffled_once_and_are_limited():
    rows = rows_of("validation", range(2), seed=5)
    assert sorted(rows) == [0, 1, 2, 3, 4] != rows
    assert rows == rows_of("validation", range(2)) == rows_of("validation", range(3), size=2)
    assert rows != rows_of("test", range(2))
    with pytest.raises(
        ValueError, match="batch 2 of 4 of the split 'test' is beyond its 5 examples; request an earlier"
    ):
        rows_of("test", [2])


def test_the_length_of_held_examples_cannot_be_chosen():
    with pytest.raises(ValueError, match=r"lengths are 1\.\.2, but the examples of Held have fixed lengths; leave the"):
        Held().batch(0, 1, lengths=(1, 2))


@pytest.mark.parametrize("lengths", [5, (2,), (2.0, 5), (True, 5), "25", None, (2, 3, 4)])
def test_lengths_are_two_integers(lengths, shapes_unchecked):
    if lengths is None:
        assert len(drawn(lengths=lengths)) == 4
        return
    with pytest.raises(TypeError, match="but they must be the shortest and the longest length; give two integers"):
        drawn(lengths=lengths)


def test_numbers_of_numpy_and_lists_are_taken(shapes_unchecked):
    arguments = {"index": np.int64(3), "batch_size": np.uint8(4), "lengths": [np.int32(2), np.int16(5)]}
    assert torch.equal(drawn(**arguments), drawn(index=3, batch_size=4, lengths=(2, 5)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"index": -1}, "index is -1, but it must be at least 0"),
        ({"index": 10**5_000}, "index is an integer of about 5001 digits, but it must fit in 64 bits"),
        ({"batch_size": 10**400}, "batch_size is an integer of about 401 digits, but it must fit in 64 bits"),
        ({"lengths": (2, 10**400)}, "the longest length is an integer of about 401 digits, but it must fit in 64 bits"),
    ],
    ids=range(4),
)
def test_numbers_outside_their_range_are_refused(arguments, message, shapes_unchecked):
    with pytest.raises(ValueError, match=message):
        drawn(**arguments)
