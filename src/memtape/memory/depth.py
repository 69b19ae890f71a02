"""Depth: the limit of the depth of a stack, which raises an error instead of dropping cells."""

import torch
from torch import Tensor

from memtape.core.errors import RequestError
from memtape.core.transforms import transforming


class DepthError(RequestError):
    """A stack became deeper than its limit."""


def check_depth(cells: Tensor, axis: int, max_depth: int | None) -> None:
    """Raise if a cell below the limit is not empty. In compiled code and under transforms, values are not checked.

    Args:
        cells: the cells after a step; zeros are empty.
        axis: the axis of the cells, from the top to the bottom.
        max_depth: the limit; None for no limit.

    Raises:
        DepthError: a cell below the limit is not empty.
    """
    if max_depth is None or cells.shape[axis] <= max_depth:
        return
    if torch.compiler.is_compiling() or transforming() or cells.is_meta:
        return
    below = cells.detach().narrow(axis, max_depth, cells.shape[axis] - max_depth)
    if bool((below != 0).any()):
        raise DepthError(
            f"a stack has more than {max_depth} cells after this step, but max_depth is {max_depth}; pass shorter sequences, "
            "or give a larger max_depth, or none for no limit"
        )
