"""Missing kernels: warn once if a network is trained slowly because the fused kernels are absent."""

import warnings
from functools import cache

import torch

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
    if torch.compiler.is_compiling() or device != "cpu" or not (cell.training and torch.is_grad_enabled()):
        return
    reason = backends()["cpu"]
    if reason is not None and chosen_backend() == AUTO and fused_run(cell, "cpu") is not None:
        _warn(reason)


@cache
def _warn(reason: str) -> None:
    warnings.warn(
        f"this network is trained without its fused kernel, which is several times as fast, because {reason}",
        MissingKernelsWarning,
        stacklevel=2,
    )
