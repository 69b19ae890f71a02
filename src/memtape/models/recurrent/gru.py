"""GRU: layers of gated recurrent units with a readout."""

from typing import Any, Literal

from memtape.cells import Delayed, GRUCell
from memtape.core.card import ModelCard
from memtape.core.cell import AnyCell
from memtape.core.recurrent import Recurrent, runs
from memtape.models.recurrent.layered import layered
from memtape.sharing.shareable import Shareable


def gru_network(
    input_size: int,
    output_size: int,
    *,
    hidden_size: int = 128,
    variant: Literal["reset_after", "reset_before", "book"] = "reset_after",
    layer_norm: bool = False,
    update_bias: float = 0.0,
    layers: int = 1,
    embedding_size: int | None = None,
    dropout: float = 0.0,
) -> AnyCell:
    """Build a network of layers of gated recurrent units.

    Args:
        input_size: size of one input vector, or number of symbols.
        output_size: size of one output vector; outputs are logits.
        hidden_size: number of units of each layer.
        variant: where the reset gate acts: after the product with the hidden vector as libraries have it, before it, or as the
            textbook prints it, before it with a sigmoid in the place of tanh and every input one step late.
        layer_norm: normalise what the gates are made of.
        update_bias: where the bias of the update gate begins; the larger it is, the longer a unit keeps what it has.
        layers: number of layers.
        embedding_size: size of learned vectors that stand for symbols; none for one-hot vectors.
        dropout: probability that a component of what a layer hands on is dropped, the same for all steps of a sequence.

    Raises:
        TypeError: a size that is no whole number.
        ValueError: a size below 1, or an unknown variant.

    References:
        Cho et al. (2014), "Learning phrase representations using RNN encoder-decoder", arXiv:1406.1078, section 2.3.
    """

    def cell(size: int) -> AnyCell:
        if variant == "book":
            return Delayed(
                GRUCell(
                    size,
                    hidden_size,
                    variant="reset_before",
                    candidate="sigmoid",
                    layer_norm=layer_norm,
                    update_bias=update_bias,
                )
            )
        return GRUCell(size, hidden_size, variant=variant, layer_norm=layer_norm, update_bias=update_bias)

    return layered(
        cell,
        input_size,
        output_size,
        layers=layers,
        embedding_size=embedding_size,
        dropout=dropout,
    )


class GRU(Recurrent[Any], Shareable):
    """Layers of gated recurrent units, run over sequences; the arguments are those of `gru_network`."""

    __init__ = runs(gru_network)


CARD = ModelCard(
    name="gru",
    summary="Layers of gated recurrent units, in the three published forms.",
    paper=("cho2014",),
    inputs=("sequences",),
    small={"hidden_size": 8},
)
