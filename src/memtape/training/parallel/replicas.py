"""Replicas: every process holds a full copy of the network, and gradients are averaged (data parallel)."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import final

from torch import Tensor, nn

from memtape.training.parallel.network import Network
from memtape.training.parallel.processes import Processes
from memtape.training.settings import TrainSettings


@final
class Replicas(Network):
    """A network that every process holds in full; with one process, the network itself.

    Args:
        model: the network, trained in place.
        settings: the optimiser, and how gradients are clipped.
        processes: the processes that hold it.
    """

    def __init__(self, model: nn.Module, settings: TrainSettings, processes: Processes):
        super().__init__(model, processes.accelerator.prepare_model(model), settings, processes)

    def no_sync(self) -> AbstractContextManager[None]:
        """Do not average gradients inside this context."""
        return self.accelerator.no_sync(self.trained)

    def gather(self) -> None:
        """Do nothing, since the model itself is trained."""

    def load_weights(self, weights: Mapping[str, Tensor]) -> None:
        """Set the weights."""
        self.model.load_state_dict(weights)

    def full_tensor(self, tensor: Tensor) -> Tensor:
        """Return a tensor unchanged."""
        return tensor

    def local_tensor(self, tensor: Tensor, parameter: nn.Parameter) -> Tensor:
        """Return a tensor unchanged."""
        return tensor
