"""Key-value: an independent look-up of each key gives the targets."""

import pytest

from memtape.tasks.algorithmic.key_value import KeyValue


@pytest.mark.parametrize(("bits", "lengths"), [(12, None), (12, (64, 64)), (2, (2, 2)), (4, (1, 4))])
def test_each_key_is_queried_once_and_its_value_is_the_target(bits, lengths):
    task, found, moved = KeyValue(bits=bits, max_length=min(16, 2 ** (bits // 2))), set(), False
    batch = task.batch(0, 40, lengths=lengths)
    for row, steps in enumerate(batch.lengths.tolist()):
        inputs, targets = batch.inputs[row, :steps].tolist(), batch.targets[row, :steps].tolist()
        (delimiter,) = [step for step, x in enumerate(inputs) if x[bits]]
        assert inputs[delimiter] == [0] * bits + [1]
        pairs = {tuple(x[: bits // 2]): x[bits // 2 : bits] for x in inputs[:delimiter]}
        assert len(pairs) == delimiter
        queries = [tuple(x[: bits // 2]) for x in inputs[delimiter + 1 :]]
        assert all(x[bits // 2 :] == [0] * (bits // 2 + 1) for x in inputs[delimiter + 1 :])
        assert sorted(queries) == sorted(pairs)
        assert targets == [[0] * (bits // 2)] * (delimiter + 1) + [pairs[key] for key in queries]
        assert batch.mask[row, :steps].tolist() == [False] * (delimiter + 1) + [True] * delimiter
        found.add(delimiter)
        moved |= queries != list(pairs)
    low, high = lengths or (2, 16)
    assert found == set(range(low, high + 1))
    assert moved


def test_keys_values_and_orders_are_uniform():
    batch = KeyValue(bits=4, min_length=2, max_length=2).batch(0, 4_000)
    shown, first_asked = batch.inputs[:, :2, :4], batch.inputs[:, 3, :2]
    assert (abs(shown.mean((0, 1)) - 0.5) < 0.03).all()
    assert abs((first_asked == shown[:, 0, :2]).all(1).float().mean() - 0.5) < 0.04
    numbers = (shown[:, 0, 0] + 2 * shown[:, 0, 1]).long().bincount(minlength=4) / 4_000
    assert (abs(numbers - 0.25) < 0.03).all()


def test_rows_can_share_a_length():
    assert KeyValue(same_length=True).batch(0, 6).lengths.unique().numel() == 1
    assert KeyValue().batch(0, 6).lengths.unique().numel() > 2


def test_more_pairs_than_keys_are_refused():
    sentence = "5 pairs are requested, but there are 4 distinct keys of 2 bits; give fewer pairs or more bits"
    with pytest.raises(ValueError, match=sentence):
        KeyValue(bits=4, max_length=5)
    with pytest.raises(ValueError, match=sentence):
        KeyValue(bits=4, max_length=4).batch(0, 1, lengths=(2, 5))


@pytest.mark.parametrize("bits", [3, 34])
def test_the_number_of_bits_must_be_even(bits):
    with pytest.raises(ValueError, match=f"bits is {bits}, but half .* give an even number of at most 32"):
        KeyValue(bits=bits)
    with pytest.raises(ValueError, match="bits is 1, but it must be at least 2"):
        KeyValue(bits=1)
