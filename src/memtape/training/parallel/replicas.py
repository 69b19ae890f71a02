"""Replicas: every process holds the whole network, and gradients are averaged (data parallel)."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import final

from torch import Tensor, nn

from memtape.training.parallel.network import Network
from memtape.training.parallel.processes import Processes
from memtape.training.settings import TrainSettings


@final
class Replicas(Network):
    """A network that every process holds whole; with one process, just the network.

    Args:
        model: the network, trained in place.
        settings: the optimiser, and how gradients are limited.
        processes: who holds it.
    """

    def __init__(self, model: nn.Module, settings: TrainSettings, processes: Processes):
        super().__init__(model, processes.accelerator.prepare_model(model), settings, processes)

    def no_sync(self) -> AbstractContextManager[None]:
        """Keep gradients from being averaged."""
        return self.accelerator.no_sync(self.trained)

    def gather(self) -> None:
        """Do nothing, as the model is what is trained."""

    def load_weights(self, weights: Mapping[str, Tensor]) -> None:
        """Set the weights."""
        self.model.load_state_dict(weights)

    def full_tensor(self, tensor: Tensor) -> Tensor:
        """Return a tensor as it is."""
        return tensor

    def local_tensor(self, tensor: Tensor, parameter: nn.Parameter) -> Tensor:
        """Return a tensor as it is."""
        return tensor
