"""Bidirectional GRU: layers of gated recurrent units that read from both ends."""

from typing import Literal

from memtape.cells import GRUCell
from memtape.core.card import ModelCard
from memtape.models.recurrent.bidirectional import BothWays
from memtape.sharing.shareable import constructor_arguments


class BiGRU(BothWays):
    r"""Read sequences from both ends by layers of GRU cells.

    $$y_t = V [h_t; g_t] + c$$

    with the hidden vectors $h$ of the way there and $g$ of the way back of the top layer.

    Args:
        input_size: size of one input vector, or number of symbols.
        output_size: size of one output vector; outputs are logits.
        hidden_size: number of units of each direction of each layer.
        layers: number of layers.
        summary: what the readout sees: each step, or at all steps the same: where both directions came out, or the mean or the
            largest values over all steps.
        embedding_size: size of learned vectors that stand for symbols; none for one-hot vectors.
        dropout: probability that a number on its way between layers or under the readout is dropped in training.

    Raises:
        TypeError: a size that is no whole number.
        ValueError: a size below 1, or an unknown summary.

    References:
        Schuster & Paliwal (1997), "Bidirectional recurrent neural networks", IEEE Transactions on Signal Processing 45,
        doi:10.1109/78.650093; Graves & Schmidhuber (2005), "Framewise phoneme classification with bidirectional LSTM and
        other neural network architectures", Neural Networks 18, doi:10.1016/j.neunet.2005.06.042.
    """

    def __init__(
        self,
        input_size: int,
        output_size: int,
        *,
        hidden_size: int = 128,
        layers: int = 1,
        summary: Literal["steps", "ends", "mean", "max"] = "steps",
        embedding_size: int | None = None,
        dropout: float = 0.0,
    ):
        super().__init__(GRUCell, constructor_arguments(locals()))


CARD = ModelCard(
    name="bigru",
    summary="Layers of gated recurrent units that read from both ends.",
    paper=("schuster1997",),
    inputs=("sequences",),
    small={"hidden_size": 8},
)
