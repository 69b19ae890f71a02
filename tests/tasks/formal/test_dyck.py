"""Dyck: the brackets that may come next, by a stack in plain Python."""

import pytest
import torch

from memtape.tasks.formal.dyck import Dyck


def next_sets(symbols, types):
    """Return the set of brackets after each one; the string must be well nested."""
    stack, found = [], []
    for symbol in symbols:
        if symbol < types:
            stack.append(symbol)
        else:
            assert stack.pop() == symbol - types
        found.append([1.0] * types + [float(bool(stack) and stack[-1] == each) for each in range(types)])
    assert not stack
    return found


@pytest.mark.parametrize(("types", "lengths", "rows"), [(1, (2, 9), 30), (2, (2, 50), 30), (6, (500, 500), 2)])
def test_a_stack_finds_the_targets_at_each_length_to_500(types, lengths, rows):
    task = Dyck(types=types)
    batch = task.batch(0, rows, lengths=lengths)
    outputs = torch.zeros(*batch.mask.shape, 2 * types)
    for row, length in enumerate(batch.lengths.tolist()):
        outputs[row, :length] = torch.tensor(next_sets(batch.inputs[row, :length].tolist(), types)) - 0.5
        assert batch.mask[row].sum() == length
    assert task.scores(outputs, batch) == {"step_accuracy": 1.0, "accuracy": 1.0}


def test_the_sets_of_a_short_string():
    assert next_sets([0, 1, 3, 2], 2) == [[1, 1, 1, 0], [1, 1, 0, 1], [1, 1, 1, 0], [1, 1, 0, 0]]


def test_a_string_with_one_wrong_step_is_wrong():
    task = Dyck()
    batch = task.batch(0, 4, lengths=(10, 10))
    outputs = batch.targets - 0.5
    outputs[1, 3, 0] = -1.0
    assert task.scores(outputs, batch) == {"step_accuracy": 39 / 40, "accuracy": 3 / 4}
    assert task.show(batch, outputs, row=1).splitlines()[-1] == "wrong      ^"


def test_lengths_are_uniform_and_even():
    lengths = Dyck(types=1, min_length=3, max_length=9).batch(0, 3000).lengths
    shares = {length: (lengths == length).float().mean().item() for length in lengths.unique().tolist()}
    assert shares.keys() == {4, 6, 8}
    assert all(abs(share - 1 / 3) < 0.045 for share in shares.values())
    assert Dyck().batch(0, 3, lengths=(7, 7)).lengths.tolist() == [6, 6, 6]


def test_strings_of_four_brackets_have_the_probabilities_of_the_grammar():
    inputs = Dyck(types=1).batch(0, 4000, lengths=(4, 4)).inputs
    nested = (inputs[:, 1] == 0).float().mean().item()  # (()) against ()(); with e the chance of the empty string:
    empty = 2 - 3**0.5  # e = 1/4 + e^2 / 4
    one = 0.5 * empty / (1 - empty / 2)  # the weight of ()
    weight = 0.5 * one, 0.25 * one * one
    assert nested == pytest.approx(weight[0] / sum(weight), abs=0.04)


def test_the_types_of_brackets_are_uniform():
    inputs = Dyck(types=3).batch(0, 1500, lengths=(2, 2)).inputs
    assert (abs(inputs[:, 0].bincount(minlength=3) / 1500 - 1 / 3) < 0.06).all()


def test_the_names_of_many_types_are_numbered():
    assert Dyck(types=5).vocabulary == ("(0", "(1", "(2", "(3", "(4", ")0", ")1", ")2", ")3", ")4")
    assert Dyck(types=2).vocabulary == ("(", "[", ")", "]")


def test_bad_options_are_refused_in_one_sentence():
    with pytest.raises(ValueError, match="types is 0, but it must be at least 1; give a larger types"):
        Dyck(types=0)
    with pytest.raises(ValueError, match="min_length is 1, but it must be at least 2"):
        Dyck(min_length=1)
    with pytest.raises(ValueError, match="max_length of Dyck is 4, but min_length is 6 and must not be larger"):
        Dyck(min_length=6, max_length=4)
