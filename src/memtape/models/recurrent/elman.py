"""Elman: layers of plain recurrent units, and a readout."""

from typing import Any, Literal

from memtape.cells import ElmanCell
from memtape.core.card import ModelCard
from memtape.core.cell import AnyCell
from memtape.core.recurrent import Recurrent, runs
from memtape.models.recurrent.layered import layered
from memtape.sharing.shareable import Shareable


def elman_network(
    input_size: int,
    output_size: int,
    *,
    hidden_size: int = 128,
    activation: Literal["tanh", "relu"] = "tanh",
    initial: Literal["uniform", "orthogonal", "identity"] = "uniform",
    gain: float = 1.0,
    layers: int = 1,
    embedding_size: int | None = None,
    dropout: float = 0.0,
) -> AnyCell:
    """Build a network of layers of plain recurrent units.

    Args:
        input_size: size of one input vector, or number of symbols.
        output_size: size of one output vector; outputs are logits.
        hidden_size: number of units of each layer.
        activation: activation function of the units.
        initial: initialisation of the recurrent matrix; "identity" with rectified units is the IRNN of Le et al.
        gain: scale of the initial weights, in units of one over the square root of the hidden size.
        layers: number of layers.
        embedding_size: size of the learned embeddings of symbols; none for one-hot vectors.
        dropout: in training, the probability that an entry of a layer's output is dropped, the same entries at all
            steps of a sequence.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1, or a choice is unknown.

    References:
        Elman (1990), "Finding structure in time", Cognitive Science 14, doi:10.1207/s15516709cog1402_1; Le, Jaitly & Hinton
        (2015), "A simple way to initialize recurrent networks of rectified linear units", arXiv:1504.00941.
    """
    return layered(
        lambda size: ElmanCell(size, hidden_size, activation=activation, initial=initial, gain=gain),
        input_size,
        output_size,
        layers=layers,
        embedding_size=embedding_size,
        dropout=dropout,
    )


class Elman(Recurrent[Any], Shareable):
    """Run layers of plain recurrent units over sequences; the arguments are those of `elman_network`."""

    __init__ = runs(elman_network)


CARD = ModelCard(
    name="elman",
    summary="Plain recurrent network: layers of units with recurrent connections over one step.",
    paper=("elman1990",),
    inputs=("sequences",),
    small={"hidden_size": 8},
)
