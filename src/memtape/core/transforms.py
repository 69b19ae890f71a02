"""Transforms: whether a transform of torch is running that the fused kernels do not have."""

import torch
from torch.autograd import forward_ad


def transforming() -> bool:
    """Return whether a transform of `torch.func`, such as `vmap` or `grad`, or forward-mode differentiation is running.

    The reference has all of them; tensors may then have no readable values. `torch.compile` traces its own calls.
    """
    if torch.compiler.is_compiling():
        return False
    return torch._C._are_functorch_transforms_active() or forward_ad._current_level >= 0
