"""Clockwork: layers of plain units with different update rates, and a readout."""

from typing import Any

from memtape.cells import ClockworkCell
from memtape.core.card import ModelCard
from memtape.core.cell import AnyCell
from memtape.core.recurrent import Recurrent, runs
from memtape.models.recurrent.layered import layered
from memtape.sharing.shareable import Shareable


def clockwork_network(
    input_size: int,
    output_size: int,
    *,
    hidden_size: int = 128,
    groups: int = 8,
    layers: int = 1,
    embedding_size: int | None = None,
    dropout: float = 0.0,
) -> AnyCell:
    """Build a network of layers of plain units in groups, each with its own update rate.

    Args:
        input_size: size of one input vector, or number of symbols.
        output_size: size of one output vector; outputs are logits.
        hidden_size: number of units of each layer.
        groups: number of groups of each layer; the periods are the powers of two.
        layers: number of layers.
        embedding_size: size of the learned embeddings of symbols; none for one-hot vectors.
        dropout: in training, the probability that an entry of a layer's output is dropped, the same entries at all
            steps of a sequence.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1, or the number of units is not divisible by the number of groups.

    References:
        Koutnik, Greff, Gomez & Schmidhuber (2014), "A clockwork RNN", arXiv:1402.3511.
    """
    return layered(
        lambda size: ClockworkCell(size, hidden_size, groups=groups),
        input_size,
        output_size,
        layers=layers,
        embedding_size=embedding_size,
        dropout=dropout,
    )


class Clockwork(Recurrent[Any], Shareable):
    """Run a clockwork network over sequences; the arguments are those of `clockwork_network`."""

    __init__ = runs(clockwork_network)


CARD = ModelCard(
    name="clockwork",
    summary="Clockwork RNN: groups of plain units, each updated at its own rate.",
    paper=("koutnik2014",),
    inputs=("sequences",),
    small={"hidden_size": 8, "groups": 2},
)
