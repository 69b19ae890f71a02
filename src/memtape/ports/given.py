"""Given: look up the tensors of other code by name."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from memtape.core.type_name import a_type

WRAPPERS = {"module", "_orig_mod"}
"""The names that `DataParallel` and its kin, and `torch.compile`, insert before those of the wrapped module."""


def unwrapped(tensors: Any, what: str, cure: str) -> dict[str, Any]:
    """Return the tensors by their names in the module itself, without those of wrappers around it or its parts.

    Args:
        tensors: tensors or numpy arrays by name.
        what: their collective name, for the error message.
        cure: what to pass instead.

    Raises:
        TypeError: the tensors are not a mapping from names.
    """
    if not isinstance(tensors, Mapping) or not all(isinstance(name, str) for name in tensors):
        raise TypeError(f"{what} is {a_type(tensors)}, but it must map names to tensors; {cure}")
    return {".".join(part for part in name.split(".") if part not in WRAPPERS): tensors[name] for name in tensors}


class Given:
    """Look up tensors of other code, with an error for those that are missing or do not fit.

    Args:
        tensors: tensors or numpy arrays by name, those of wrapped modules too.
        what: their collective name, such as "the state dict".
        owner: what has such names, such as "a DNC of pytorch-dnc".
        cure: the cure in an error, such as what to pass instead.
    """

    def __init__(self, tensors: Any, what: str, owner: str, cure: str):
        self.tensors, self.what, self.owner, self.cure = unwrapped(tensors, what, cure), what, owner, cure

    def __call__(self, *names: str, shape: tuple[int | None, ...] | None = None) -> Tensor:
        """Return the tensor of the first name that exists, detached.

        Args:
            names: alternative names of the tensor.
            shape: the required shape, with None for an axis of any size; None for any shape.

        Raises:
            TypeError: it is not a tensor of floating-point numbers.
            ValueError: the tensor is missing, or has another shape.
        """
        name = next((name for name in names if name in self.tensors), None)
        if name is None:
            raise ValueError(f"{self.what} has no {names[0]}, which {self.owner} has; {self.cure}")
        try:
            tensor = torch.as_tensor(self.tensors[name]).detach()
        except (RuntimeError, TypeError, ValueError):
            raise TypeError(f"{name} is {a_type(self.tensors[name])}, but it must be a tensor; {self.cure}") from None
        if not tensor.is_floating_point():
            raise TypeError(f"{name} is {tensor.dtype}, but weights are floating-point numbers; {self.cure}")
        if shape is not None and (
            len(shape) != tensor.ndim
            or any(size not in (None, real) for size, real in zip(shape, tensor.shape, strict=True))
        ):
            wanted = ", ".join("any" if size is None else str(size) for size in shape) + "," * (len(shape) == 1)
            raise ValueError(
                f"{name} has shape {tuple(tensor.shape)}, but to fit the other tensors it must be ({wanted}) in "
                f"{self.owner}; give the sizes that it was built with, or {self.cure}"
            )
        return tensor

    def affine(self, name: str, *, rows: int | None = None, columns: int | None = None) -> Tensor:
        """Return a linear layer as one matrix, the last column of which is its bias.

        Args:
            name: name of the layer, which has a weight and a bias.
            rows: required number of outputs.
            columns: required number of inputs.

        Raises:
            ValueError: a part is missing or has another shape.
        """
        weight = self(f"{name}.weight", shape=(rows, columns))
        return torch.cat([weight, self(f"{name}.bias", shape=(len(weight),))[:, None]], dim=1)
