"""Tree cells: the computation of a node of a recursive network from its word and its children."""

from memtape.cells.tree.recursive import RecursiveCell, RNTNCell
from memtape.cells.tree.tree_lstm import ChildSumTreeLSTMCell, ConstituencyTreeLSTMCell, NaryTreeLSTMCell

__all__ = [
    "ChildSumTreeLSTMCell",
    "ConstituencyTreeLSTMCell",
    "NaryTreeLSTMCell",
    "RNTNCell",
    "RecursiveCell",
]
