"""States are immutable records that all torch transforms support, and trees of tensors."""

import copy
import dataclasses
import importlib
import pickle
import pkgutil

import pytest
import torch
from jaxtyping import Float, TypeCheckError
from torch import Tensor
from torch.utils import _pytree as pytree

import memtape
from memtape import NTMCell, state, tree
from memtape.cells.lstm import LSTMState
from memtape.core.state import NoState


@state
class Inner:
    """A part."""

    values: Float[Tensor, "*batch width"]


@state
class Outer:
    """A state with parts of every kind."""

    inner: Inner
    layers: tuple[Inner, ...]
    nothing: NoState
    other: Float[Tensor, "*batch slots width"]


def example(batch=2, fill=0.0):
    def part(add):
        return Inner(values=torch.full((batch, 3), fill + add))

    return Outer(inner=part(0), layers=(part(1), part(2)), nothing=NoState(), other=torch.full((batch, 4, 3), fill + 3))


def test_a_state_is_frozen_and_named():
    record = example()
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'inner'"):
        record.inner = record.inner
    with pytest.raises(TypeError, match="takes 1 positional argument but 2 were given"):
        Inner(torch.zeros(2, 3))


def test_a_state_is_a_tree_of_its_tensors_in_order():
    record = example()
    values = [leaf.flatten()[0].item() for leaf in tree.leaves(record)]
    assert values == [0, 1, 2, 3]
    leaves, structure = pytree.tree_flatten(record)
    again = pytree.tree_unflatten(leaves, structure)
    assert isinstance(again, Outer)
    assert again.layers[1].values is record.layers[1].values
    assert tree.leaves(NoState()) == []


def test_a_state_goes_through_vmap_and_grad():
    record = example(batch=2, fill=1.0)
    summed = torch.func.vmap(lambda row: row.inner.values.sum() + row.other.sum())(record)
    assert torch.equal(summed, torch.tensor([3 * 1.0 + 12 * 4, 3 * 1.0 + 12 * 4]))
    gradient = torch.func.grad(lambda row: (row.inner.values**2).sum())(record)
    assert torch.equal(gradient.inner.values, torch.full((2, 3), 2.0))
    assert not gradient.other.any()


def test_a_state_can_be_copied_and_pickled():
    record = LSTMState(hidden=torch.ones(2, 3), cell=torch.zeros(2, 3))
    for copied in (copy.deepcopy(record), pickle.loads(pickle.dumps(record))):
        assert isinstance(copied, LSTMState)
        assert torch.equal(copied.hidden, record.hidden)
        assert copied.hidden is not record.hidden


def test_the_hook_executes_the_shapes_of_a_state(request):
    if not request.config.getoption("--jaxtyping-packages"):
        pytest.skip("the hook is not active")
    with pytest.raises(TypeCheckError, match="hidden"):
        LSTMState(hidden=torch.ones(2, 3, dtype=torch.int64), cell=torch.zeros(2, 3))


def test_the_structure_does_not_depend_on_the_sizes():
    assert tree.same_structure(example(batch=2), example(batch=5))
    assert not tree.same_structure(example(), example().inner)
    record = example()
    assert not tree.same_structure(record, dataclasses.replace(record, layers=record.layers[:1]))


def test_detach_cuts_every_tensor_and_copies_none():
    record = Inner(values=torch.ones(2, 3, requires_grad=True))
    cut = tree.detach(record)
    assert not cut.values.requires_grad
    assert cut.values.data_ptr() == record.values.data_ptr()


def test_move_changes_dtype_and_device():
    moved = tree.move(example(), dtype=torch.float64)
    assert {leaf.dtype for leaf in tree.leaves(moved)} == {torch.float64}
    assert {leaf.device.type for leaf in tree.leaves(tree.move(example(), device="meta"))} == {"meta"}


def test_like_gives_each_tensor_the_dtype_of_its_own_example():
    wanted = LSTMState(hidden=torch.zeros(1, 3, dtype=torch.float64), cell=torch.zeros(1, 3))
    given = LSTMState(hidden=torch.ones(1, 3), cell=torch.ones(1, 3).bfloat16())
    cast = tree.like(given, wanted)
    assert (cast.hidden.dtype, cast.cell.dtype) == (torch.float64, torch.float32)
    assert torch.equal(cast.hidden, torch.ones(1, 3).double())


def test_select_takes_whole_rows_and_passes_no_nan_on():
    chosen, other = example(fill=1.0), example(fill=5.0)
    broken = dataclasses.replace(other, other=torch.full((2, 4, 3), torch.nan))
    broken.other[1] = 7
    picked = tree.select(torch.tensor([True, False]), chosen, broken)
    assert (picked.other[0] == 4).all()
    assert (picked.other[1] == 7).all()
    assert (picked.inner.values == torch.tensor([[1.0], [5.0]])).all()


def test_stack_and_cat_join_states():
    one, two = example(fill=0.0), example(fill=9.0)
    stacked = tree.stack([one, two], axis=1)
    assert stacked.other.shape == (2, 2, 4, 3)
    assert torch.equal(stacked.other[:, 1], two.other)
    joined = tree.cat([one, two], axis=0)
    assert joined.inner.values.shape == (4, 3)
    assert torch.equal(joined.inner.values[2:], two.inner.values)


def test_tensors_are_named_by_their_paths():
    named = tree.named_tensors(example())
    assert list(named) == ["inner.values", "layers.0.values", "layers.1.values", "other"]
    cell = NTMCell(2, 3, controller_layers=2)
    assert list(tree.named_tensors(cell.init_state(1))) == [
        "controller.layers.0.hidden",
        "controller.layers.0.cell",
        "controller.layers.1.hidden",
        "controller.layers.1.cell",
        "memory.memory",
        "memory.read_weights",
        "memory.write_weights",
        "reads",
    ]


def test_named_tensors_share_no_storage():
    zeros = torch.zeros(2, 3)
    named = tree.named_tensors(LSTMState(hidden=zeros, cell=zeros))
    named["hidden"] += 1
    assert not named["cell"].any()
    assert not zeros.any()
    expanded = tree.named_tensors(Inner(values=torch.zeros(1, 3).expand(2, 3)))
    assert expanded["values"].is_contiguous()


def test_a_state_is_rebuilt_from_names_in_any_order():
    record = example(fill=2.0)
    named = tree.named_tensors(record)
    again = tree.from_named_tensors(dict(reversed(named.items())), example(batch=7))
    for name, leaf in tree.named_tensors(again).items():
        assert torch.equal(leaf, named[name])


@pytest.mark.parametrize("change", ["missing", "unknown"])
def test_names_must_be_those_of_the_state(change):
    named = tree.named_tensors(example())
    if change == "missing":
        del named["layers.1.values"]
    else:
        named["usage"] = torch.zeros(1)
    message = (
        r"the saved state has the tensors \['inner.values'.*\], but this cell's state has \['inner.values', .*; load"
    )
    with pytest.raises(ValueError, match=message):
        tree.from_named_tensors(named, example())


def states_of_the_library():
    for module in pkgutil.walk_packages(memtape.__path__, "memtape."):
        if not module.name.startswith("memtape.__main__"):
            importlib.import_module(module.name)
    return [kind for kind in pytree.SUPPORTED_NODES if kind.__module__.startswith("memtape.")]


def test_exported_programs_name_states_without_their_modules():
    kinds = states_of_the_library()
    names = [pytree.SUPPORTED_SERIALIZED_TYPES[kind].serialized_type_name for kind in kinds]
    assert len(kinds) > 30
    assert sorted(names) == sorted(f"memtape.{kind.__name__}" for kind in kinds)
    assert len(set(names)) == len(names), "two states share a name: rename one of them"


def test_the_structure_of_a_state_is_written_with_that_name_and_read_again():
    start = NTMCell(2, 2, slots=3, width=2, controller_size=3).init_state(1)
    leaves, structure = pytree.tree_flatten(start)
    written = pytree.treespec_dumps(structure)
    assert "memtape.TuringState" in written
    assert "memtape.memory" not in written
    again = pytree.tree_unflatten(leaves, pytree.treespec_loads(written))
    assert type(again.memory) is type(start.memory)
