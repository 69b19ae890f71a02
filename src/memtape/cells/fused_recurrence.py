"""Fused recurrence: when a fused kernel over whole sequences can replace the reference."""

import torch

from memtape.kernels.recurrence import KERNELS, Recurrence


def fused_here(backend: str) -> bool:
    """Return whether a backend can run whole sequences in one call.

    Under autocast it cannot, because the state would not stay float32.
    """
    return backend == "cpu" and not torch.is_autocast_enabled("cpu")


def loop_here(backend: str) -> bool:
    """Return whether a loop over time in Python can replace the reference.

    While a graph is traced it cannot, because its number of steps is free, or its choices depend on values.
    """
    return fused_here(backend) and not torch.compiler.is_compiling()


def recurrence_here(backend: str) -> Recurrence | None:
    """Return memtape's fused kernel of recurrent layers, or None where the backend has none or autocast is enabled."""
    return KERNELS.get(backend) if fused_here(backend) else None
