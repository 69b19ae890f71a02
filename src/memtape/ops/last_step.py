"""Last step: the output of a network at the last valid step of each sequence."""

import torch
from jaxtyping import Float
from torch import Tensor

from memtape.core import checks, padding
from memtape.core.integers import Lengths


def last_step(ys: Float[Tensor, "batch time output"], lengths: Lengths | None = None) -> Float[Tensor, "batch output"]:
    """Return the output at each row's last valid step, or zeros for a row of length 0.

    Args:
        ys: the outputs at every step.
        lengths: the number of valid steps of each row; None means all.

    Raises:
        TypeError: the lengths are not integers.
        ValueError: there is not one length for each row, or a length is outside 0..time.

    Example:
        >>> import torch
        >>> last_step(torch.tensor([[[1.0], [2.0]], [[3.0], [0.0]]]), torch.tensor([2, 1]))
        tensor([[2.],
                [3.]])
    """
    lengths = None if lengths is None else checks.lengths_of(ys, lengths)
    return padding.last_of(ys, torch.zeros_like(ys[:, 0]), lengths)
