"""Optimizer: build the optimiser that the settings name."""

from collections.abc import Iterable

import torch
from torch import nn

from memtape.training.optim.graves_rmsprop import GravesRMSprop
from memtape.training.settings import TrainSettings


def optimizer_for(parameters: Iterable[nn.Parameter], settings: TrainSettings) -> torch.optim.Optimizer:
    """Return the optimiser that the settings name."""
    rate, decay = settings.learning_rate, settings.weight_decay
    if settings.optimizer == "adam":
        return torch.optim.Adam(parameters, lr=rate, weight_decay=decay)
    if settings.optimizer == "sgd":
        return torch.optim.SGD(parameters, lr=rate, momentum=settings.momentum, weight_decay=decay)
    if settings.optimizer == "ridge":  # does not follow gradients
        return torch.optim.SGD(parameters, lr=rate)
    if settings.optimizer == "adagrad":
        parameters = list(parameters)
        # Its fused kernel needs tensors on the CPU that are not sharded.
        fused = all(type(parameter) is nn.Parameter and parameter.device.type == "cpu" for parameter in parameters)
        return torch.optim.Adagrad(parameters, lr=rate, weight_decay=decay, fused=fused)
    if settings.optimizer == "rmsprop":
        return torch.optim.RMSprop(
            parameters, lr=rate, alpha=settings.smoothing, momentum=settings.momentum, weight_decay=decay
        )
    return GravesRMSprop(
        parameters, lr=settings.learning_rate, smoothing=settings.smoothing, momentum=settings.momentum
    )


def optimizer_state_names(settings: TrainSettings) -> set[str]:
    """Return the names of the state that this optimiser keeps for each parameter."""
    weight = nn.Parameter(torch.zeros(1))
    weight.grad = torch.zeros(1)
    optimizer = optimizer_for([weight], settings)
    optimizer.step()
    return set(optimizer.state[weight])
