"""Symbols have the same effect as one-hot vectors in every network that reads them."""

import pytest
import torch

from memtape import Recurrent, unroll
from memtape.cells import Embedded, GRUCell, Readout
from memtape.core.symbols import are_symbols

SYMBOLS = torch.tensor([[3, 0, 2], [1, 1, 4]])


def one_hot(symbols, count):
    vectors = torch.zeros(*symbols.shape, count, dtype=torch.float64)
    for row, steps in enumerate(symbols.tolist()):
        for step, symbol in enumerate(steps):
            vectors[row, step, symbol] = 1
    return vectors


@pytest.mark.parametrize(
    ("inputs", "are"),
    [
        (torch.zeros(2, 3, dtype=torch.long), True),
        (torch.zeros(2, 3, dtype=torch.uint8), True),
        (torch.zeros(2, 3), False),
        (torch.zeros(2, 3, dtype=torch.complex128), False),
        (torch.zeros(2, 3, dtype=torch.bool), False),
        (torch.zeros(2, 3, 4, dtype=torch.long), False),
        ("text", False),
    ],
)
def test_symbols_are_integers_of_shape_batch_by_time(inputs, are):
    assert are_symbols(inputs) is are


@pytest.mark.parametrize("build", [lambda: GRUCell(5, 4), lambda: Embedded(Readout(GRUCell(3, 4), 2), 5)])
def test_symbols_and_their_one_hot_vectors_give_the_same_outputs(build):
    torch.manual_seed(0)
    cell = build().double()
    lengths = torch.tensor([3, 2])
    ys, state, _ = unroll(cell, SYMBOLS, lengths=lengths)
    expected, last, _ = unroll(cell, one_hot(SYMBOLS, 5), lengths=lengths)
    torch.testing.assert_close(ys, expected, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(state.hidden, last.hidden, rtol=1e-12, atol=1e-12)
    gradients = [torch.autograd.grad(out.sum(), list(cell.parameters())) for out in (ys, expected)]
    torch.testing.assert_close(*gradients, rtol=1e-10, atol=1e-12)


def test_the_vectors_of_an_embedding_are_the_rows_of_its_table():
    torch.manual_seed(0)
    embedded = Embedded(GRUCell(3, 4), 5)
    inner, vectors = embedded.read(SYMBOLS)
    assert inner is embedded.cell
    assert torch.equal(vectors[0, 0], embedded.table[3])


@pytest.mark.parametrize(("symbol", "place"), [(5, r"\(1, 2\) is 5"), (-1, r"\(1, 2\) is -1")])
def test_an_unknown_symbol_is_named_with_its_place(symbol, place):
    symbols = SYMBOLS.clone()
    symbols[1, 2] = symbol
    message = rf"the symbol at \(row, step\) {place}, but GRUCell reads the symbols 0\.\.4; use the vocabulary"
    with pytest.raises(ValueError, match=message):
        Recurrent(GRUCell(5, 4))(symbols)


def test_an_embedding_has_at_least_one_symbol():
    with pytest.raises(ValueError, match="symbols of Embedded is 0, but it must be at least 1; give a larger symbols"):
        Embedded(GRUCell(3, 4), 0)
