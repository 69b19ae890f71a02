"""Bidirectional GRU: layers of gated recurrent units in both directions, and a readout."""

from typing import Literal

from memtape.cells import GRUCell
from memtape.core.card import ModelCard
from memtape.models.recurrent.bidirectional import BothWays
from memtape.sharing.shareable import constructor_arguments


class BiGRU(BothWays):
    r"""Run bidirectional layers of GRU cells over sequences.

    $$y_t = V [h_t; g_t] + c$$

    with the hidden vectors $h$ of the forward and $g$ of the backward direction of the top layer.

    Args:
        input_size: size of one input vector, or number of symbols.
        output_size: size of one output vector; outputs are logits.
        hidden_size: number of units of each direction of each layer.
        layers: number of layers.
        summary: input of the readout: the hidden vectors of each step, or the same vector at all steps: the last hidden
            vectors of both directions, or the mean or the maximum over all steps.
        embedding_size: size of the learned embeddings of symbols; none for one-hot vectors.
        dropout: in training, the probability that an entry between two layers or before the readout is dropped.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1, or the summary is unknown.

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
    summary="Bidirectional layers of gated recurrent units with a linear readout.",
    paper=("schuster1997",),
    inputs=("sequences",),
    small={"hidden_size": 8},
)
