"""Missing kernels: warn once if a network is trained slowly because the fused kernels are absent."""

import warnings
from collections.abc import Callable
from functools import cache

import torch
from torch import nn

from memtape.core.backends import AUTO, backends, chosen_backend
from memtape.core.cell import AnyCell, fused_run


class MissingKernelsWarning(UserWarning):
    """A network is trained without its fused kernel, because the fused kernels are absent here."""


def warn_if_missing(cell: AnyCell, device: str) -> None:
    """Warn, once in a process, if a cell in training has a fused kernel that is absent here.

    There is no warning if another backend than "auto" was chosen.

    Args:
        cell: the cell that is run over sequences.
        device: the type of device that it runs on.
    """
    warn_if_unfused(cell, device, lambda: fused_run(cell, "cpu") is not None)


def warn_if_unfused(network: nn.Module, device: str, has_kernel: Callable[[], bool] = lambda: True) -> None:
    """Warn, once in a process, if a network in training lacks its fused kernel here; as `warn_if_missing`.

    Args:
        network: the network or the cell.
        device: the type of device that it runs on.
        has_kernel: returns whether there is a fused kernel of it at all.
    """
    if torch.compiler.is_compiling() or device != "cpu" or not (network.training and torch.is_grad_enabled()):
        return
    reason = backends()["cpu"]
    if reason is not None and chosen_backend() == AUTO and has_kernel():
        _warn(reason)


@cache
def _warn(reason: str) -> None:
    warnings.warn(
        f"this network is trained without its fused kernel, which is several times as fast, because {reason}",
        MissingKernelsWarning,
        stacklevel=2,
    )
