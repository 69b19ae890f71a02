"""Several copies in sequence: each row is parsed, and an independent implementation gives the targets."""

import pytest

from memtape.tasks.algorithmic.allocation import Allocation
from memtape.tasks.algorithmic.independent_copies import IndependentCopies


def copies_of(batch, row, bits, *, marker):
    """Parse a row, check each of its steps, and return the number of vectors of each copy."""
    steps = int(batch.lengths[row])
    inputs, targets = batch.inputs[row, :steps].tolist(), batch.targets[row, :steps].tolist()
    scored, blank = batch.mask[row, :steps].tolist(), [0] * (bits + 1)
    step, counts = 0, []
    while step < steps:
        vectors = []
        while inputs[step][bits] == 0:
            vectors.append(inputs[step][:bits])
            assert (targets[step], scored[step]) == ([0] * (bits + marker), False)
            step += 1
        assert inputs[step] == [0] * bits + [1]
        assert (targets[step], scored[step]) == ([0] * (bits + marker), False)
        answer = [vector + [0] * marker for vector in vectors] + [[0] * bits + [1]] * marker
        for expected in answer:
            step += 1
            assert (inputs[step], targets[step], scored[step]) == (blank, expected, True)
        step += 1
        counts.append(len(vectors))
        assert all(bit in (0, 1) for vector in vectors for bit in vector)
    return counts


@pytest.mark.parametrize("lengths", [None, (1, 1), (2, 5)])
def test_allocation_is_a_sequence_of_copies_of_five_vectors(lengths):
    task, found = Allocation(), set()
    batch = task.batch(0, 30, lengths=lengths)
    for row in range(30):
        counts = copies_of(batch, row, 6, marker=0)
        assert set(counts) == {5}
        found.add(len(counts))
    assert found == ({10} if lengths is None else set(range(lengths[0], lengths[1] + 1)))
    assert task.chance((3, 3)) == {"cost_bits": 3 * 5 * 6, "wrong_bits": 45}


@pytest.mark.parametrize("lengths", [None, (1, 1), (12, 12)])
def test_independent_copies_have_different_lengths_and_end_with_a_marker(lengths):
    rows, sizes = set(), set()
    batch = IndependentCopies(min_vectors=2, max_vectors=4).batch(0, 60, lengths=lengths)
    for row in range(60):
        counts = copies_of(batch, row, 8, marker=1)
        rows.add(len(counts))
        sizes.update(counts)
    assert rows == (set(range(1, 9)) if lengths is None else {lengths[0]})
    assert sizes == {2, 3, 4}


def test_the_default_sizes_are_those_of_the_paper():
    assert IndependentCopies().vectors == (2, 14)
    assert (IndependentCopies().input_size, IndependentCopies().output_size) == (9, 9)
    assert (Allocation().input_size, Allocation().output_size) == (7, 6)


def test_rows_can_share_their_lengths():
    batch = IndependentCopies(same_length=True).batch(0, 6)
    assert batch.lengths.unique().numel() == 1
    assert (batch.mask == batch.mask[0]).all()
    assert not (batch.inputs == batch.inputs[0]).all()
    assert IndependentCopies().batch(0, 6).lengths.unique().numel() > 3
    assert Allocation(min_length=1, same_length=True).batch(0, 6).lengths.unique().numel() == 1


def test_bits_and_numbers_of_vectors_are_uniform():
    batch = IndependentCopies(min_vectors=2, max_vectors=3, min_length=4, max_length=4).batch(0, 2_000)
    shown = batch.mask & ~batch.targets[..., 8].bool()
    assert abs(batch.targets[shown][:, :8].mean() - 0.5) < 0.01
    counts = [count for row in range(500) for count in copies_of(batch, row, 8, marker=1)]
    assert abs(counts.count(2) / len(counts) - 0.5) < 0.05


@pytest.mark.parametrize("task", [Allocation, IndependentCopies])
def test_sizes_below_1_and_empty_ranges_are_refused(task):
    with pytest.raises(ValueError, match="bits is 0, but it must be at least 1; give a larger bits"):
        task(bits=0)
    with pytest.raises(ValueError, match=f"max_length of {task.__name__} is 2, but min_length is 3"):
        task(min_length=3, max_length=2)


def test_vectors_must_be_a_range():
    with pytest.raises(ValueError, match="vectors is 0, but it must be at least 1"):
        Allocation(vectors=0)
    with pytest.raises(ValueError, match="max_vectors of IndependentCopies is 1, but min_vectors is 2"):
        IndependentCopies(max_vectors=1)
