"""Repeat copy with markers: an independent implementation gives the targets."""

import pytest

from memtape.tasks.algorithmic.repeat_copy_dnc import RepeatCopyDNC


@pytest.mark.parametrize(("repeats", "lengths"), [((1, 2), None), ((5, 9), (1, 4)), ((3, 3), (7, 7))])
def test_vectors_are_repeated_the_given_number_of_times_between_markers(repeats, lengths):
    task, found = RepeatCopyDNC(min_repeats=repeats[0], max_repeats=repeats[1]), set()
    assert (task.input_size, task.output_size) == (6, 5)
    batch = task.batch(0, 60, lengths=lengths)
    for row, steps in enumerate(batch.lengths.tolist()):
        inputs, targets = batch.inputs[row, :steps].tolist(), batch.targets[row, :steps].tolist()
        (number,) = [step for step, x in enumerate(inputs) if x[5]]
        assert inputs[0] == [0, 0, 0, 0, 1, 0]
        vectors = [x[:4] for x in inputs[1:number]]
        assert all(x[4:] == [0, 0] for x in inputs[1:number])
        repeats_given = round(inputs[number][5] * 10)
        assert inputs[number] == pytest.approx([0] * 5 + [repeats_given / 10])
        answer = [[*vector, 0] for vector in vectors] * repeats_given + [[0, 0, 0, 0, 1]]
        assert inputs[number + 1 :] == [[0] * 6] * len(answer)
        assert targets == [[0] * 5] * (number + 1) + answer
        assert batch.mask[row, :steps].tolist() == [False] * (number + 1) + [True] * len(answer)
        assert steps == len(vectors) * (repeats_given + 1) + 3
        found.add((len(vectors), repeats_given))
    low, high = lengths or (1, 2)
    assert found == {(n, k) for n in range(low, high + 1) for k in range(repeats[0], repeats[1] + 1)}


def test_the_number_of_repeats_is_divided_by_its_scale():
    batch = RepeatCopyDNC(min_repeats=2, repeats_scale=4).batch(0, 3)
    assert batch.inputs[..., 5].max() == 0.5
    assert RepeatCopyDNC(same_length=True, max_length=9).batch(0, 6).lengths.unique().numel() == 1


def test_sizes_below_1_and_empty_ranges_are_refused():
    with pytest.raises(ValueError, match="repeats_scale is 0, but it must be at least 1"):
        RepeatCopyDNC(repeats_scale=0)
    with pytest.raises(ValueError, match="max_repeats of RepeatCopyDNC is 2, but min_repeats is 3"):
        RepeatCopyDNC(min_repeats=3)
    with pytest.raises(ValueError, match="max_length of RepeatCopyDNC is 2, but min_length is 3"):
        RepeatCopyDNC(min_length=3)
