"""Task: batches are a pure function of the settings, the seed, the split and the index."""

import pytest
import torch

from memtape import Copy, SequenceBatch, Task


class Numbers(Task):
    """Draws one random number for each sequence."""

    input_size = output_size = 1
    lengths = (2, 5)

    def shortest_length(self):
        return 2

    def sample(self, batch_size, lengths, generator):
        self.asked = lengths
        numbers = torch.rand(batch_size, 1, 1, generator=generator)
        ones = torch.ones(batch_size, 1)
        return SequenceBatch(inputs=numbers, targets=numbers, mask=ones.bool(), lengths=ones[:, 0].long())

    def weight(self, batch):
        return len(batch.inputs)

    def loss(self, outputs, batch):
        return outputs.mean()

    def scores(self, outputs, batch):
        return {}

    def show(self, batch, outputs=None, row=0):
        return ""


def drawn(**arguments):
    return Numbers().batch(**({"index": 0, "batch_size": 4} | arguments)).inputs


def test_the_same_question_has_the_same_answer_whatever_else_was_drawn():
    first = drawn(index=3, seed=1, split="test")
    torch.manual_seed(99)
    drawn(index=2)
    assert torch.equal(drawn(index=3, seed=1, split="test"), first)


@pytest.mark.parametrize("other", [{"index": 1}, {"seed": 1}, {"split": "validation"}])
def test_another_index_seed_or_split_gives_other_data(other):
    assert not torch.equal(drawn(**other), drawn())


def test_digits_do_not_run_together():
    assert not torch.equal(drawn(seed=1, index=11), drawn(seed=11, index=1))


def test_drawing_leaves_the_global_generator_alone():
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    drawn()
    assert torch.equal(torch.rand(1), expected)


def test_lengths_are_those_of_training_or_those_asked_for():
    task = Numbers()
    task.batch(0, 1)
    assert task.asked == (2, 5)
    task.batch(0, 1, lengths=(7, 9))
    assert task.asked == (7, 9)


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


def test_a_batch_size_is_a_number(shapes_unchecked):
    with pytest.raises(TypeError, match="batch_size is True, but it must be a whole number"):
        Copy().batch(0, True)
