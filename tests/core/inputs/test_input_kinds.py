"""Kinds of input: each kind splits, joins and moves its own inputs, and no other code depends on their type."""

import ast
from functools import cache
from pathlib import Path

import pytest
import torch
from torch.utils import _pytree as pytree

import memtape
from memtape import DMNC, Babi, Boolean, Copy, MemN2N, Scan, Seq2Seq, StackedLSTM, Sum2, TreeLSTM
from memtape.core.batch import SequenceBatch
from memtape.core.inputs.input_kind import InputKind
from memtape.core.inputs.registry import kind_named, kind_of, register

CASES = {
    "sequences": (lambda: Copy(bits=2, max_length=5), lambda *sizes: StackedLSTM(*sizes, hidden_size=4)),
    "pairs": (Scan, lambda *sizes: Seq2Seq(*sizes, hidden_size=4, embedding_size=3)),
    "stories": (lambda: Babi(numbers="1,15"), lambda *sizes: MemN2N(*sizes, embedding_size=4, random_noise=0.0)),
    "two_views": (
        lambda: Sum2(max_length=4),
        lambda *sizes: DMNC(*sizes, slots=3, width=2, controller_size=4, embedding_size=3),
    ),
    "trees": (
        lambda: Boolean(max_length=4),
        lambda *sizes: TreeLSTM(*sizes, hidden_size=4, embedding_size=3, dropout=0.0),
    ),
}


@cache
def task_of(kind):
    """Return the task with inputs of a kind, which the tests share."""
    return CASES[kind][0]()


@pytest.fixture(params=CASES)
def case(request):
    """A kind, a task with inputs of this kind, and a network that reads them."""
    task, build = task_of(request.param), CASES[request.param][1]
    return kind_named(request.param), task, build(task.input_size, task.output_size)


def batches(kind, task, count=3):
    return [task.batch(index, 2, input_kind=kind.name) for index in range(count)]


def same(first, second):
    pairs = zip(pytree.tree_leaves(first), pytree.tree_leaves(second), strict=True)
    return all(torch.equal(one, other) for one, other in pairs)


def test_inputs_belong_to_the_kind_that_their_task_names(case):
    kind, task, network = case
    batch = task.batch(0, 3, input_kind=kind.name)
    assert batch.kind is kind_of(batch.inputs) is kind
    assert network.input_kind == kind.name
    assert kind.length(batch.inputs) == batch.mask.shape[1] == batch.targets.shape[1]


def test_every_file_of_the_package_defines_the_kind_of_its_name():
    folder = Path(memtape.__file__).parent / "core" / "inputs"
    names = {path.stem for path in folder.glob("*.py")} - {"__init__", "input_kind", "registry"}
    assert names == set(CASES)
    assert [kind_named(name).name for name in sorted(names)] == sorted(names)


def test_rows_that_are_split_and_joined_are_unchanged(case):
    kind, task, _ = case
    batch = task.batch(0, 5, input_kind=kind.name)
    parts = [batch.rows(0, 2), batch.rows(2, 5)]
    assert [len(part) for part in parts] == [2, 3]
    assert same(SequenceBatch.join(parts), batch)


def test_joined_batches_have_the_outputs_of_each(case):
    """Padding to the longest changes nothing within the lengths; sums of another shape may round differently."""
    kind, task, network = case
    parts = batches(kind, task)
    joined = SequenceBatch.join(parts)
    assert len(joined) == 6
    outputs, _ = network(joined.inputs, lengths=joined.lengths)
    for number, part in enumerate(parts):
        alone, _ = network(part.inputs, lengths=part.lengths)
        rows = slice(2 * number, 2 * number + 2)
        steps = alone.shape[1]
        torch.testing.assert_close(outputs[rows, :steps], alone, rtol=1e-5, atol=1e-6)
        assert not outputs[rows, steps:].any()
        assert not joined.mask[rows, steps:].any()
        assert torch.equal(joined.targets[rows, :steps], part.targets)


def test_floats_change_their_dtype_and_integers_keep_it(case):
    kind, task, _ = case
    batch = task.batch(0, 2, input_kind=kind.name)
    moved = batch.move(device="meta", dtype=torch.float64)
    for before, after in zip(pytree.tree_leaves(batch), pytree.tree_leaves(moved), strict=True):
        assert after.device.type == "meta"
        assert after.dtype == (torch.float64 if before.is_floating_point() else before.dtype)


def test_sequences_have_chunks_of_time_and_all_other_kinds_refuse_them(case):
    kind, task, _ = case
    batch = task.batch(0, 2, input_kind=kind.name)
    if kind.in_chunks:
        chunk = batch.steps(1, 3)
        assert torch.equal(chunk.inputs, batch.inputs[:, 1:3])
        assert chunk.lengths.tolist() == (batch.lengths - 1).clamp(0, 2).tolist()
        return
    with pytest.raises(
        ValueError,
        match=rf"the inputs are {kind.name}, whose steps of time \({kind.time_axis} by {kind.time_axis}\) cannot",
    ):
        batch.steps(1, 3)


def test_parts_of_two_kinds_are_not_joined():
    task = Boolean()
    with pytest.raises(
        ValueError, match=r"inputs of the kinds \['sequences', 'trees'\], but a batch has inputs of one; join"
    ):
        SequenceBatch.join([task.batch(0, 2), task.batch(0, 2, input_kind="sequences")])


def test_a_record_of_no_kind_is_refused():
    with pytest.raises(
        TypeError, match=r"the inputs are a dict, which is not the record of a kind of input; pass .*memtape.Pairs"
    ):
        kind_of({})


def test_an_unknown_name_of_a_kind_is_refused():
    with pytest.raises(
        ValueError, match=r"'images' is not a kind of input; the registered kinds are .*pairs, sequences"
    ):
        kind_named("images")


def test_a_name_belongs_to_one_kind():
    class Other(InputKind):
        name = "pairs"
        length = join = None

    with pytest.raises(ValueError, match="Other is named 'pairs', which is the name of PairsKind; choose another name"):
        register(Other())


def test_only_the_kinds_depend_on_the_type_of_inputs():
    asking = []
    for path in Path(memtape.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "isinstance":
                subject, types = (ast.unparse(argument) for argument in node.args)
                if "inputs" in subject or types in ("Pairs", "Trees"):
                    asking.append(f"{path.parent.name}/{path.name}")
    assert set(asking) == {"inputs/input_kind.py", "inputs/registry.py"}
