"""Tree cell: what one node of a recursive network computes from its children."""

from abc import ABC, abstractmethod
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

from jaxtyping import Float
from torch import Tensor, nn


@runtime_checkable
class HasHidden(Protocol):
    """The state of a node: a record whose hidden vector is the node's output."""

    @property
    def hidden(self) -> Tensor:
        """The output, shape (nodes, output)."""
        ...


S = TypeVar("S", bound=HasHidden)


class TreeCell(nn.Module, ABC, Generic[S]):
    r"""Abstract part that computes the state of a node from its word and the states of its children.

    $$s_j = f\bigl(x_j, (s_k)_{k \in C(j)}\bigr)$$

    with the same parameters at every node. It is called with many nodes at once; `memtape.fold` says with which. A concrete
    cell sets the attributes and is final.

    Attributes:
        input_size: size of the vector of a word.
        output_size: size of the output of a node, its hidden vector.
        arity: most children of a node; None for any number.
        words_inside: whether a node with children may have a word, too.
    """

    input_size: int
    output_size: int
    arity: int | None
    words_inside: bool

    @abstractmethod
    def read(self, x: Float[Tensor, "nodes input"]) -> Float[Tensor, "nodes read"]:
        """Return the words' part in the states of their nodes; it is called once for all the words of a batch."""

    @abstractmethod
    def leaf(self, read: Float[Tensor, "nodes read"]) -> S:
        """Return the states of nodes without children, from what was read of their words."""

    @abstractmethod
    def node(self, children: S, read: Float[Tensor, "nodes read"] | None) -> S:
        """Return the states of nodes with children.

        Args:
            children: their states, tensors of shape (nodes, arity, ...); zeros where there is no child.
            read: what was read of the words of these nodes, where those without a word have the vector 0; None if none of
                them has one.
        """


AnyTreeCell = TreeCell[Any]
"""A tree cell whose kind of state does not matter to the caller."""
