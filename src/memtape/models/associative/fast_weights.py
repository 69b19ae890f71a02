"""Fast weights: a recurrent network that attends to its recent past through a matrix that it writes itself."""

from typing import Any, Literal

from memtape.cells import Embedded, FastWeightsCell, FeedforwardCell, Readout, Stacked
from memtape.core import checks
from memtape.core.card import ModelCard
from memtape.core.cell import AnyCell
from memtape.core.recurrent import Recurrent, runs
from memtape.sharing.shareable import Shareable


def fast_weights_network(
    input_size: int,
    output_size: int,
    *,
    hidden_size: int = 50,
    decay: float = 0.95,
    rate: float = 0.5,
    inner_steps: int = 1,
    layer_norm: bool = True,
    activation: Literal["tanh", "relu", "sigmoid"] = "relu",
    embedding_size: int | None = None,
    readout_size: int | None = None,
) -> AnyCell:
    """Build a network with a `FastWeightsCell`, an optional embedding, and a readout with an optional layer of units.

    Args:
        input_size: size of one input vector, or number of symbols.
        output_size: size of one output vector; outputs are logits.
        hidden_size: number of hidden units.
        decay: factor by which the fast weights are multiplied at each step.
        rate: factor of new outer products of hidden vectors; 0 leaves a network without fast weights.
        inner_steps: number of steps of the inner loop.
        layer_norm: normalise the sum in the inner loop.
        activation: the activation function of the hidden units.
        embedding_size: size of the learned embeddings of symbols or of the linear map of input vectors; None for no
            embedding.
        readout_size: number of rectified linear units between the hidden vector and the outputs; None for no such layer.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1, the decay is outside 0..1, the rate is negative, or the activation is unknown.

    References:
        Ba, Hinton, Mnih, Leibo & Ionescu (2016), "Using fast weights to attend to the recent past", arXiv:1610.06258.
    """
    sizes = {"embedding_size": embedding_size, "readout_size": readout_size}
    checks.at_least(1, input_size=input_size, output_size=output_size)
    checks.at_least(1, **{name: size for name, size in sizes.items() if size is not None})
    cell: AnyCell = FastWeightsCell(
        embedding_size or input_size,
        hidden_size,
        decay=decay,
        rate=rate,
        inner_steps=inner_steps,
        layer_norm=layer_norm,
        activation=activation,
    )
    if readout_size is not None:
        cell = Stacked([cell, FeedforwardCell(hidden_size, readout_size, activation="relu")])
    network = Readout(cell, output_size)
    return network if embedding_size is None else Embedded(network, input_size)


class FastWeights(Recurrent[Any], Shareable):
    """Run a network with fast weights over sequences; the arguments are those of `fast_weights_network`.

    Example:
        >>> import torch
        >>> from memtape import FastWeights
        >>> ys, state = FastWeights(input_size=5, output_size=3, hidden_size=4)(torch.zeros(2, 7, 5))
        >>> ys.shape, state.fast.shape
        (torch.Size([2, 7, 3]), torch.Size([2, 4, 4]))
    """

    __init__ = runs(fast_weights_network)


CARD = ModelCard(
    name="fast-weights",
    summary="A recurrent network whose fast weights store its recent hidden vectors.",
    paper=("ba2016",),
    inputs=("sequences",),
    small={"hidden_size": 4, "embedding_size": 3, "readout_size": 5},
)
