"""LRU: blocks of linear recurrent units with a readout."""

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
    """Build a network of blocks, each a linear recurrent unit and a gated map of its outputs, added to the block's input.

    The blocks are those of the paper without their normalisation.

    Args:
        input_size: size of one input vector, or number of symbols.
        output_size: size of one output vector; outputs are logits.
        hidden_size: number of complex units of each block.
        embedding_size: size of the learned vectors that stand for symbols, or of the linear map of input vectors; the blocks
            are as wide.
        layers: number of blocks.
        min_radius: inner radius of the ring that the eigenvalues are drawn from.
        max_radius: its outer radius; the closer to 1, the longer the units remember.
        max_phase: the largest angle of an eigenvalue, in radians.
        dropout: probability that a component of what a block adds is dropped, the same for all steps of a sequence.

    Raises:
        TypeError: a size that is no whole number.
        ValueError: a size below 1, radii that are not 0 <= min_radius < max_radius <= 1, a phase outside 0..2 pi or of 0, or a
            dropout outside 0..1.

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
    """Blocks of linear recurrent units, run over sequences; the arguments are those of `lru_network`."""

    __init__ = runs(lru_network)


CARD = ModelCard(
    name="lru",
    summary="Linear recurrent units: complex units that decay and rotate, in parallel over time.",
    paper=("orvieto2023",),
    inputs=("sequences",),
    small={"hidden_size": 8, "embedding_size": 8},
)
