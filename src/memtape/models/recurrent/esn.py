"""Echo state: a fixed random reservoir, and a readout fitted by ridge regression or gradient descent."""

from typing import Any

from jaxtyping import Float, Integer
from torch import Tensor

from memtape.cells import ConcatenatedInput, EchoStateCell, Embedded, Readout
from memtape.core import checks
from memtape.core.card import ModelCard
from memtape.core.cell import AnyCell
from memtape.core.integers import Lengths
from memtape.core.recurrent import Recurrent, runs
from memtape.core.symbols import vectors_of
from memtape.core.unroll import unroll
from memtape.sharing.shareable import Shareable


def echo_state_network(
    input_size: int,
    output_size: int,
    *,
    hidden_size: int = 300,
    radius: float = 0.9,
    leak: float = 1.0,
    input_scale: float = 1.0,
    density: float = 0.1,
    embedding_size: int | None = None,
) -> AnyCell:
    """Build a reservoir with a linear readout of the reservoir and the input.

    Args:
        input_size: size of one input vector, or number of symbols.
        output_size: size of one output vector.
        hidden_size: number of units of the reservoir.
        radius: spectral radius of the reservoir's weights.
        leak: fraction of a unit's value that is replaced in each step.
        input_scale: scale of the input weights.
        density: fraction of nonzero recurrent weights.
        embedding_size: size of the fixed random embeddings of symbols; none for one-hot vectors.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1, or another number is out of range.

    References:
        Jaeger (2001), "The echo state approach to analysing and training recurrent neural networks", GMD report 148.
    """
    checks.at_least(1, input_size=input_size, output_size=output_size)
    if embedding_size is not None:
        checks.at_least(1, embedding_size=embedding_size)
    reservoir = EchoStateCell(
        embedding_size or input_size, hidden_size, radius=radius, leak=leak, input_scale=input_scale, density=density
    )
    network = Readout(ConcatenatedInput(reservoir), output_size)
    return network if embedding_size is None else Embedded(network, input_size, learned=False)


class EchoState(Recurrent[Any], Shareable):
    """Run an echo state network over sequences; the arguments are those of `echo_state_network`."""

    __init__ = runs(echo_state_network)

    def features(
        self, xs: Float[Tensor, "batch time input"] | Integer[Tensor, "batch time"], *, lengths: Lengths
    ) -> Float[Tensor, "batch time feature"]:
        """Return the inputs of the readout: the inputs and the reservoir."""
        cell, vectors = vectors_of(self.cell, xs, lengths)
        readout: Any = cell
        seen, _, _ = unroll(readout.cell, vectors, lengths=lengths)
        return seen

    def set_readout(self, weights: Float[Tensor, "feature output"], bias: Float[Tensor, " output"]) -> None:
        """Set the weights of the readout, such as those of ridge regression."""
        readout: Any = self.cell.cell if isinstance(self.cell, Embedded) else self.cell
        readout.to_output.weight.data.copy_(weights.T)
        readout.to_output.bias.data.copy_(bias)


CARD = ModelCard(
    name="esn",
    summary="Echo state network: a fixed random reservoir under a readout that is learned.",
    paper=("jaeger2001",),
    inputs=("sequences",),
    small={"hidden_size": 8},
)
