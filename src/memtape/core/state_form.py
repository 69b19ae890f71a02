"""State form: the state of a network as a flat tuple of tensors with names, for programs that know no classes."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor
from torch.utils import _pytree as pytree

from memtape.core import state_tree


@dataclass(frozen=True)
class StateForm:
    """The structure of a state, without its tensors.

    Attributes:
        names: the names of the tensors by their paths, such as `memory.weights`, in the order of the tuple.
        structure: the structure into which the tensors are put back.
    """

    names: tuple[str, ...]
    structure: pytree.TreeSpec

    @classmethod
    def of(cls, state: Any, owner: str) -> "StateForm":
        """Return the form of a state.

        Args:
            state: a state.
            owner: name of the network, for the error message.

        Raises:
            TypeError: a part of the state is not a tensor, a tuple or a state.
        """
        named = state_tree.named_leaves(state)
        for name, leaf in named.items():
            if not isinstance(leaf, Tensor):
                place = f"{name} of the state" if name else "the state"
                raise TypeError(
                    f"{place} of {owner} is a {type(leaf).__name__}, but a program takes tensors; "
                    "declare its class with @memtape.state, which finds the tensors in its fields"
                )
        return cls(tuple(named), pytree.tree_structure(state))

    def flat(self, state: Any) -> tuple[Tensor, ...]:
        """Return the tensors of a state."""
        return tuple(state_tree.leaves(state))

    def rebuilt(self, tensors: tuple[Tensor, ...]) -> Any:
        """Return the state with the given tensors.

        Raises:
            ValueError: there are more or fewer tensors than names.
        """
        if len(tensors) != len(self.names):
            raise ValueError(
                f"{len(tensors)} tensors were given for the state, but it has {len(self.names)}: {', '.join(self.names)}; "
                "pass those that init_state or the last call returned"
            )
        return pytree.tree_unflatten(list(tensors), self.structure)
