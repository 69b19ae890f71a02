"""Evaluation mode: put a network in evaluation or training mode for a while, and restore the mode of each of its parts."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def evaluation_mode(model: nn.Module) -> Iterator[None]:
    """Put a network in evaluation mode, and restore the mode of each module at the end, also after an error.

    Args:
        model: the network; parts that were in another mode than the network itself keep theirs afterwards.
    """
    with _modes_restored(model):
        model.eval()
        yield


@contextmanager
def training_mode(model: nn.Module) -> Iterator[None]:
    """Put a network that is in evaluation mode in training mode, and restore the modes at the end, also after an error.

    Args:
        model: the network; one in training mode stays as it is, so that its parts in evaluation mode remain so.
    """
    with _modes_restored(model):
        if not model.training:
            model.train()
        yield


@contextmanager
def _modes_restored(model: nn.Module) -> Iterator[None]:
    modes = [(module, module.training) for module in model.modules()]
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training
