"""Odd-even and sum2: oracles in plain Python, layouts, both metrics, chance, and bad input."""

import pytest
import torch
from torch.nn import functional

from memtape import OddEven, Sum2
from memtape.tasks.edit_distance import edit_distance


def odd_even(numbers):
    answer = []
    for place, number in enumerate(numbers):
        answer.append(2 * number - 2 if place <= len(numbers) // 2 else answer[-1] + 2)
    return answer


def sum2(numbers):
    half = len(numbers) // 2
    return [numbers[at] + numbers[-1 - at] for at in range(half)]


TASKS = {"odd-even": (OddEven, odd_even), "sum2": (Sum2, sum2)}
FORMS = [(name, form) for name, (kind, _) in TASKS.items() for form in kind.input_kinds]


def read(batch, row):
    """Return the numbers of all lists of a row, and its scored target."""
    inputs, scored = batch.inputs, batch.mask[row]
    if hasattr(inputs, "first"):
        numbers = [*inputs.first[row, : inputs.first_lengths[row]], *inputs.second[row, : inputs.second_lengths[row]]]
    elif hasattr(inputs, "source"):
        numbers = inputs.source[row, : inputs.source_lengths[row]]
    else:
        numbers = inputs[row, : int(scored.int().argmax())]
        assert not inputs[row, int(scored.int().argmax()) :].any()
    return [int(number) for number in numbers if number], batch.targets[row][scored].tolist()


@pytest.mark.parametrize(("name", "form"), FORMS)
@pytest.mark.parametrize("lengths", [(1, 8), (5, 5), (20, 24)])
def test_an_oracle_answers_everything(name, form, lengths):
    task, oracle = TASKS[name][0](), TASKS[name][1]
    batch = task.batch(0, 30, lengths=lengths, input_kind=form)
    outputs = torch.zeros(*batch.mask.shape, task.output_size)
    sizes = set()
    for row in range(30):
        numbers, target = read(batch, row)
        answer = [*oracle(numbers), 0]
        assert target == answer
        first = int(batch.mask[row].int().argmax())
        for step, number in enumerate(answer, first):
            outputs[row, step, number] = 1
        assert int(batch.lengths[row]) == first + len(answer)
        sizes.add(len(answer) - 1)
    assert sizes <= set(range(lengths[0], lengths[1] + 1))
    assert task.scores(outputs, batch) == {"edit_distance": 0, "accuracy": 1}


def test_the_examples_of_the_papers():
    assert odd_even([7, 3, 15, 5]) == [12, 4, 28, 30]
    assert sum2([5, 9, 2, 11, 3, 7]) == [12, 12, 13]


def test_numbers_are_distinct_and_uniform():
    views = Sum2().batch(0, 3000, lengths=(10, 10), input_kind="two_views").inputs
    for view in (views.first, views.second):
        assert all(len(row.unique()) == 10 for row in view)
        counts = view.flatten().bincount(minlength=50)
        assert not counts[:2].any()
        assert (counts[2:] / 3000).tolist() == pytest.approx([10 / 48] * 48, abs=0.04)
    odd = OddEven().batch(0, 3000, lengths=(24, 24), input_kind="pairs").inputs.source
    assert torch.equal(odd.sort(1).values, torch.arange(3, 50, 2).expand(3000, -1))
    assert (odd[:, 0].bincount(minlength=50)[3::2] / 3000).tolist() == pytest.approx([1 / 24] * 24, abs=0.02)


def test_all_symbols_of_the_longest_lists_fit():
    task = OddEven(seeds=9)
    targets = [task.batch(index, 200, lengths=(9, 9), input_kind="pairs").targets for index in range(20)]
    assert max(int(each.max()) for each in targets) == task.output_size - 1
    task = Sum2(largest=6, max_length=5)
    targets = task.batch(0, 500, lengths=(5, 5), input_kind="pairs").targets
    assert int(targets.max()) == task.output_size - 1 == 12


def test_sum2_has_one_length_in_each_batch_and_odd_even_has_many():
    assert {int(Sum2().batch(index, 9).lengths.unique()) for index in range(80)} == {3 * n + 2 for n in range(1, 11)}
    assert set(OddEven().batch(0, 300).lengths.tolist()) == {2 * n + 1 for n in range(2, 9)}


def answers_of(task, batch, answers):
    outputs = torch.zeros(*batch.mask.shape, task.output_size)
    for row, answer in enumerate(answers):
        outputs[row, : len(answer)] = functional.one_hot(torch.tensor(answer), task.output_size).float()
    return outputs


@pytest.mark.parametrize(
    ("answer", "right", "distance"),
    [
        (lambda y: [y[0], y[1], y[2], y[3], 0], 4, 0),
        (lambda y: [y[0], y[1], 0, y[3], 0], 2, 2),
        (lambda y: [y[0], 1, y[2], y[3], 0], 1, 3),
        (lambda y: [0, y[1], y[2], y[3], 0], 0, 4),
        (lambda y: [y[1], y[2], y[3], 0, 0], 0, 1),
        (lambda y: [5, y[0], y[1], y[2], y[3]], 0, 1),
        (lambda y: [y[0], y[1], y[2], y[3], 5], 4, 1),
    ],
    ids=["right", "cut", "cut by 1", "empty", "one missing", "one before", "one after"],
)
def test_an_answer_is_scored_up_to_its_end(answer, right, distance):
    task = OddEven()
    batch = task.batch(0, 1, lengths=(4, 4), input_kind="pairs")
    found = answer(batch.targets[0].tolist())
    length = next((at for at, symbol in enumerate(found) if symbol < 2), 5)
    scores = task.scores(answers_of(task, batch, [found]), batch)
    assert scores == {
        "edit_distance": pytest.approx(distance / max(4, length)),
        "accuracy": pytest.approx(right / max(4, length)),
    }
    assert edit_distance(found[:length], batch.targets[0, :4].tolist()) == distance


def test_the_best_constant_answer_has_the_accuracy_of_chance():
    task = Sum2(largest=9, max_length=3)
    batch = task.batch(0, 1000, lengths=(3, 3), input_kind="two_views")
    outputs = answers_of(task, batch, [[11, 11, 11, 0]] * 1000)
    assert task.scores(outputs, batch)["accuracy"] == pytest.approx(task.chance((3, 3))["accuracy"], abs=0.025)
    task = OddEven(seeds=6, max_length=4)
    batch = task.batch(0, 1000, lengths=(4, 4), input_kind="pairs")
    outputs = answers_of(task, batch, [[8, 8, 8, 10, 0]] * 1000)
    assert task.scores(outputs, batch)["accuracy"] == pytest.approx(task.chance((4, 4))["accuracy"], abs=0.03)


def test_bad_options_are_refused_in_one_sentence(shapes_unchecked):
    with pytest.raises(ValueError, match="largest is 1, but it must be at least 2"):
        Sum2(largest=1)
    with pytest.raises(
        ValueError, match="the longest length is 10, but the lists of Sum2 have distinct numbers, and there are 4; give"
    ):
        Sum2(largest=5)
    with pytest.raises(ValueError, match="the longest length is 25, but the lists of OddEven have distinct numbers"):
        OddEven().batch(0, 1, lengths=(25, 25))
    with pytest.raises(ValueError, match="max_length of OddEven is 3, but min_length is 4"):
        OddEven(min_length=4, max_length=3)
    with pytest.raises(ValueError, match="seeds is 0, but it must be at least 1"):
        OddEven(seeds=0)
