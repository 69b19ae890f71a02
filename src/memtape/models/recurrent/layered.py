"""Layered: recurrent cells on top of each other, from symbols or vectors below to a readout above."""

from collections.abc import Callable

from memtape.cells import Embedded, Readout, Stacked, VariationalDropout
from memtape.core import checks
from memtape.core.cell import AnyCell


def layered(
    make: Callable[[int], AnyCell],
    input_size: int,
    output_size: int,
    *,
    layers: int,
    embedding_size: int | None,
    dropout: float,
) -> AnyCell:
    """Build the cell of a network: an embedding of its input if it is to have one, layers, and a linear readout.

    Args:
        make: makes a layer for inputs of a size.
        input_size: size of one input vector, or number of symbols.
        output_size: size of one output vector.
        layers: number of layers.
        embedding_size: size of the learned vectors that stand for symbols; None hands inputs on as they are.
        dropout: probability that a component of what a layer hands on is dropped, the same for all steps of a sequence.

    Raises:
        TypeError: a size that is no whole number.
        ValueError: a size below 1, or a dropout outside 0..1.
    """
    checks.at_least(1, input_size=input_size, output_size=output_size, layers=layers)
    if embedding_size is not None:
        checks.at_least(1, embedding_size=embedding_size)
    cells: list[AnyCell] = []
    size = embedding_size or input_size
    for _ in range(layers):
        cell = make(size)
        cells.append(VariationalDropout(cell, outputs=dropout) if dropout else cell)
        size = cell.output_size
    network = Readout(Stacked(cells) if layers > 1 else cells[0], output_size)
    return network if embedding_size is None else Embedded(network, input_size)
