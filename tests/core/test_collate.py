"""`memtape.collate`: sequences of different lengths in one batch of a DataLoader."""

from functools import partial

import numpy
import pytest
import torch
from torch.nn import functional
from torch.utils.data import DataLoader

import memtape
from memtape import SequenceBatch, collate

LENGTHS = (2, 4, 1)


def vectors(*sizes):
    return [torch.randn(length, *sizes) for length in LENGTHS]


def test_vectors_with_a_vector_for_each_step():
    xs, targets = vectors(3), vectors(2)
    batch = collate(list(zip(xs, targets, strict=True)))
    assert isinstance(batch, SequenceBatch)
    assert batch.lengths.tolist() == list(LENGTHS)
    assert batch.mask.tolist() == [[True, True, False, False], [True] * 4, [True, False, False, False]]
    for row, length in enumerate(LENGTHS):
        assert torch.equal(batch.inputs[row, :length], xs[row])
        assert torch.equal(batch.targets[row, :length], targets[row])
        assert not batch.inputs[row, length:].any()
        assert not batch.targets[row, length:].any()


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int16, torch.int32, torch.int64])
def test_symbols_with_a_class_for_each_step(dtype):
    xs = [torch.arange(1, length + 1).to(dtype) for length in LENGTHS]
    batch = collate([(x, 2 * x) for x in xs])
    assert batch.inputs.tolist() == [[1, 2, 0, 0], [1, 2, 3, 4], [1, 0, 0, 0]]
    assert batch.targets.tolist() == [[2, 4, 0, 0], [2, 4, 6, 8], [2, 0, 0, 0]]
    assert batch.inputs.dtype == batch.targets.dtype == torch.int64


@pytest.mark.parametrize("kind", [torch.tensor, int, numpy.int64])
def test_a_class_for_the_sequence_is_that_of_its_last_step(kind):
    batch = collate([(x, kind(label)) for x, label in zip(vectors(3), (5, 6, 7), strict=True)])
    assert batch.targets.tolist() == [[0, 5, 0, 0], [0, 0, 0, 6], [7, 0, 0, 0]]
    assert batch.mask.tolist() == [[False, True, False, False], [False] * 3 + [True], [True] + [False] * 3]
    assert batch.targets[batch.mask].tolist() == [5, 6, 7]


def test_a_vector_for_the_sequence_is_that_of_its_last_step():
    targets = [torch.randn(2) for _ in LENGTHS]
    batch = collate(list(zip(vectors(3), targets, strict=True)))
    assert batch.targets.shape == (3, 4, 2)
    assert torch.equal(batch.targets[batch.mask], torch.stack(targets))
    assert int((batch.targets != 0).any(-1).sum()) == 3


def test_targets_that_are_not_finite_stay_in_their_step():
    batch = collate([(torch.zeros(3, 1), torch.tensor([float("nan")])), (torch.zeros(2, 1), torch.tensor([1.0]))])
    assert batch.targets.isnan().sum() == 1


def test_a_number_for_each_step_or_a_vector_for_the_sequence():
    examples = [(torch.randn(2, 3), torch.tensor([1.0, 2.0])), (torch.randn(2, 3), torch.tensor([3.0, 4.0]))]
    steps = collate(examples, per_step=True)
    assert steps.targets.tolist() == [[[1.0], [2.0]], [[3.0], [4.0]]]
    assert steps.mask.all()
    sequences = collate(examples, per_step=False)
    assert sequences.targets[sequences.mask].tolist() == [[1.0, 2.0], [3.0, 4.0]]
    with pytest.raises(
        ValueError, match=r"floats of shape \(2,\) beside sequences of as many steps, .*; bind per_step=True"
    ):
        collate(examples)


def test_numbers_for_steps_of_different_lengths():
    batch = collate([(x, x[:, 0]) for x in vectors(3)], per_step=True)
    assert torch.equal(batch.targets, batch.inputs[..., :1])


def test_arrays_and_lists():
    batch = collate([(numpy.ones((2, 3), numpy.float32), 1), ([[1.0, 2.0, 3.0]], 0)])
    assert batch.inputs[1].tolist() == [[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]]


def test_a_network_is_trained_with_a_loader():
    data = [(torch.randn(length, 3), torch.tensor(length % 2)) for length in range(1, 9)]
    network = memtape.GRU(3, 2, hidden_size=4)
    for batch in DataLoader(data, batch_size=4, collate_fn=memtape.collate):
        outputs, _ = network(batch.inputs, lengths=batch.lengths)
        functional.cross_entropy(outputs[batch.mask], batch.targets[batch.mask]).backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_a_loader_in_another_process():
    data = [(torch.randn(length, 3), torch.randn(length, 2)) for length in range(1, 5)]
    loader = DataLoader(data, batch_size=2, collate_fn=partial(collate, per_step=True), num_workers=1)
    assert [batch.lengths.tolist() for batch in loader] == [[1, 2], [3, 4]]


FLOATS = torch.ones(2, 3)


@pytest.mark.parametrize(
    ("examples", "error", "match"),
    [
        ([], ValueError, "there are no examples, but a batch has at least one row; pass one or more"),
        ([FLOATS], TypeError, r"example 0 is a Tensor, but collate takes pairs \(sequence, target\); return a pair"),
        ([(FLOATS, 1), (FLOATS, 1, 1)], TypeError, "example 1 is a tuple of 3, but collate takes pairs"),
        ([(FLOATS, "yes")], TypeError, "the target of example 0 is a str and not an array of numbers; pass a tensor"),
        ([(FLOATS, None)], TypeError, "the target of example 0 is a NoneType and not an array"),
        ([(FLOATS > 0, 1)], TypeError, r"the sequence of example 0 is torch.bool, .*; convert it with .float\(\) or"),
        (
            [(FLOATS, FLOATS > 0)],
            TypeError,
            "the target of example 0 is torch.bool, but it has floats, or integers for",
        ),
        (
            [(FLOATS.long(), 1)],
            ValueError,
            r"the sequence of example 0 has shape \(2, 3\) and dtype torch.int64, but a",
        ),
        ([(FLOATS[0], 1)], ValueError, r"the sequence of example 0 has shape \(3,\) and dtype torch.float32"),
        ([(FLOATS[None], 1)], ValueError, r"shape \(1, 2, 3\)"),
        (
            [(FLOATS, 1), (FLOATS[:0], 1)],
            ValueError,
            r"the sequence of example 1 has shape \(0, 3\) .* at least one step",
        ),
        (
            [(FLOATS, FLOATS.long())],
            ValueError,
            r"the target of example 0 has shape \(2, 3\) and dtype torch.int64, but",
        ),
        ([(FLOATS, FLOATS.byte())], ValueError, r"the target of example 0 .*torch.uint8.*convert it with .float\(\)"),
        ([(FLOATS, 0.5)], ValueError, r"the target of example 0 has shape \(\) and dtype torch.float32"),
        ([(FLOATS, FLOATS[None])], ValueError, r"the target of example 0 has shape \(1, 2, 3\)"),
        ([(FLOATS, 1), (FLOATS[:, :2], 1)], ValueError, r"the sequence of example 1 has shape \(2, 2\) .* one form"),
        ([(FLOATS, 1), (FLOATS.double(), 1)], ValueError, "the sequence of example 1 .* torch.float64, but that of ex"),
        ([(FLOATS, 1), (torch.tensor([1]), 1)], ValueError, "the sequence of example 1 .* torch.int64"),
        (
            [(FLOATS, 1), (FLOATS, FLOATS)],
            ValueError,
            "the target of example 1 .* give all examples of a batch one form",
        ),
        ([(FLOATS, 1), (FLOATS, torch.tensor([1, 1]))], ValueError, "the target of example 1"),
        ([(FLOATS, FLOATS), (FLOATS, FLOATS[:, :2])], ValueError, "the target of example 1"),
        ([(FLOATS, FLOATS[:1, 0]), (FLOATS, FLOATS[0])], ValueError, "the target of example 1"),
        (
            [(FLOATS, FLOATS), (FLOATS, FLOATS[:1])],
            ValueError,
            "the target of example 1 has 1 steps, but its sequence has 2",
        ),
        (
            [(FLOATS, torch.tensor([1, 2, 3]))],
            ValueError,
            "the target of example 0 has 3 steps, but its sequence has 2; give",
        ),
    ],
)
@pytest.mark.usefixtures("shapes_unchecked")
def test_other_examples_are_refused(examples, error, match):
    with pytest.raises(error, match=match):
        collate(examples)


@pytest.mark.parametrize(("target", "per_step"), [(1, True), (FLOATS, False), (torch.tensor([1, 2]), False)])
def test_a_wrong_per_step_is_refused(target, per_step):
    with pytest.raises(
        ValueError, match=f"per_step is {per_step}, but a target of shape .* belongs to .*; leave per_step out"
    ):
        collate([(FLOATS, target)], per_step=per_step)


def test_numbers_for_steps_of_other_lengths_are_refused():
    with pytest.raises(ValueError, match="the target of example 0 has 3 steps, but its sequence has 2"):
        collate([(FLOATS, torch.ones(3))], per_step=True)
