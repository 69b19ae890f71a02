"""Tree-LSTM: LSTM cells folded over trees, which label every node of a tree of words."""

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
    """A Tree-LSTM that labels every node of a tree of words.

    Args:
        input_size: number of symbols.
        output_size: size of the output of a node, such as the number of classes; outputs are logits.
        kind: "constituency" reads binary trees with words at their leaves alone, in fewer products; "nary" tells two children
            apart by their order, and nodes with children may have words, too; "child_sum" adds up any number of children.
        hidden_size: size of a node's hidden vector and memory cell.
        embedding_size: size of a word's vector.
        embedding_spread: the vectors of words begin uniformly within so much of 0.
        dropout: share of the hidden numbers that the readout does without in training.
        forget_bias: where the bias of the forget gates begins.
        gain: how far the initial weights spread, 1 being usual.

    Raises:
        TypeError: a size that is no whole number.
        ValueError: a size below 1, an unknown kind, a spread that is not above 0, or a share outside 0..1.

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
