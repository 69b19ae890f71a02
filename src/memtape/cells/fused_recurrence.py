"""Fused: where kernels that run whole sequences stand in for single steps."""

import torch

from memtape.kernels.recurrence import TWINS, Recurrence


def fused_here(backend: str) -> bool:
    """Tell whether whole sequences can stand in for single steps.

    Under autocast they cannot, as the state would not stay float32.
    """
    return backend == "cpu" and not torch.is_autocast_enabled("cpu")


def recurrence_here(backend: str) -> Recurrence | None:
    """Return memtape's kernel of recurrent layers, where it can stand in for single steps."""
    return TWINS.get(backend) if fused_here(backend) else None
