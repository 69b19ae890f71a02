"""Laws of cells under other conditions: batch sizes, dtypes, devices, files, copies and packed sequences."""

import copy
import importlib
import inspect
import pkgutil

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import memtape
from memtape import Cell, Recurrent, tree, unroll
from memtape.core.growth import aligned

BATCH, TIME = 3, 6


def same_state(first, second):
    first, second = aligned([first, second])
    torch.testing.assert_close(tree.named_tensors(first), tree.named_tensors(second), rtol=1e-10, atol=1e-12)


def test_every_cell_class_obeys_the_laws(cells):
    joined = {type(module) for _, factory in cells for module in factory().modules()}
    for package in (memtape.cells, importlib.import_module("memtape.models")):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            for name, found in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
                if issubclass(found, Cell) and not inspect.isabstract(found):
                    assert found in joined, f"add {name} to CELLS in tests/laws/conftest.py"


@pytest.mark.parametrize("batch", [0, 7])
def test_any_batch_size_is_accepted(cell, xs, batch):
    inputs = xs.repeat(3, 1, 1)[:batch]
    lengths = torch.arange(batch) % TIME + 1
    ys, last, _ = unroll(cell, inputs, lengths=lengths, collect=lambda state: state)
    assert ys.shape == (batch, TIME, cell.output_size)
    assert all(len(leaf) == batch for leaf in tree.leaves(last))
    again, _, _ = unroll(cell, inputs, last)
    assert again.shape == ys.shape


def test_a_sequence_of_one_step_is_accepted(cell, xs, equal_up_to_rounding):
    ys, last, trace = unroll(cell, xs[:, :1], lengths=torch.ones(BATCH).long(), collect=lambda state: state)
    y, state = cell(xs[:, 0], cell.init_state(BATCH, dtype=xs.dtype))
    equal_up_to_rounding(ys, y[:, None])
    same_state(last, state)
    assert all(leaf.shape[:2] == (BATCH, 1) for leaf in tree.leaves(trace))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_outputs_and_state_have_the_dtype_of_the_network(factory, xs, dtype):
    cell = factory().to(dtype)
    ys, last, _ = unroll(cell, xs.to(dtype))
    assert ys.dtype == dtype
    assert {leaf.dtype for leaf in tree.leaves(last)} <= {dtype}
    assert {leaf.dtype for leaf in tree.leaves(cell.init_state(2, dtype=dtype))} <= {dtype}


def test_float32_agrees_with_float64(factory, xs):
    cell = factory()
    ys, _, _ = unroll(cell, xs.float())
    exact, _, _ = unroll(cell.double(), xs)
    torch.testing.assert_close(ys.double(), exact, rtol=1e-4, atol=1e-4)


def test_everything_follows_the_module_to_another_device(factory, monkeypatch):
    monkeypatch.setattr(torch, "is_autocast_enabled", lambda _: False)  # autocast does not support the meta device
    meta = torch.device("meta")
    cell = factory().to(meta)
    state = cell.init_state(BATCH, device=meta, dtype=torch.float32)
    y, moved = cell(torch.zeros(BATCH, cell.input_size, device=meta), state)
    for leaf in [y, *tree.leaves(state), *tree.leaves(moved)]:
        assert leaf.device.type == "meta"


def test_autocast_leaves_the_state_in_float32(factory, xs):
    cell = factory()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        ys, last, trace = unroll(cell, xs.float(), collect=lambda state: state)
    for leaf in [*tree.leaves(last), *tree.leaves(trace)]:
        assert leaf.dtype == torch.float32
    plain, _, _ = unroll(cell, xs.float())
    torch.testing.assert_close(ys.float(), plain, rtol=0.1, atol=0.1)
    assert not torch.equal(ys.float(), plain)


@pytest.mark.parametrize("lengths", [[6, 4, 1], [2, 6, 3]], ids=["sorted", "unsorted"])
def test_a_packed_sequence_equals_lengths(cell, xs, lengths, equal_up_to_rounding):
    network = Recurrent(cell)
    lengths = torch.tensor(lengths)
    is_sorted = lengths.tolist() == sorted(lengths.tolist(), reverse=True)
    packed = pack_padded_sequence(xs, lengths, batch_first=True, enforce_sorted=is_sorted)
    answer, last = network(packed)
    ys, end = network(xs, lengths=lengths)
    unpacked, their_lengths = pad_packed_sequence(answer, batch_first=True)
    equal_up_to_rounding(unpacked, ys)
    assert torch.equal(their_lengths, lengths)
    assert torch.equal(answer.batch_sizes, packed.batch_sizes)
    same_state(last, end)


def test_a_state_saved_to_a_file_is_read_back(cell, xs, tmp_path):
    for state in (cell.init_state(BATCH, dtype=xs.dtype), unroll(cell, xs[:, :3])[1]):
        if not tree.leaves(state):
            pytest.skip("the cell has no state")
        save_file(tree.named_tensors(state), tmp_path / "state.safetensors")
        loaded = tree.from_named_tensors(load_file(tmp_path / "state.safetensors"), cell.init_state(1))
        for name, leaf in tree.named_tensors(state).items():
            assert torch.equal(tree.named_tensors(loaded)[name], leaf), name
        torch.testing.assert_close(unroll(cell, xs[:, 3:], loaded)[0], unroll(cell, xs[:, 3:], state)[0])


def test_a_deep_copy_is_equal_and_independent(cell, xs):
    expected = unroll(cell, xs)[0].detach()
    copied = copy.deepcopy(cell)
    assert torch.equal(unroll(copied, xs)[0], expected)
    with torch.no_grad():
        for parameter in copied.parameters():
            parameter.add_(1)
    assert torch.equal(unroll(cell, xs)[0], expected)
    assert not torch.equal(unroll(copied, xs)[0], expected)


def test_a_state_dict_rebuilds_the_network(cell, rebuilt, xs, tmp_path):
    save_file(cell.state_dict(), tmp_path / "network.safetensors")
    assert not torch.equal(unroll(rebuilt, xs)[0], unroll(cell, xs)[0])
    rebuilt.load_state_dict(load_file(tmp_path / "network.safetensors"))
    assert torch.equal(unroll(rebuilt, xs)[0], unroll(cell, xs)[0])


def test_a_step_runs_under_vmap(cell, xs):
    state = cell.init_state(BATCH, dtype=xs.dtype)
    y, moved = cell(xs[:, 0], state)
    mapped = torch.func.vmap(lambda x: cell(x, state))(torch.stack([xs[:, 0], xs[:, 1]]))
    torch.testing.assert_close(mapped[0][0], y)
    torch.testing.assert_close(
        {name: leaf[0] for name, leaf in tree.named_tensors(mapped[1]).items()}, tree.named_tensors(moved)
    )
