"""Fused recurrence: where fused kernels, which run whole sequences, take the place of single steps."""

import torch

from memtape.kernels.recurrence import KERNELS, Recurrence


def fused_here(backend: str) -> bool:
    """Tell whether fused kernels can take the place of single steps.

    Under autocast they cannot, as the state would not stay float32.
    """
    return backend == "cpu" and not torch.is_autocast_enabled("cpu")


def recurrence_here(backend: str) -> Recurrence | None:
    """Return memtape's kernel of recurrent layers, None where it cannot take the place of single steps."""
    return KERNELS.get(backend) if fused_here(backend) else None
