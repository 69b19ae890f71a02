"""Tree-LSTM: LSTM cells whose previous states are those of the children of a node."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from memtape.cells.lstm import LSTMState
from memtape.cells.weight_gain import gain_by_inputs
from memtape.core import checks
from memtape.core.tree_cell import TreeCell


class ChildSumTreeLSTMCell(TreeCell[LSTMState]):
    r"""Child-sum Tree-LSTM: sum over any number of unordered children, with a forget gate for each child.

    With $\tilde h = \sum_k h_k$ over the children $k$ of the node,

    $$(i, o) = \sigma(W_{io} x + U_{io} \tilde h + b_{io}), \qquad g = \tanh(W_g x + U_g \tilde h + b_g), \qquad
    f_k = \sigma(W_f x + U_f h_k + b_f)$$

    $$c = i \odot g + \sum_k f_k \odot c_k, \qquad h = o \odot \tanh(c)$$

    A node without a word has $x = 0$. The rows of $W$ and $b$ are in the order i, f, g, o. $U_i$, $U_g$ and $U_o$ are one
    matrix with rows in the order i, g, o.

    Args:
        input_size: size of $x$.
        hidden_size: size of $h$ and $c$.
        forget_bias: initial value of the bias of $f_k$; the other biases are initialised to 0.
        gain: scale of the initial weights, in units of $1/\sqrt{n}$ for a linear layer with $n$ inputs.

    Raises:
        ValueError: a size is below 1.

    References:
        Tai, Socher & Manning (2015), "Improved semantic representations from tree-structured long short-term memory
        networks", arXiv:1503.00075, section 3.1.
    """

    arity = None
    words_inside = True

    def __init__(self, input_size: int, hidden_size: int, *, forget_bias: float = 1.0, gain: float = 1.0):
        super().__init__()
        checks.module_sizes(self, input_size=input_size, hidden_size=hidden_size)
        self.input_size, self.output_size = input_size, hidden_size
        self.from_input = nn.Linear(input_size, 4 * hidden_size)
        self.from_sum = nn.Linear(hidden_size, 3 * hidden_size, bias=False)
        self.from_child = nn.Linear(hidden_size, hidden_size, bias=False)
        gain_by_inputs(self, gain)
        nn.init.constant_(self.from_input.bias[hidden_size : 2 * hidden_size], forget_bias)

    def read(self, x: Float[Tensor, "nodes input"]) -> Float[Tensor, "nodes four_hidden"]:
        """Return the contribution of the words to the gates, $W x + b$, shape (nodes, 4 hidden)."""
        return self.from_input(x)

    def leaf(self, read: Float[Tensor, "nodes four_hidden"]) -> LSTMState:
        """Return the state of a node without children."""
        return _written(read)

    def node(self, children: LSTMState, read: Float[Tensor, "nodes four_hidden"] | None) -> LSTMState:
        """Return the state of a node with children."""
        read = self.from_input.bias[None] if read is None else read
        write, keep, candidate, show = read.chunk(4, dim=-1)
        sums = self.from_sum(children.hidden.sum(dim=1)).chunk(3, dim=-1)
        kept = (torch.sigmoid(keep[:, None] + self.from_child(children.hidden)) * children.cell).sum(dim=1)
        cell = kept + torch.sigmoid(write + sums[0]) * torch.tanh(candidate + sums[1])
        return LSTMState(hidden=torch.sigmoid(show + sums[2]) * torch.tanh(cell), cell=cell)


class NaryTreeLSTMCell(TreeCell[LSTMState]):
    r"""N-ary Tree-LSTM: ordered children, with separate weights for each position and a forget gate for each child.

    $$(i, o) = \sigma\Bigl(W_{io} x + \sum_l U_{io, l} h_l + b_{io}\Bigr), \qquad
    g = \tanh\Bigl(W_g x + \sum_l U_{g, l} h_l + b_g\Bigr), \qquad
    f_k = \sigma\Bigl(W_f x + \sum_l U_{f, kl} h_l + b_f\Bigr)$$

    $$c = i \odot g + \sum_k f_k \odot c_k, \qquad h = o \odot \tanh(c)$$

    A node without a word has $x = 0$; a missing child has $h_l = c_l = 0$. The rows of $W$ and $b$ are in the order i, f, g,
    o, those of $U$ in the order i, f of each child, g, o. With one child this is `LSTMCell`.

    Args:
        input_size: size of $x$.
        hidden_size: size of $h$ and $c$.
        arity: maximum number of children of a node.
        forget_bias: initial value of the bias of $f_k$; the other biases are initialised to 0.
        gain: scale of the initial weights, in units of $1/\sqrt{n}$ for a linear layer with $n$ inputs.

    Raises:
        ValueError: a size is below 1.

    References:
        Tai, Socher & Manning (2015), "Improved semantic representations from tree-structured long short-term memory
        networks", arXiv:1503.00075, section 3.2.
    """

    words_inside = True

    def __init__(
        self, input_size: int, hidden_size: int, *, arity: int = 2, forget_bias: float = 1.0, gain: float = 1.0
    ):
        super().__init__()
        checks.module_sizes(self, input_size=input_size, hidden_size=hidden_size, arity=arity)
        self.input_size, self.output_size, self.arity = input_size, hidden_size, arity
        self.from_input = nn.Linear(input_size, 4 * hidden_size)
        self.from_children = nn.Linear(arity * hidden_size, (3 + arity) * hidden_size, bias=False)
        gain_by_inputs(self, gain)
        nn.init.constant_(self.from_input.bias[hidden_size : 2 * hidden_size], forget_bias)

    def read(self, x: Float[Tensor, "nodes input"]) -> Float[Tensor, "nodes four_hidden"]:
        """Return the contribution of the words to the gates, $W x + b$, shape (nodes, 4 hidden)."""
        return self.from_input(x)

    def leaf(self, read: Float[Tensor, "nodes four_hidden"]) -> LSTMState:
        """Return the state of a node without children."""
        return _written(read)

    def node(self, children: LSTMState, read: Float[Tensor, "nodes four_hidden"] | None) -> LSTMState:
        """Return the state of a node with children."""
        write, keep, candidate, show = (self.from_input.bias[None] if read is None else read).chunk(4, dim=-1)
        shared = torch.cat([write, *[keep] * children.cell.shape[1], candidate, show], dim=-1)
        return _combined(shared + self.from_children(children.hidden.flatten(1)), children.cell)


class ConstituencyTreeLSTMCell(TreeCell[LSTMState]):
    r"""Constituency Tree-LSTM: a binary Tree-LSTM for constituency parses, whose words are all at the leaves.

    At a leaf and at a node with children,

    $$c = W_c x + b_c, \qquad o = \sigma(W_o x + b_o), \qquad h = o \odot \tanh(c)$$

    $$(i, f_l, f_r, o) = \sigma(U_l h_l + U_r h_r + b), \qquad g = \tanh(U_{g, l} h_l + U_{g, r} h_r + b_g), \qquad
    c = i \odot g + f_l \odot c_l + f_r \odot c_r, \qquad h = o \odot \tanh(c)$$

    A missing child has $h = c = 0$. The rows of $W$ are in the order c, o, those of $U$ and its $b$ in the order i, left f,
    right f, g, o.

    Args:
        input_size: size of $x$.
        hidden_size: size of $h$ and $c$.
        forget_bias: initial value of the biases of both $f$; the other biases are initialised to 0.
        gain: scale of the initial weights, in units of $1/\sqrt{n}$ for a linear layer with $n$ inputs.

    Raises:
        ValueError: a size is below 1.

    References:
        Tai, Socher & Manning (2015), "Improved semantic representations from tree-structured long short-term memory
        networks", arXiv:1503.00075, section 3.2, as implemented in the authors' code.
    """

    arity = 2
    words_inside = False

    def __init__(self, input_size: int, hidden_size: int, *, forget_bias: float = 1.0, gain: float = 1.0):
        super().__init__()
        checks.module_sizes(self, input_size=input_size, hidden_size=hidden_size)
        self.input_size, self.output_size = input_size, hidden_size
        self.from_input = nn.Linear(input_size, 2 * hidden_size)
        self.from_children = nn.Linear(2 * hidden_size, 5 * hidden_size)
        gain_by_inputs(self, gain)
        nn.init.constant_(self.from_children.bias[hidden_size : 3 * hidden_size], forget_bias)

    def read(self, x: Float[Tensor, "nodes input"]) -> Float[Tensor, "nodes two_hidden"]:
        """Return the memory cells and output gates of the words, shape (nodes, 2 hidden)."""
        return self.from_input(x)

    def leaf(self, read: Float[Tensor, "nodes two_hidden"]) -> LSTMState:
        """Return the state of a leaf."""
        cell, show = read.chunk(2, dim=-1)
        return LSTMState(hidden=torch.sigmoid(show) * torch.tanh(cell), cell=cell)

    def node(self, children: LSTMState, read: Tensor | None) -> LSTMState:
        """Return the state of a node with children."""
        return _combined(self.from_children(children.hidden.flatten(1)), children.cell)


def _written(gates: Tensor) -> LSTMState:
    """Return the states of nodes without children, given gates in the order i, f, g, o."""
    write, _, candidate, show = gates.chunk(4, dim=-1)
    cell = torch.sigmoid(write) * torch.tanh(candidate)
    return LSTMState(hidden=torch.sigmoid(show) * torch.tanh(cell), cell=cell)


def _combined(gates: Tensor, cells: Tensor) -> LSTMState:
    """Return the states of nodes, given gates in the order i, f of each child, g, o, and the children's memory cells."""
    arity, size = cells.shape[1:]
    write, keep, candidate, show = gates.split([size, arity * size, size, size], dim=-1)
    kept = (torch.sigmoid(keep).unflatten(-1, (arity, size)) * cells).sum(dim=1)
    cell = kept + torch.sigmoid(write) * torch.tanh(candidate)
    return LSTMState(hidden=torch.sigmoid(show) * torch.tanh(cell), cell=cell)
