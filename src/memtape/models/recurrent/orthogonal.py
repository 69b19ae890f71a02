"""Orthogonal: layers of units with an orthogonal recurrent matrix, and a readout."""

from typing import Any

from memtape.cells import OrthogonalCell
from memtape.core.card import ModelCard
from memtape.core.cell import AnyCell
from memtape.core.recurrent import Recurrent, runs
from memtape.models.recurrent.layered import layered
from memtape.sharing.shareable import Shareable


def orthogonal_network(
    input_size: int,
    output_size: int,
    *,
    hidden_size: int = 128,
    gain: float = 1.0,
    layers: int = 1,
    embedding_size: int | None = None,
    dropout: float = 0.0,
) -> AnyCell:
    """Build a network of layers of plain units whose recurrent matrix stays orthogonal in training.

    Args:
        input_size: size of one input vector, or number of symbols.
        output_size: size of one output vector; outputs are logits.
        hidden_size: number of units of each layer.
        gain: scale of the initial input weights, in units of one over the square root of the hidden size.
        layers: number of layers.
        embedding_size: size of the learned embeddings of symbols; none for one-hot vectors.
        dropout: in training, the probability that an entry of a layer's output is dropped, the same entries at all
            steps of a sequence.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1.

    References:
        Lezcano-Casado & Martinez-Rubio (2019), "Cheap orthogonal constraints in neural networks", arXiv:1901.08428.
    """
    return layered(
        lambda size: OrthogonalCell(size, hidden_size, gain=gain),
        input_size,
        output_size,
        layers=layers,
        embedding_size=embedding_size,
        dropout=dropout,
    )


class Orthogonal(Recurrent[Any], Shareable):
    """Run layers of orthogonal units over sequences; the arguments are those of `orthogonal_network`."""

    __init__ = runs(orthogonal_network)


CARD = ModelCard(
    name="orthogonal",
    summary="Plain units with a recurrent matrix that stays orthogonal in training.",
    paper=("lezcano2019",),
    inputs=("sequences",),
    small={"hidden_size": 8},
)
