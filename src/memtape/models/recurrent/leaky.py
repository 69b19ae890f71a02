"""Leaky: layers of leaky units, and a readout."""

from typing import Any, Literal

from memtape.cells import LeakyCell
from memtape.core.card import ModelCard
from memtape.core.cell import AnyCell
from memtape.core.recurrent import Recurrent, runs
from memtape.models.recurrent.layered import layered
from memtape.sharing.shareable import Shareable


def leaky_network(
    input_size: int,
    output_size: int,
    *,
    hidden_size: int = 128,
    recurrence: Literal["full", "linear"] = "full",
    time_constants: Literal["fixed", "learned"] = "fixed",
    longest: float = 100.0,
    activation: Literal["tanh", "relu"] = "tanh",
    layers: int = 1,
    embedding_size: int | None = None,
    dropout: float = 0.0,
) -> AnyCell:
    """Build a network of layers of leaky units, each with its own time constant.

    Args:
        input_size: size of one input vector, or number of symbols.
        output_size: size of one output vector; outputs are logits.
        hidden_size: number of units of each layer.
        recurrence: "full" connects all units of a layer; "linear" units are connected only to themselves, and run in
            parallel over time.
        time_constants: whether the time constants are fixed or learned.
        longest: the longest initial time constant, in steps.
        activation: activation function of the units.
        layers: number of layers.
        embedding_size: size of the learned embeddings of symbols; none for one-hot vectors.
        dropout: in training, the probability that an entry of a layer's output is dropped, the same entries at all
            steps of a sequence.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size or the longest time constant is below 1, or a choice is unknown.

    References:
        Mozer (1992), "Induction of multiscale temporal structure", NIPS 4; Goodfellow, Bengio & Courville (2016), "Deep
        Learning", section 10.9.2.
    """
    return layered(
        lambda size: LeakyCell(
            size,
            hidden_size,
            recurrence=recurrence,
            time_constants=time_constants,
            longest=longest,
            activation=activation,
        ),
        input_size,
        output_size,
        layers=layers,
        embedding_size=embedding_size,
        dropout=dropout,
    )


class Leaky(Recurrent[Any], Shareable):
    """Run layers of leaky units over sequences; the arguments are those of `leaky_network`."""

    __init__ = runs(leaky_network)


CARD = ModelCard(
    name="leaky",
    summary="Layers of leaky units, each with its own time constant, fixed or learned.",
    paper=("mozer1992",),
    inputs=("sequences",),
    small={"hidden_size": 8},
)
