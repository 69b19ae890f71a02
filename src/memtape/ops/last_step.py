"""Last step: the output of a network at the last valid step of each sequence."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from memtape.core import padding


def last_step(
    ys: Float[Tensor, "batch time output"], lengths: Int[Tensor, " batch"] | None = None
) -> Float[Tensor, "batch output"]:
    """Return the output at each row's last valid step, or zeros for a row of length 0.

    Args:
        ys: the outputs at every step.
        lengths: the number of valid steps of each row; None means all.

    Example:
        >>> import torch
        >>> last_step(torch.tensor([[[1.0], [2.0]], [[3.0], [0.0]]]), torch.tensor([2, 1]))
        tensor([[2.],
                [3.]])
    """
    return padding.last_of(ys, torch.zeros_like(ys[:, 0]), lengths)
