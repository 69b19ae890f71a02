"""Tree-LSTM: LSTM cells folded over trees of words, with an output at every node."""

from typing import Literal

from memtape.cells.tree import ChildSumTreeLSTMCell, ConstituencyTreeLSTMCell, NaryTreeLSTMCell
from memtape.core import checks
from memtape.core.card import ModelCard
from memtape.models.tree.folded import Folded
from memtape.sharing.shareable import constructor_arguments

TREE_LSTMS: dict[str, type[ConstituencyTreeLSTMCell | NaryTreeLSTMCell | ChildSumTreeLSTMCell]] = {
    "constituency": ConstituencyTreeLSTMCell,
    "nary": NaryTreeLSTMCell,
    "child_sum": ChildSumTreeLSTMCell,
}


class TreeLSTM(Folded):
    """Compute an output for every node of a tree of words with a Tree-LSTM.

    Args:
        input_size: number of symbols.
        output_size: size of the output of a node, such as the number of classes; outputs are logits.
        kind: "constituency" for binary trees with words only at the leaves, with fewer matrix products; "nary" for
            ordered children, where nodes with children may also have words; "child_sum" for any number of unordered
            children.
        hidden_size: size of the hidden vector and the memory cell of a node.
        embedding_size: size of the embedding of a word.
        embedding_spread: embeddings of words are initialised uniformly between minus and plus this value.
        dropout: in training, the probability that an entry of a hidden vector is dropped before the readout.
        forget_bias: initial bias of the forget gates.
        gain: scale of the initial weights, 1 by default.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1, the kind is unknown, the spread is not above 0, or the dropout is below 0,
            or 1 or above.

    References:
        Tai, Socher & Manning (2015), "Improved semantic representations from tree-structured long short-term memory
        networks", arXiv:1503.00075.

    Example:
        >>> import torch
        >>> from memtape.core.inputs.trees import Trees
        >>> from memtape.models.tree.treelstm import TreeLSTM
        >>> network = TreeLSTM(input_size=3, output_size=5, hidden_size=8)
        >>> trees = Trees(words=torch.tensor([[1, 2, -1]]), children=torch.tensor([[[-1, -1], [-1, -1], [0, 1]]]))
        >>> outputs, roots = network(trees)
        >>> outputs.shape, roots.hidden.shape
        (torch.Size([1, 3, 5]), torch.Size([1, 8]))
    """

    def __init__(
        self,
        input_size: int,
        output_size: int,
        *,
        kind: Literal["constituency", "nary", "child_sum"] = "constituency",
        hidden_size: int = 150,
        embedding_size: int = 300,
        embedding_spread: float = 0.05,
        dropout: float = 0.5,
        forget_bias: float = 1.0,
        gain: float = 1.0,
    ):
        configuration = constructor_arguments(locals())
        checks.one_of(tuple(TREE_LSTMS), kind=kind)
        cell = TREE_LSTMS[kind](embedding_size, hidden_size, forget_bias=forget_bias, gain=gain)
        super().__init__(cell, input_size, output_size, embedding_spread=embedding_spread, dropout=dropout)
        self.configuration = configuration


CARD = ModelCard(
    name="treelstm",
    summary="Tree-LSTM over labelled trees: constituency, N-ary or child-sum.",
    paper=("tai2015",),
    inputs=("trees",),
    small={"hidden_size": 8},
)
