"""Elman: layers of plain recurrent units with a readout."""

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
    """Build a network of layers of plain recurrent units, whose hidden vectors feed back on themselves.

    Args:
        input_size: size of one input vector, or number of symbols.
        output_size: size of one output vector; outputs are logits.
        hidden_size: number of units of each layer.
        activation: what the units compute.
        initial: how the recurrent matrix begins: "identity", with rectified units, is the IRNN of Le et al.
        gain: how far the initial weights spread, in units of one over the square root of the hidden size.
        layers: number of layers.
        embedding_size: size of learned vectors that stand for symbols; none for one-hot vectors.
        dropout: probability that a component of what a layer hands on is dropped, the same for all steps of a sequence.

    Raises:
        TypeError: a size that is no whole number.
        ValueError: a size below 1, or an unknown choice.

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
    """Layers of plain recurrent units, run over sequences; the arguments are those of `elman_network`."""

    __init__ = runs(elman_network)


CARD = ModelCard(
    name="elman",
    summary="Plain recurrent network: layers of units that see their own values of the step before.",
    paper=("elman1990",),
    inputs=("sequences",),
    small={"hidden_size": 8},
)
