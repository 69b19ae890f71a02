"""LRU: blocks of linear recurrent units, and a readout."""

from typing import Any

from memtape.cells import Embedded, GatedLinearCell, LRUCell, Readout, Residual, Stacked, VariationalDropout
from memtape.core import checks
from memtape.core.card import ModelCard
from memtape.core.cell import AnyCell
from memtape.core.recurrent import Recurrent, runs
from memtape.sharing.shareable import Shareable


def lru_network(
    input_size: int,
    output_size: int,
    *,
    hidden_size: int = 128,
    embedding_size: int = 128,
    layers: int = 1,
    min_radius: float = 0.0,
    max_radius: float = 1.0,
    max_phase: float = 6.283,
    dropout: float = 0.0,
) -> AnyCell:
    """Build a network of residual blocks, each of a linear recurrent unit and a gated linear unit.

    The blocks are those of the paper without normalisation.

    Args:
        input_size: size of one input vector, or number of symbols.
        output_size: size of one output vector; outputs are logits.
        hidden_size: number of complex units of each block.
        embedding_size: size of the learned embeddings of symbols or of the linear map of input vectors; also the width
            of the blocks.
        layers: number of blocks.
        min_radius: inner radius of the ring from which the initial eigenvalues are drawn.
        max_radius: outer radius of the ring; the closer to 1, the longer the memory of the units.
        max_phase: largest initial angle of an eigenvalue, in radians.
        dropout: in training, the probability that an entry of a block's output is dropped before it is added to the
            input, the same entries at all steps of a sequence.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1, the radii are not 0 <= min_radius < max_radius <= 1, the phase is not above 0 and
            at most 2 pi, or the dropout is outside 0..1.

    References:
        Orvieto et al. (2023), "Resurrecting recurrent neural networks for long sequences", arXiv:2303.06349, section 3.
    """
    checks.at_least(1, input_size=input_size, output_size=output_size, embedding_size=embedding_size, layers=layers)

    def block() -> AnyCell:
        units = LRUCell(embedding_size, hidden_size, min_radius=min_radius, max_radius=max_radius, max_phase=max_phase)
        inner: AnyCell = Stacked([units, GatedLinearCell(embedding_size, embedding_size)])
        return Residual(VariationalDropout(inner, outputs=dropout) if dropout else inner)

    blocks = [block() for _ in range(layers)]
    return Embedded(Readout(Stacked(blocks) if layers > 1 else blocks[0], output_size), input_size)


class LRU(Recurrent[Any], Shareable):
    """Run blocks of linear recurrent units over sequences; the arguments are those of `lru_network`."""

    __init__ = runs(lru_network)


CARD = ModelCard(
    name="lru",
    summary="Linear recurrent units: complex diagonal recurrence, computed in parallel over time.",
    paper=("orvieto2023",),
    inputs=("sequences",),
    small={"hidden_size": 8, "embedding_size": 8},
)
