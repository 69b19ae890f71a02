"""Sequencing: each sequence is parsed from its steps alone, and solved by independent code."""

import math
import re

import pytest

from memtape import Sequencing

BITS = 3
ALL = ("copy", "repeat-copy", "associative-recall", "priority-sort")
ORDERS = {"all": ALL, **{name: ("copy", name) for name in ALL[1:]}}


def order_of(steps, names):
    """Return the tasks in the order that the first steps name."""
    channel = {name: place for place, name in enumerate(names[:-1])} | {names[-1]: BITS + 1}
    found = []
    for step in steps:
        assert sorted(step) == [0] * (BITS + 1) + [1]
        found.append(next(name for name, place in channel.items() if step[place] == 1))
    return [*found, *(name for name in names if name not in found)]


def question_of(steps, name):
    """Take the question of a task off the front of a list of steps, and return its answer and its length."""
    vectors = []
    if name == "associative-recall":
        items = []
        while steps[0][BITS] == 1:
            assert steps.pop(0) == [0] * BITS + [1, 0]
            items.append([steps.pop(0) for _ in range(3)])
        assert steps.pop(0) == [0] * BITS + [0, 1]
        query = [steps.pop(0) for _ in range(3)]
        assert steps.pop(0) == [0] * BITS + [0, 1]
        assert query in items[:-1]
        answer = items[items.index(query) + 1]
        return [[*step[:BITS], 0] for step in answer], len(items)
    if name == "priority-sort":
        while steps[0][BITS + 1] != 1:
            vectors.append(steps.pop(0))
        assert steps.pop(0) == [0] * (BITS + 1) + [1]
        ordered = sorted(vectors, key=lambda step: -step[BITS])[: max(1, math.floor(0.8 * len(vectors) + 1e-9))]
        return [[*step[:BITS], 0] for step in ordered], len(vectors)
    while steps[0][BITS] == 0:
        assert steps[0][BITS + 1] == 0
        vectors.append(steps.pop(0)[:BITS])
    marker = steps.pop(0)
    assert marker[: BITS + 1] == [0] * BITS + [1]
    if name == "copy":
        assert marker[BITS + 1] == 0
        return [[*vector, 0] for vector in vectors], len(vectors)
    repeats = round(marker[BITS + 1] * math.sqrt((9**2 - 1) / 12) + 5)
    return [[*vector, 0] for vector in vectors * repeats] + [[0] * BITS + [1]], len(vectors)


def rows_of(task, batch):
    for row in range(len(batch)):
        steps = int(batch.lengths[row])
        yield batch.inputs[row, :steps].tolist(), batch.targets[row, :steps].tolist(), batch.mask[row, :steps].tolist()


@pytest.mark.parametrize("others", ORDERS)
def test_a_sequence_has_an_order_questions_and_answers(others):
    task, orders = Sequencing(others=others, bits=BITS), set()
    repeat = "repeat-copy" in ORDERS[others]
    assert (task.input_size, task.output_size) == (BITS + 2, BITS + repeat)
    for index in range(12):
        batch, of_batch = task.batch(index, 3), set()
        for inputs, targets, scored in rows_of(task, batch):
            marked = len(ORDERS[others]) - 1
            order = order_of(inputs[:marked], ORDERS[others])
            rest, answers, lengths = inputs[marked:], [], set()
            for name in order:
                answer, length = question_of(rest, name)
                answers += answer
                lengths.add(length)
            assert len(lengths) == 1
            assert rest == [[0] * (BITS + 2)] * len(answers)
            begin = len(inputs) - len(answers)
            assert targets[begin:] == [answer[: BITS + repeat] for answer in answers]
            assert targets[:begin] == [[0] * (BITS + repeat)] * begin
            assert scored == [False] * begin + [True] * len(answers)
            of_batch.add((tuple(order), *lengths, len(inputs)))
        assert len(of_batch) == 1
        orders |= {order for order, *_ in of_batch}
    assert len(orders) == 2 if len(ORDERS[others]) == 2 else len(orders) > 4


def test_the_channels_are_those_of_the_authors():
    task = Sequencing()
    assert (task.input_size, task.output_size) == (10, 9)


def test_lengths_are_those_of_all_tasks():
    task = Sequencing(bits=2, max_length=4)
    assert {int(length) for index in range(20) for length in task.batch(index, 1, lengths=(2, 2)).lengths} <= {
        1 + 3 + 3 + 2 + 2 * repeats + 1 for repeats in range(1, 10)
    }
    assert Sequencing(others="all").shortest_length() == 2
    assert Sequencing().shortest_length() == 1


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"others": "copy"}, "others is 'copy', but it must be one of"),
        ({"others": "associative-recall", "min_length": 1}, "min_length is 1, but it must be at least 2"),
        ({"min_length": 0}, "min_length is 0, but it must be at least 1"),
        ({"min_repeats": 3, "max_repeats": 2}, "max_repeats of RepeatCopy is 2, but min_repeats is 3"),
    ],
)
def test_invalid_options_are_refused(options, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        Sequencing(**options)
