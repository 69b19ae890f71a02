"""Layered: stack recurrent cells between an optional embedding and a readout."""

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
    """Build the cell of a network: an optional embedding of the input, layers, and a linear readout.

    Args:
        make: returns a layer for an input size.
        input_size: size of one input vector, or number of symbols.
        output_size: size of one output vector.
        layers: number of layers.
        embedding_size: size of the learned embeddings of symbols; None for no embedding.
        dropout: in training, the probability that an entry of a layer's output is dropped, the same entries at all
            steps of a sequence.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1, or the dropout is outside 0..1.
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
