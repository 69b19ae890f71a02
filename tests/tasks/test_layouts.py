"""The layout of each sequence: the inputs are parsed step by step, and an independent implementation gives the targets."""

import math

import pytest
import torch

from memtape import AssociativeRecall, Copy, PrioritySort, RepeatCopy

ROWS = 30


def rows_of(batch):
    """Return each row as plain lists: inputs, targets and mask, without its padding."""
    for row, length in enumerate(batch.lengths.tolist()):
        yield (
            batch.inputs[row, :length].tolist(),
            batch.targets[row, :length].tolist(),
            batch.mask[row, :length].tolist(),
        )


def assert_target(targets, mask, start, answer):
    """Check that the scored steps run from `begin` to the end, and hold the answer."""
    assert mask == [False] * start + [True] * len(answer)
    assert targets[start:] == answer
    assert not any(any(step) for step in targets[:start])


@pytest.mark.parametrize("lengths", [None, (1, 1), (120, 120)])
def test_the_target_of_copy_is_its_vectors(lengths):
    found = set()
    for inputs, targets, mask in rows_of(Copy().batch(0, ROWS, lengths=lengths)):
        (delimiter,) = [step for step, x in enumerate(inputs) if x[8] == 1]
        found.add(delimiter)
        vectors = [x[:8] for x in inputs[:delimiter]]
        assert all(bit in (0, 1) for vector in vectors for bit in vector)
        assert inputs[delimiter] == [0] * 8 + [1]
        assert inputs[delimiter + 1 :] == [[0] * 9] * delimiter
        assert_target(targets, mask, delimiter + 1, vectors)
    assert found == ({lengths[0]} if lengths else found)
    assert lengths or len(found) > 8


@pytest.mark.parametrize(("repeats", "lengths"), [((1, 10), None), ((20, 20), None), ((10, 10), (20, 20))])
def test_the_target_of_repeat_copy_is_its_vectors_repeated_and_an_end_marker(repeats, lengths):
    task, found = RepeatCopy(min_repeats=repeats[0], max_repeats=repeats[1]), set()
    for inputs, targets, mask in rows_of(task.batch(0, ROWS, lengths=lengths)):
        (delimiter,) = [step for step, x in enumerate(inputs) if x[8] == 1]
        vectors = [x[:8] for x in inputs[:delimiter]]
        assert all(x[9] == 0 for step, x in enumerate(inputs) if step != delimiter)
        number = inputs[delimiter][9] * math.sqrt(8.25) + 5.5
        assert number == pytest.approx(round(number), abs=1e-5)
        found.add(round(number))
        assert inputs[delimiter][:8] == [0] * 8
        assert inputs[delimiter + 1 :] == [[0] * 10] * (delimiter * round(number) + 1)
        answer = [[*vector, 0] for vector in vectors] * round(number) + [[0] * 8 + [1]]
        assert_target(targets, mask, delimiter + 1, answer)
        assert len(inputs) == delimiter + 1 + round(number) * delimiter + 1
    assert found == set(range(repeats[0], repeats[1] + 1))


def test_the_number_of_repeats_has_mean_0_and_variance_1():
    for largest in (10, 4):
        task = RepeatCopy(max_repeats=largest, repeats_scale_max=largest)
        batch = task.batch(0, 20_000, lengths=(1, 1))
        numbers = batch.inputs[..., task.bits + 1][batch.inputs[..., task.bits] == 1]
        assert len(numbers) == 20_000
        assert abs(numbers.mean()) < 5 / math.sqrt(20_000)
        assert abs(numbers.var() - 1) < 0.05


def test_the_number_of_repeats_has_the_same_scale_beyond_training():
    usual, beyond = RepeatCopy(), RepeatCopy(min_repeats=20, max_repeats=20)
    assert beyond.batch(0, 1).inputs[..., 9].max().item() == pytest.approx((20 - 5.5) / math.sqrt(8.25))
    assert usual.batch(0, 500).inputs[..., 9].max().item() == pytest.approx((10 - 5.5) / math.sqrt(8.25))


@pytest.mark.parametrize("lengths", [None, (2, 2), (20, 20)])
@pytest.mark.parametrize("vectors", [1, 3])
def test_the_target_of_associative_recall_is_the_next_item(vectors, lengths):
    queries, counts = set(), set()
    for inputs, targets, mask in rows_of(AssociativeRecall(item_vectors=vectors).batch(0, 5 * ROWS, lengths=lengths)):
        item_marks = [step for step, x in enumerate(inputs) if x[6] == 1]
        first, last = (step for step, x in enumerate(inputs) if x[7] == 1)
        assert item_marks == list(range(0, first, vectors + 1))
        assert last == first + vectors + 1
        assert all(inputs[step][:6] == [0] * 6 for step in [*item_marks, first, last])
        items = [[x[:6] for x in inputs[mark + 1 : mark + 1 + vectors]] for mark in item_marks]
        query = [x[:6] for x in inputs[first + 1 : last]]
        answer = targets[last + 1 :]
        places = [place for place, item in enumerate(items[:-1]) if item == query and items[place + 1] == answer]
        assert places
        queries.add((len(items), places[0]))
        counts.add(len(items))
        assert_target(targets, mask, last + 1, answer)
        assert inputs[last + 1 :] == [[0] * 8] * vectors
    assert counts == (set(range(2, 7)) if lengths is None else {lengths[0]})
    if lengths is None:
        assert queries == {(count, place) for count in range(2, 7) for place in range(count - 1)}


def test_the_query_of_recall_is_uniform_over_all_items_except_the_last():
    task = AssociativeRecall(bits=30)
    batch = task.batch(0, 3000, lengths=(4, 4))
    query = batch.inputs[:, 17:20, :30]
    items = torch.stack([batch.inputs[:, 4 * item + 1 : 4 * item + 4, :30] for item in range(4)], dim=1)
    places = (items == query[:, None]).all(-1).all(-1)
    assert (places.sum(-1) == 1).all()
    shares = places.float().mean(0)
    assert shares[3] == 0
    assert (abs(shares[:3] - 1 / 3) < 0.05).all()


@pytest.mark.parametrize("vectors", [3, 22, 30, 49, 1000])
def test_the_share_of_a_number_of_vectors_is_this_number(vectors):
    """In single precision 13/22 of 22 vectors were 12."""
    for answers in {1, 2, vectors * 13 // 22, vectors - 1, vectors}:
        batch = PrioritySort(bits=1, answer_share=answers / vectors).batch(0, 1, lengths=(vectors, vectors))
        assert batch.mask.sum() == answers


@pytest.mark.parametrize(
    ("length", "share", "answers"), [(20, 0.8, 16), (5, 0.8, 4), (1, 0.8, 1), (3, 0.5, 1), (10, 1.0, 10)]
)
def test_the_target_of_priority_sort_is_the_vectors_by_descending_priority(length, share, answers):
    task = PrioritySort(answer_share=share)
    for inputs, targets, mask in rows_of(task.batch(0, ROWS, lengths=(length, length))):
        assert [x[9] for x in inputs] == [0] * length + [1] + [0] * answers
        assert inputs[length][:9] == [0] * 9
        listed = [(x[8], x[:8]) for x in inputs[:length]]
        assert all(-1 <= priority <= 1 for priority, _ in listed)
        assert len({priority for priority, _ in listed}) == length
        ordered = sorted(listed, key=lambda pair: -pair[0])
        assert_target(targets, mask, length + 1, [vector for _, vector in ordered][:answers])
        assert inputs[length + 1 :] == [[0] * 10] * answers


def test_priorities_are_uniform_from_minus_1_to_1():
    batch = PrioritySort().batch(0, 500)
    priorities = batch.inputs[:, :20, 8].flatten()
    assert abs(priorities.mean()) < 5 / math.sqrt(3 * 10_000)
    assert abs(priorities.var() - 1 / 3) < 0.02
    assert priorities.min() < -0.99
    assert priorities.max() > 0.99


def test_sorting_rows_of_mixed_lengths_has_only_vectors_of_the_input_as_targets():
    for inputs, targets, mask in rows_of(PrioritySort(min_length=1).batch(0, 100)):
        (delimiter,) = [step for step, x in enumerate(inputs) if x[9] == 1]
        ordered = sorted(inputs[:delimiter], key=lambda x: -x[8])
        answers = max(1, math.floor(0.8 * delimiter + 1e-9))
        assert_target(targets, mask, delimiter + 1, [x[:8] for x in ordered[:answers]])


def test_bits_are_fair():
    for task, bits in ((Copy(), 8), (RepeatCopy(), 8), (PrioritySort(), 8), (AssociativeRecall(), 6)):
        batch = task.batch(0, 2000, lengths=(6, 6))
        shares = batch.inputs[:, 1:3, :bits].mean((0, 1))
        assert (abs(shares - 0.5) < 5 * 0.5 / math.sqrt(4000)).all()


@pytest.mark.parametrize("share", [0.0, -0.5, 1.01, float("nan")])
def test_a_share_must_be_above_0_and_at_most_1(share):
    with pytest.raises(
        ValueError, match=rf"answer_share is {share}, but it is a share of the vectors; give a number in \(0, 1\]"
    ):
        PrioritySort(answer_share=share)


def test_recall_needs_two_items():
    with pytest.raises(ValueError, match="min_length is 1, but it must be at least 2; give a larger min_length"):
        AssociativeRecall(min_length=1)
    with pytest.raises(ValueError, match=r"lengths are 1\.\.4, but AssociativeRecall needs 2 <= shortest <= longest"):
        AssociativeRecall().batch(0, 1, lengths=(1, 4))
    with pytest.raises(ValueError, match="item_vectors is 0, but it must be at least 1"):
        AssociativeRecall(item_vectors=0)


def test_repeats_must_be_a_range():
    with pytest.raises(ValueError, match="max_repeats of RepeatCopy is 2, but min_repeats is 3 and must not be larger"):
        RepeatCopy(min_repeats=3, max_repeats=2)
    with pytest.raises(ValueError, match="min_repeats is 0, but it must be at least 1"):
        RepeatCopy(min_repeats=0)
    with pytest.raises(ValueError, match="repeats_scale_max is 1, but it must be at least 2"):
        RepeatCopy(repeats_scale_max=1)


def test_copy_with_a_start_marker_is_copy_one_step_later():
    plain, marked = Copy().batch(3, 5), Copy(start_marker=True).batch(3, 5)
    assert (Copy(start_marker=True).input_size, Copy(start_marker=True).output_size) == (10, 8)
    assert marked.lengths.tolist() == [length + 1 for length in plain.lengths.tolist()]
    assert marked.inputs[:, 1:, :9].equal(plain.inputs)
    assert marked.targets[:, 1:].equal(plain.targets)
    assert marked.mask[:, 1:].equal(plain.mask)
    assert marked.inputs[:, 0].tolist() == [[0] * 9 + [1]] * 5
    assert not marked.inputs[:, 1:, 9].any()
    assert not marked.mask[:, 0].any()


def test_a_length_of_the_final_evaluation_can_be_added():
    assert Copy(test_length=199).test_parts == (199,)
    assert Copy().test_parts == ()
    with pytest.raises(ValueError, match="test_length is 0"):
        Copy(test_length=0)
