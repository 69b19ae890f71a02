"""Folded: a tree cell folded over trees of words, with a readout of every node."""

from typing import Any, ClassVar

from torch import Tensor, nn

from memtape.core import checks
from memtape.core.fold import fold
from memtape.core.inputs.trees import TREES, Trees
from memtape.core.integers import Lengths
from memtape.core.padding import zero_beyond
from memtape.core.tree_cell import AnyTreeCell
from memtape.ops.dropout import dropout
from memtape.sharing.shareable import Shareable


class Folded(Shareable):
    r"""Embed words, fold a tree cell over the trees, and apply a linear readout to every node.

    $$y_j = V \, \text{dropout}(h_j) + c$$

    Args:
        cell: the tree cell that computes $h_j$.
        input_size: number of symbols.
        output_size: size of $y_j$.
        embedding_spread: embeddings of symbols are initialised uniformly between minus and plus this value.
        dropout: in training, the probability that an entry of $h_j$ is dropped.

    Attributes:
        input_kind: name of the kind of input.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1, the spread is not above 0, or the dropout is below 0, or 1 or above.
    """

    input_kind: ClassVar[str] = "trees"

    def __init__(
        self, cell: AnyTreeCell, input_size: int, output_size: int, *, embedding_spread: float, dropout: float
    ):
        super().__init__()
        checks.module_sizes(self, input_size=input_size, output_size=output_size)
        if not embedding_spread > 0:
            raise ValueError(
                f"embedding_spread of {type(self).__name__} is {embedding_spread}, but words with equal embeddings cannot be "
                "distinguished; give a number above 0"
            )
        checks.dropout_rates(self, dropout=dropout)
        self.input_size, self.output_size = input_size, output_size
        self.embedding = nn.Embedding(input_size, cell.input_size)
        nn.init.uniform_(self.embedding.weight, -embedding_spread, embedding_spread)
        self.cell = cell
        self.dropout = dropout
        self.to_output = nn.Linear(cell.output_size, output_size)
        nn.init.xavier_uniform_(self.to_output.weight)
        nn.init.zeros_(self.to_output.bias)

    def forward(self, trees: Trees, state: None = None, *, lengths: Lengths | None = None) -> tuple[Tensor, Any]:
        """Compute the outputs of all nodes of a batch of trees.

        Args:
            trees: trees of symbols below `input_size`.
            state: None, because trees have no initial state.
            lengths: number of valid nodes of each row, a tensor of shape (batch,) or a list; None means that no row is padded.

        Returns:
            The outputs, shape (batch, nodes, output), zero beyond a row's length, and the states of the roots.

        Raises:
            TypeError: the inputs are not `Trees`, or the lengths are not integers.
            ValueError: a state is given, a symbol is unknown, a row is not a tree, or the cell does not accept the
                trees.
        """
        name = type(self).__name__
        trees = TREES.require(trees, name)
        if state is not None:
            raise ValueError(f"a state was given, but {name} has no initial state; pass None")
        hidden, roots = fold(self.cell, trees, self._look_up, lengths=lengths)
        outputs = self.to_output(dropout(hidden, self.dropout if self.training else 0.0))
        if lengths is not None:
            outputs = zero_beyond(outputs, checks.lengths_of(outputs, lengths))
        return outputs, roots

    def _look_up(self, words: Tensor) -> Tensor:
        """Return the embeddings of words."""
        largest = int(words.max()) if len(words) else 0
        if largest >= self.input_size:
            raise ValueError(
                f"the trees have the word {largest}, but {type(self).__name__} reads the symbols 0..{self.input_size - 1}; "
                "number the words below its input_size"
            )
        return self.embedding(words)
