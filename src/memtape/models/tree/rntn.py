"""Recursive neural tensor network: children that meet in products, folded over trees of words."""

from memtape.cells.tree import RNTNCell
from memtape.core.card import ModelCard
from memtape.models.tree.folded import Folded
from memtape.sharing.shareable import constructor_arguments


class RNTN(Folded):
    """A recursive neural tensor network that labels every node of a binary tree; the vectors of words are its leaves.

    Args:
        input_size: number of symbols.
        output_size: size of the output of a node, such as the number of classes; outputs are logits.
        hidden_size: size of a node's hidden vector, and of a word's vector; the tensor has four times its cube of weights.
        embedding_spread: the vectors of words begin uniformly within so much of 0.
        dropout: share of the hidden numbers that the readout does without in training.
        gain: how far the initial weights spread, 1 being usual.

    Raises:
        TypeError: a size that is no whole number.
        ValueError: a size below 1, a spread that is not above 0, or a share outside 0..1.

    References:
        Socher et al. (2013), "Recursive deep models for semantic compositionality over a sentiment treebank", EMNLP.
    """

    def __init__(
        self,
        input_size: int,
        output_size: int,
        *,
        hidden_size: int = 30,
        embedding_spread: float = 0.05,
        dropout: float = 0.0,
        gain: float = 1.0,
    ):
        configuration = constructor_arguments(locals())
        cell = RNTNCell(hidden_size, gain=gain)
        super().__init__(cell, input_size, output_size, embedding_spread=embedding_spread, dropout=dropout)
        self.configuration = configuration


CARD = ModelCard(
    name="rntn",
    summary="Recursive neural tensor network over trees, whose children meet in products.",
    paper=("socher2013",),
    inputs=("trees",),
    small={"hidden_size": 8},
)
