"""Tree cell: compute the state of one node of a recursive network from the states of its children."""

from abc import ABC, abstractmethod
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

from jaxtyping import Float
from torch import Tensor, nn


@runtime_checkable
class HasHidden(Protocol):
    """State of a node: a record whose hidden vector is the node's output."""

    @property
    def hidden(self) -> Tensor:
        """The output, shape (nodes, output)."""
        ...


S = TypeVar("S", bound=HasHidden)


class TreeCell(nn.Module, ABC, Generic[S]):
    r"""Abstract cell that computes the state of a node from its word and the states of its children.

    $$s_j = f\bigl(x_j, (s_k)_{k \in C(j)}\bigr)$$

    with the same parameters at every node. It is called with many nodes at once; `memtape.fold` chooses them. A
    concrete cell sets the attributes and is final.

    Attributes:
        input_size: size of the vector of a word.
        output_size: size of the output of a node, its hidden vector.
        arity: largest number of children of a node; None for no limit.
        words_inside: whether a node with children may also have a word.
    """

    input_size: int
    output_size: int
    arity: int | None
    words_inside: bool

    @abstractmethod
    def read(self, x: Float[Tensor, "nodes input"]) -> Float[Tensor, "nodes read"]:
        """Compute the contribution of words to the states of their nodes; called once for all words of a batch."""

    @abstractmethod
    def leaf(self, read: Float[Tensor, "nodes read"]) -> S:
        """Compute the states of nodes without children from what `read` returned for their words."""

    @abstractmethod
    def node(self, children: S, read: Float[Tensor, "nodes read"] | None) -> S:
        """Compute the states of nodes with children.

        Args:
            children: the states of the children, tensors of shape (nodes, arity, ...); zeros for absent children.
            read: what `read` returned for the words of these nodes, with the vector 0 as the word of a node without
                one; None if no node has a word.
        """


AnyTreeCell = TreeCell[Any]
"""A tree cell with any type of state."""
