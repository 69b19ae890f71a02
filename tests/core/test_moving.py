"""`to` of batches and of the states of every cell, with the arguments and the meaning of torch's `to`."""

import dataclasses

import pytest
import torch

import memtape
from memtape import SequenceBatch, state, tree
from memtape.core.inputs.pairs import Pairs


@state
class Inner:
    counts: torch.Tensor
    values: torch.Tensor


@state
class Outer:
    inner: tuple[Inner, ...]
    named: dict[str, torch.Tensor]


def nested():
    inner = Inner(counts=torch.tensor([2]), values=torch.ones(1))
    return Outer(inner=(inner, inner), named={"open": torch.tensor([True]), "weights": torch.ones(1)})


def dtypes(record):
    return [leaf.dtype for leaf in tree.leaves(record)]


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        ((torch.float64,), {}),
        (("cpu", torch.float64), {}),
        ((), {"dtype": torch.float64}),
        ((torch.zeros(1, dtype=torch.float64),), {}),
        ((), {"device": "cpu", "dtype": torch.float64, "non_blocking": True}),
    ],
)
def test_floats_are_converted_and_integers_and_booleans_are_not(args, kwargs):
    before = nested()
    after = before.to(*args, **kwargs)
    assert dtypes(after) == [torch.int64, torch.float64, torch.int64, torch.float64, torch.bool, torch.float64]
    assert dtypes(before) == [torch.int64, torch.float32, torch.int64, torch.float32, torch.bool, torch.float32]
    assert type(after) is Outer
    assert type(after.inner[0]) is Inner


@pytest.mark.parametrize(("args", "kwargs"), [(("meta",), {}), ((torch.device("meta"),), {}), ((), {"device": "meta"})])
def test_all_tensors_are_moved_and_keep_their_dtypes(args, kwargs):
    moved = nested().to(*args, **kwargs)
    assert all(leaf.is_meta for leaf in tree.leaves(moved))
    assert dtypes(moved) == dtypes(nested())


def test_gradients_flow_through_a_conversion():
    values = torch.ones(1, requires_grad=True)
    Inner(counts=torch.tensor([1]), values=values).to(torch.float64).values.sum().backward()
    assert values.grad == 1


@pytest.mark.parametrize("record", [nested(), memtape.Copy(max_length=2).batch(0, batch_size=1, seed=0)])
@pytest.mark.parametrize("dtype", [torch.int32, torch.bool, torch.complex64])
def test_a_dtype_that_is_no_float_is_refused(record, dtype):
    with pytest.raises(
        TypeError, match=f"the dtype is {dtype}, but only floats are converted, .*; give a dtype of float"
    ):
        record.to(dtype)


def test_a_batch_is_moved_with_its_inputs():
    batch = memtape.Copy(max_length=2).batch(0, batch_size=3, seed=0)
    moved = batch.to("meta", torch.float64)
    assert isinstance(moved, SequenceBatch)
    assert moved.inputs.is_meta
    assert (moved.inputs.dtype, moved.targets.dtype, moved.mask.dtype) == (torch.float64, torch.float64, torch.bool)
    assert moved.lengths.dtype == batch.lengths.dtype
    assert not batch.inputs.is_meta


def test_a_batch_of_pairs_is_moved():
    ones = torch.ones(2, 3, dtype=torch.int64)
    lengths = torch.tensor([3, 3])
    pairs = Pairs(**{field.name: lengths if "lengths" in field.name else ones for field in dataclasses.fields(Pairs)})
    batch = SequenceBatch(inputs=pairs, targets=ones, mask=ones.bool(), lengths=lengths)
    assert all(leaf.is_meta for leaf in tree.leaves(batch.to("meta", non_blocking=True)))


def test_the_state_of_a_network_continues_in_another_dtype():
    network = memtape.NTM(3, 2, slots=4, width=3, controller_size=5)
    xs = torch.randn(2, 6, 3)
    _, last = network(xs[:, :3])
    ys, _ = network.double()(xs[:, 3:].double(), last.to(torch.float64))
    expected, _ = network(xs.double())
    torch.testing.assert_close(ys, expected[:, 3:], atol=1e-5, rtol=1e-4)


def test_a_record_with_a_field_of_this_name_keeps_it():
    @state
    class Edge:
        to: torch.Tensor

    assert torch.equal(Edge(to=torch.ones(2)).to, torch.ones(2))
