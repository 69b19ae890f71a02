"""Recursive network: one layer, the same at every node, which labels every node of a tree of words."""

from memtape.cells.tree import RecursiveCell
from memtape.core.card import ModelCard
from memtape.models.tree.folded import Folded
from memtape.sharing.shareable import constructor_arguments


class Recursive(Folded):
    """A plain recursive network that labels every node of a binary tree of words; the vectors of words are its leaves.

    Args:
        input_size: number of symbols.
        output_size: size of the output of a node, such as the number of classes; outputs are logits.
        hidden_size: size of a node's hidden vector, and of a word's vector.
        embedding_spread: the vectors of words begin uniformly within so much of 0.
        dropout: share of the hidden numbers that the readout does without in training.
        gain: how far the initial weights spread, 1 being usual.

    Raises:
        TypeError: a size that is no whole number.
        ValueError: a size below 1, a spread that is not above 0, or a share outside 0..1.

    References:
        Pollack (1990), "Recursive distributed representations", Artificial Intelligence 46,
        doi:10.1016/0004-3702(90)90005-K.
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
        cell = RecursiveCell(hidden_size, gain=gain)
        super().__init__(cell, input_size, output_size, embedding_spread=embedding_spread, dropout=dropout)
        self.configuration = configuration


CARD = ModelCard(
    name="recursive",
    summary="Recursive network over trees: one layer, the same at every node.",
    paper=("pollack1990", "socher2011"),
    inputs=("trees",),
    small={"hidden_size": 8},
)
