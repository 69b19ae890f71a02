"""Given: the tensors of other code, looked up by their names there."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor


class Given:
    """Look up tensors of other code, and say in a sentence what is missing or does not fit.

    Args:
        tensors: tensors or numpy arrays by name.
        what: what they are together, such as "the state dict".
        owner: what has such names, such as "a DNC of pytorch-dnc".
        cure: what to pass in its place.
    """

    def __init__(self, tensors: Mapping[str, Any], what: str, owner: str, cure: str):
        self.tensors, self.what, self.owner, self.cure = tensors, what, owner, cure

    def __call__(self, *names: str, shape: tuple[int | None, ...] | None = None) -> Tensor:
        """Return the tensor of the first of the names that there is, without its history.

        Args:
            names: names of the same tensor.
            shape: what its shape must be, None on an axis of any size; None for any shape.

        Raises:
            ValueError: there is no such tensor, or it has another shape.
        """
        name = next((name for name in names if name in self.tensors), None)
        if name is None:
            raise ValueError(f"{self.what} has no {names[0]}, which {self.owner} has; {self.cure}")
        tensor = torch.as_tensor(self.tensors[name]).detach()
        if shape is not None and (
            len(shape) != tensor.ndim
            or any(size not in (None, real) for size, real in zip(shape, tensor.shape, strict=True))
        ):
            wanted = ", ".join("any" if size is None else str(size) for size in shape)
            raise ValueError(
                f"{name} has shape {tuple(tensor.shape)}, but beside the other tensors it must be ({wanted}) in "
                f"{self.owner}; give the sizes that it was built with, or {self.cure}"
            )
        return tensor

    def affine(self, name: str, *, rows: int | None = None, columns: int | None = None) -> Tensor:
        """Return a linear layer as one matrix, the last column of which is its bias.

        Args:
            name: name of the layer, which has a weight and a bias.
            rows: how many outputs it must have.
            columns: how many inputs it must have.

        Raises:
            ValueError: a part is missing or has another shape.
        """
        weight = self(f"{name}.weight", shape=(rows, columns))
        return torch.cat([weight, self(f"{name}.bias", shape=(len(weight),))[:, None]], dim=1)
