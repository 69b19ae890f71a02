"""GRU: layers of gated recurrent units, and a readout."""

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
        variant: where the reset gate is applied: after the product with the hidden vector, as in libraries; before it;
            or book, as in the textbook: before it, with a sigmoid instead of tanh and every input delayed by one step.
        layer_norm: apply layer normalisation to the inputs of the gates.
        update_bias: initial bias of the update gate; the larger it is, the longer a unit keeps its value.
        layers: number of layers.
        embedding_size: size of the learned embeddings of symbols; none for one-hot vectors.
        dropout: in training, the probability that an entry of a layer's output is dropped, the same entries at all
            steps of a sequence.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1, or the variant is unknown.

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
    """Run layers of gated recurrent units over sequences; the arguments are those of `gru_network`."""

    __init__ = runs(gru_network)


CARD = ModelCard(
    name="gru",
    summary="Layers of gated recurrent units, in the three published forms.",
    paper=("cho2014",),
    inputs=("sequences",),
    small={"hidden_size": 8},
)
