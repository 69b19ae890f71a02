"""Skip: layers of plain units with connections over many steps, and a readout."""

from typing import Any, Literal

from memtape.cells import SkipCell
from memtape.core.card import ModelCard
from memtape.core.cell import AnyCell
from memtape.core.recurrent import Recurrent, runs
from memtape.models.recurrent.layered import layered
from memtape.sharing.shareable import Shareable


def skip_network(
    input_size: int,
    output_size: int,
    *,
    hidden_size: int = 128,
    delay: int = 10,
    keep_short: bool = True,
    activation: Literal["tanh", "relu"] = "tanh",
    layers: int = 1,
    embedding_size: int | None = None,
    dropout: float = 0.0,
) -> AnyCell:
    """Build a network of layers of plain units with recurrent connections over several steps.

    Args:
        input_size: size of one input vector, or number of symbols.
        output_size: size of one output vector; outputs are logits.
        hidden_size: number of units of each layer.
        delay: number of steps that a connection spans.
        keep_short: also have connections over one step.
        activation: activation function of the units.
        layers: number of layers.
        embedding_size: size of the learned embeddings of symbols; none for one-hot vectors.
        dropout: in training, the probability that an entry of a layer's output is dropped, the same entries at all
            steps of a sequence.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size or the delay is below 1, or the activation is unknown.

    References:
        Lin, Horne, Tino & Giles (1996), "Learning long-term dependencies in NARX recurrent neural networks", IEEE
        Transactions on Neural Networks 7, doi:10.1109/72.548162.
    """
    return layered(
        lambda size: SkipCell(size, hidden_size, delay=delay, keep_short=keep_short, activation=activation),
        input_size,
        output_size,
        layers=layers,
        embedding_size=embedding_size,
        dropout=dropout,
    )


class Skip(Recurrent[Any], Shareable):
    """Run layers of units with skip connections over time; the arguments are those of `skip_network`."""

    __init__ = runs(skip_network)


CARD = ModelCard(
    name="skip",
    summary="Plain units with recurrent connections over several steps, with or without those over one step.",
    paper=("lin1996",),
    inputs=("sequences",),
    small={"hidden_size": 8, "delay": 2},
)
