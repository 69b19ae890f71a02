"""Trees: recursive networks that label every node of a tree of words."""

from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from memtape.cells.tree import (
    ChildSumTreeLSTMCell,
    ConstituencyTreeLSTMCell,
    NaryTreeLSTMCell,
    RecursiveCell,
    RNTNCell,
)
from memtape.core import checks
from memtape.core.fold import fold
from memtape.core.inputs.trees import TREES, Trees
from memtape.core.padding import zero_beyond
from memtape.core.tree_cell import AnyTreeCell
from memtape.ops.dropout import dropout
from memtape.sharing.shareable import Shareable, constructor_arguments

TREE_LSTMS: dict[str, type[ConstituencyTreeLSTMCell | NaryTreeLSTMCell | ChildSumTreeLSTMCell]] = {
    "constituency": ConstituencyTreeLSTMCell,
    "nary": NaryTreeLSTMCell,
    "child_sum": ChildSumTreeLSTMCell,
}


class Folded(Shareable):
    r"""Look words up, fold a tree cell over the trees, and read every node out.

    $$y_j = V \, \text{dropout}(h_j) + c$$

    Args:
        cell: what a node computes, $h_j$.
        input_size: number of symbols.
        output_size: size of $y_j$.
        embedding_spread: the vectors of symbols begin uniformly within so much of 0.
        dropout: share of the numbers of $h_j$ that are left out in training.

    Attributes:
        input_kind: name of the kind of its inputs.

    Raises:
        TypeError: a size that is no whole number.
        ValueError: a size below 1, a spread that is not above 0, or a share outside 0..1.
    """

    input_kind: ClassVar[str] = "trees"

    def __init__(
        self, cell: AnyTreeCell, input_size: int, output_size: int, *, embedding_spread: float, dropout: float
    ):
        super().__init__()
        checks.module_sizes(self, input_size=input_size, output_size=output_size)
        if not embedding_spread > 0:
            raise ValueError(
                f"embedding_spread of {type(self).__name__} is {embedding_spread}, but words of equal vectors cannot be told "
                "apart; give a number above 0"
            )
        if not 0 <= dropout < 1:
            raise ValueError(
                f"dropout of {type(self).__name__} is {dropout}, but it is the share that is left out; give at least 0 and "
                "less than 1"
            )
        self.input_size, self.output_size = input_size, output_size
        self.embedding = nn.Embedding(input_size, cell.input_size)
        nn.init.uniform_(self.embedding.weight, -embedding_spread, embedding_spread)
        self.cell = cell
        self.dropout = dropout
        self.to_output = nn.Linear(cell.output_size, output_size)
        nn.init.xavier_uniform_(self.to_output.weight)
        nn.init.zeros_(self.to_output.bias)

    def forward(self, trees: Trees, state: None = None, *, lengths: Tensor | None = None) -> tuple[Tensor, Any]:
        """Label the nodes of a batch of trees.

        Args:
            trees: trees of symbols below `input_size`.
            state: None, because a tree begins at its leaves and goes on from nowhere.
            lengths: how many nodes of each row count, shape (batch,); None means that no row is padded.

        Returns:
            The outputs, shape (batch, nodes, output), zero beyond a row's length, and the states of the roots.

        Raises:
            TypeError: inputs that are no `Trees`, or lengths that are no whole numbers.
            ValueError: a state, an unknown symbol, a row that is no tree, or trees that the cell does not take.
        """
        name = type(self).__name__
        trees = TREES.require(trees, name)
        if state is not None:
            raise ValueError(f"a state was given, but the trees of {name} begin at their leaves; pass None")
        hidden, roots = fold(self.cell, trees, self._look_up, lengths=lengths)
        outputs = self.to_output(dropout(hidden, self.dropout if self.training else 0.0))
        if lengths is not None:
            outputs = zero_beyond(outputs, torch.as_tensor(lengths, device=outputs.device))
        return outputs, roots

    def _look_up(self, words: Tensor) -> Tensor:
        """Return the vectors of words."""
        largest = int(words.max()) if len(words) else 0
        if largest >= self.input_size:
            raise ValueError(
                f"the trees have the word {largest}, but {type(self).__name__} knows the symbols 0..{self.input_size - 1}; "
                "number the words below its input_size"
            )
        return self.embedding(words)


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
        >>> from memtape.models.tree.tree_networks import TreeLSTM
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
