"""Recursive: tree cells that combine two child vectors with one layer, with or without a tensor product."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from memtape.cells.elman import HiddenState
from memtape.cells.weight_gain import gain_by_inputs
from memtape.core import checks
from memtape.core.tree_cell import TreeCell

ARITY = 2


class RecursiveCell(TreeCell[HiddenState]):
    r"""Combine the hidden vectors of two children with one layer of tanh units; a leaf has the vector of its word.

    $$h_j = \tanh(W_l h_l + W_r h_r + b), \qquad h_j = x_j \text{ at a leaf}$$

    The columns of the weight matrix are in the order left, right. A missing child has the vector 0.

    Args:
        hidden_size: size of $h_j$ and of the word vectors.
        gain: scale of the initial weights, in units of $1/\sqrt{2\,\text{hidden}}$.

    Raises:
        ValueError: a size is below 1.

    References:
        Pollack (1990), "Recursive distributed representations", Artificial Intelligence 46,
        doi:10.1016/0004-3702(90)90005-K; Socher et al. (2013), "Recursive deep models for semantic compositionality over a
        sentiment treebank", EMNLP, section 4.1.
    """

    arity = ARITY
    words_inside = False

    def __init__(self, hidden_size: int, *, gain: float = 1.0):
        super().__init__()
        checks.module_sizes(self, hidden_size=hidden_size)
        self.input_size = self.output_size = hidden_size
        self.from_children = nn.Linear(ARITY * hidden_size, hidden_size)
        gain_by_inputs(self, gain)

    def read(self, x: Float[Tensor, "nodes input"]) -> Float[Tensor, "nodes input"]:
        """Return the word vectors unchanged."""
        return x

    def leaf(self, read: Float[Tensor, "nodes input"]) -> HiddenState:
        """Return the word vectors as hidden vectors."""
        return HiddenState(hidden=read)

    def node(self, children: HiddenState, read: Tensor | None) -> HiddenState:
        """Combine the hidden vectors of two children."""
        return HiddenState(hidden=torch.tanh(self.from_children(children.hidden.flatten(1))))


class RNTNCell(TreeCell[HiddenState]):
    r"""Combine the hidden vectors of two children with a bilinear form per hidden unit: recursive neural tensor network.

    $$h_j = \tanh\bigl([h_l; h_r]^\top V^{[1:n]} [h_l; h_r] + W [h_l; h_r] + b\bigr), \qquad h_j = x_j \text{ at a leaf}$$

    A missing child has the vector 0.

    Args:
        hidden_size: size of $h_j$ and of the word vectors; the tensor $V$ has $4\,\text{hidden}^3$ entries.
        gain: scale of the initial weights, in units of $1/\sqrt{2\,\text{hidden}}$ for $W$ and of
            $1/(2\,\text{hidden})$ for $V$.

    Raises:
        ValueError: a size is below 1.

    References:
        Socher et al. (2013), "Recursive deep models for semantic compositionality over a sentiment treebank", EMNLP,
        section 4.3.
    """

    arity = ARITY
    words_inside = False

    def __init__(self, hidden_size: int, *, gain: float = 1.0):
        super().__init__()
        checks.module_sizes(self, hidden_size=hidden_size)
        self.input_size = self.output_size = hidden_size
        pair = ARITY * hidden_size
        self.from_children = nn.Linear(pair, hidden_size)
        self.tensor = nn.Parameter(torch.empty(hidden_size, pair, pair))
        gain_by_inputs(self, gain)
        nn.init.uniform_(self.tensor, -gain / pair, gain / pair)

    def read(self, x: Float[Tensor, "nodes input"]) -> Float[Tensor, "nodes input"]:
        """Return the word vectors unchanged."""
        return x

    def leaf(self, read: Float[Tensor, "nodes input"]) -> HiddenState:
        """Return the word vectors as hidden vectors."""
        return HiddenState(hidden=read)

    def node(self, children: HiddenState, read: Tensor | None) -> HiddenState:
        """Combine the hidden vectors of two children."""
        pair = children.hidden.flatten(1)
        half = (pair @ self.tensor.flatten(0, 1).mT).unflatten(1, self.tensor.shape[:2])
        products = torch.linalg.vecdot(half, pair[:, None])
        return HiddenState(hidden=torch.tanh(products + self.from_children(pair)))
