"""Every network takes lengths and symbols of any integer type, fused and in the reference, and ignores padding symbols."""

import numpy as np
import pytest
import torch

from memtape import ops, tree, use_backend
from memtape.catalog.registry import MODELS
from memtape.core.batch import SequenceBatch
from memtape.core.inputs.pairs import Pairs, given_for
from memtape.core.inputs.trees import Trees
from memtape.models.recurrent.gru import GRU
from memtape.models.recurrent.jordan import Jordan
from memtape.tasks.classification import class_sums

SEQUENCES = [name for name, entry in MODELS.items() if "sequences" in entry.card.inputs]
TREES = [name for name, entry in MODELS.items() if "trees" in entry.card.inputs]
TYPES = [torch.uint8, torch.int8, torch.int16, torch.uint16, torch.int32, torch.uint32]
LENGTHS = [100, 3, 127]
SLOW = {"bidnc", "dam", "taperrnn", "babyntm", "listrnn", "nsrnn"}
"""Networks without a fused kernel, whose steps take long under the hook that checks annotations."""


def built(name, size=4):
    entry = MODELS[name]
    return entry.load()(size, 3, **entry.card.small).double().eval()


def equal(first, second):
    torch.testing.assert_close(first, second, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.every_form) if name in SLOW else name for name in SEQUENCES]
)
def test_lengths_of_any_integer_type_mean_the_same(name):
    network, xs = built(name), torch.randn(3, 127, 4, dtype=torch.float64)
    expected, last = network(xs, lengths=torch.tensor(LENGTHS))
    types = TYPES if name == "gru" else [torch.uint8]  # other networks convert them by the same function
    for lengths in (LENGTHS, np.array(LENGTHS, dtype=np.uint16), *(torch.tensor(LENGTHS).to(each) for each in types)):
        ys, state = network(xs, lengths=lengths)
        equal(ys, expected)
        equal(tree.named_tensors(state), tree.named_tensors(last))


@pytest.mark.parametrize("name", SEQUENCES)
def test_chunks_that_end_before_a_small_integer_length_do_not_wrap_around(name):
    network, xs = built(name), torch.randn(2, 12, 4, dtype=torch.float64)
    expected, _ = network(xs, lengths=torch.tensor([3, 11]))
    equal(network(xs, lengths=torch.tensor([3, 11], dtype=torch.uint8), checkpoint_every=5)[0], expected)


@pytest.mark.parametrize("name", SEQUENCES)
def test_symbols_of_any_integer_type_mean_the_same_fused_and_in_the_reference(name):
    network, symbols = built(name), torch.tensor([[3, 0, 2], [1, 1, 0]])
    expected, _ = network(symbols)
    for dtype in TYPES:
        equal(network(symbols.to(dtype))[0], expected)
    with use_backend("reference"):
        equal(network(symbols.to(torch.uint8))[0], expected)


@pytest.mark.parametrize("name", SEQUENCES)
def test_padding_symbols_may_have_any_value(name):
    network, symbols = built(name), torch.tensor([[3, 0, 2], [1, -100, 77]])
    expected, _ = network(symbols.clamp(0, 3), lengths=[3, 1])
    equal(network(symbols, lengths=[3, 1])[0], expected)
    with pytest.raises(ValueError, match=r"the symbol at \(row, step\) \(1, 1\) is -100"):
        network(symbols)


@pytest.mark.parametrize("dtype", TYPES)
def test_teacher_forcing_takes_any_integer_type(dtype):
    network, symbols, targets = Jordan(4, 3, hidden_size=5), torch.tensor([[3, 0, 2]]), torch.tensor([[2, 1, 0]])
    expected, _ = network(symbols, lengths=[2], targets=targets)
    lengths = torch.tensor([2]).to(dtype)
    equal(network(symbols.to(dtype), lengths=lengths, targets=targets.to(dtype))[0], expected)


@pytest.mark.parametrize("dtype", TYPES)
def test_pairs_of_any_integer_type_mean_the_same(dtype):
    network = built("seq2seq")
    source, targets, lengths = (
        torch.tensor([[1, 3], [2, 0]]),
        torch.tensor([[2, 1, 0], [1, 0, 0]]),
        torch.tensor([2, 1]),
    )
    expected, _ = network(Pairs(source=source, source_lengths=lengths, given=given_for(targets)), lengths=[3, 2])
    small = Pairs(source=source.to(dtype), source_lengths=lengths.to(dtype), given=given_for(targets.to(dtype)))
    equal(network(small, lengths=torch.tensor([3, 2]).to(dtype))[0], expected)
    state = network.begin(source.to(dtype), lengths.to(dtype))
    equal(network.step(torch.tensor([0, 0]).to(dtype), state)[0], expected[:, 0])


@pytest.mark.parametrize("name", TREES)
def test_trees_of_any_integer_type_mean_the_same(name):
    network = built(name)
    words, children = torch.tensor([[1, 3, -1], [2, -1, -1]]), torch.full((2, 3, 2), -1)
    children[0, 2] = torch.tensor([0, 1])
    expected, _ = network(Trees(words=words, children=children), lengths=[3, 1])
    for dtype in (torch.int8, torch.int16, torch.int32):
        trees = Trees(words=words.to(dtype), children=children.to(dtype))
        equal(network(trees, lengths=torch.tensor([3, 1]).to(dtype))[0], expected)


@pytest.mark.parametrize("dtype", TYPES)
def test_the_last_step_is_found_by_lengths_of_any_integer_type(dtype):
    ys = torch.arange(12.0).reshape(3, 4, 1)
    assert ops.last_step(ys, torch.tensor([0, 4, 1]).to(dtype)).flatten().tolist() == [0.0, 7.0, 8.0]


def test_the_lengths_of_the_last_step_are_checked(shapes_unchecked):
    with pytest.raises(ValueError, match=r"a length is 5, but every length must lie in 0\.\.4"):
        ops.last_step(torch.zeros(3, 4, 1), [5, 4, 1])
    with pytest.raises(TypeError, match=r"lengths are torch\.float32, but they are numbers of steps; pass integers"):
        ops.last_step(torch.zeros(3, 4, 1), torch.ones(3))


@pytest.mark.parametrize("dtype", TYPES)
def test_a_batch_of_any_integer_type_is_cut_and_scored(dtype):
    targets, mask = torch.tensor([[1, 2, 0, 0], [2, 1, 1, 2]]), torch.tensor([[1, 1, 0, 0], [1, 1, 1, 1]]).bool()
    lengths = torch.tensor([2, 4])
    batch = SequenceBatch(inputs=targets.to(dtype), targets=targets.to(dtype), mask=mask, lengths=lengths.to(dtype))
    assert batch.steps(3, 4).lengths.tolist() == [0, 1]
    wide = SequenceBatch(inputs=targets, targets=targets, mask=mask, lengths=lengths)
    logits = torch.randn(2, 4, 3)
    assert class_sums(logits, batch) == class_sums(logits, wide)


def test_a_mask_of_integers_is_refused(shapes_unchecked):
    row = torch.tensor([[1, 0]])
    with pytest.raises(
        TypeError, match=r"the mask is torch\.int64, but it must be one boolean for each step; pass a bool"
    ):
        SequenceBatch(inputs=row, targets=row, mask=row, lengths=torch.tensor([2]))


def test_scalars_of_numpy_are_arguments_and_are_recorded_as_plain_numbers(tmp_path):
    network = GRU(np.int64(4), np.uint8(3), hidden_size=np.int32(5), layers=1, dropout=np.float64(0.25))
    assert network.configuration | {"hidden_size": 5, "dropout": 0.25} == network.configuration
    assert type(network.configuration["hidden_size"]) is int
    network.save_pretrained(tmp_path / "net")
    assert GRU.from_pretrained(tmp_path / "net").configuration == network.configuration
