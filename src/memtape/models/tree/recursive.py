"""Recursive network: one layer, the same at every node, with an output at every node of a tree of words."""

from memtape.cells.tree import RecursiveCell
from memtape.core.card import ModelCard
from memtape.models.tree.folded import Folded
from memtape.sharing.shareable import constructor_arguments


class Recursive(Folded):
    """Compute an output for every node of a binary tree of words with a plain recursive network.

    Args:
        input_size: number of symbols.
        output_size: size of the output of a node, such as the number of classes; outputs are logits.
        hidden_size: size of the hidden vector of a node, and of the embedding of a word.
        embedding_spread: embeddings of words are initialised uniformly between minus and plus this value.
        dropout: in training, the probability that an entry of a hidden vector is dropped before the readout.
        gain: scale of the initial weights, 1 by default.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1, the spread is not above 0, or the dropout is below 0, or 1 or above.

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
