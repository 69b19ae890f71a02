"""Associative retrieval: an oracle in plain Python, the layout, and what is known without the pairs."""

import pytest
import torch

from memtape import AssociativeRetrieval


def parsed(task, batch, row):
    """Return the letters, the digits and the queried letter of a row, after a check of its layout."""
    text = "".join(task.vocabulary[symbol] for symbol in batch.inputs[row, : batch.lengths[row]].tolist())
    pairs, question, queried = text[:-3], text[-3:-1], text[-1]
    assert question == "??"
    assert "?" not in pairs + queried
    letters, digits = pairs[::2], pairs[1::2]
    assert letters.isalpha()
    assert digits.isdigit()
    assert len(set(letters)) == len(letters) == len(digits)
    return letters, digits, queried


def predicted(task, batch, digits):
    """Return outputs that predict the given digits at the last steps."""
    outputs = torch.zeros(*batch.mask.shape, task.output_size)
    for row, digit in enumerate(digits):
        outputs[row, batch.lengths[row] - 1, digit] = 1
    return outputs


@pytest.mark.parametrize("lengths", [(4, 4), (1, 10)])
@pytest.mark.parametrize("distinct", [False, True])
def test_an_oracle_answers_everything(lengths, distinct):
    task = AssociativeRetrieval(min_length=lengths[0], max_length=lengths[1], distinct_digits=distinct)
    batch = task.batch(0, 300)
    questions = [parsed(task, batch, row) for row in range(300)]
    assert {len(letters) for letters, _, _ in questions} == set(range(lengths[0], lengths[1] + 1))
    answers = [int(dict(zip(letters, digits, strict=True))[queried]) for letters, digits, queried in questions]
    assert task.scores(predicted(task, batch, answers), batch)["accuracy"] == 1
    repeats = sum(len(set(digits)) < len(digits) for _, digits, _ in questions)
    assert (repeats == 0) == distinct
    assert batch.mask.nonzero().tolist() == [[row, length - 1] for row, length in enumerate(batch.lengths.tolist())]
    for row, length in enumerate(batch.lengths.tolist()):
        assert length == 2 * len(questions[row][0]) + 3
        assert not batch.inputs[row, length:].any()


def test_without_the_queried_letter_only_a_digit_of_the_sequence_is_known():
    task = AssociativeRetrieval(distinct_digits=True)
    batch = task.batch(0, 2000)
    questions = [parsed(task, batch, row) for row in range(2000)]
    first = task.scores(predicted(task, batch, [int(digits[0]) for _, digits, _ in questions]), batch)["accuracy"]
    assert first == pytest.approx(0.25, abs=0.04)
    constant = task.scores(predicted(task, batch, [3] * 2000), batch)["accuracy"]
    assert constant == pytest.approx(task.chance((4, 4))["accuracy"], abs=0.03)
    places = [letters.index(queried) for letters, _, queried in questions]
    assert {places.count(place) // 100 for place in range(4)} <= {4, 5}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"min_length": 5}, "max_length of AssociativeRetrieval is 4, but min_length is 5"),
        ({"min_length": 0}, "min_length is 0, but it must be at least 1"),
        ({"max_length": 27}, "27 pairs are requested, but there are 26 distinct letters; request at most 26 pairs"),
        ({"max_length": 11, "distinct_digits": True}, "11 pairs are requested, but there are 10 distinct digits"),
    ],
)
def test_wrong_options_are_refused(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        AssociativeRetrieval(**options)


def test_a_batch_of_too_many_pairs_is_refused():
    with pytest.raises(ValueError, match="27 pairs are requested, but there are 26 distinct letters"):
        AssociativeRetrieval().batch(0, 2, lengths=(27, 27))
