"""Shards: every process holds a part of each parameter (fully sharded data parallel)."""

import copy
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import final

import torch
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor

from memtape.training.parallel.network import Network
from memtape.training.parallel.processes import Processes
from memtape.training.settings import TrainSettings


@final
class Shards(Network):
    """A network of which every process holds a part: of each parameter, of its gradient, and of the optimiser's state.

    The full network is assembled for a forward and a backward pass, and in `model`, which is a copy, for validation.

    Args:
        model: the network; its weights are the initial weights.
        settings: the optimiser, and how gradients are clipped.
        processes: the processes that hold it.
    """

    def __init__(self, model: nn.Module, settings: TrainSettings, processes: Processes):
        accelerator = processes.accelerator
        parts = copy.deepcopy(model)
        for each in (model, parts):
            accelerator.prepare_model(each, evaluation_mode=True)  # moves it and sets autocast, without replicas
        # The warning is about changing an output in place, which nothing here does.
        warnings.filterwarnings("ignore", message=r"FSDP2-wrapped module .* returned a view tensor")
        self.shards = fully_shard(parts, mesh=init_device_mesh(accelerator.device.type, (processes.count,)))
        super().__init__(model, parts, settings, processes)

    @contextmanager
    def no_sync(self) -> Iterator[None]:
        """Do not average and scatter gradients inside this context."""
        self.shards.set_requires_gradient_sync(False)
        try:
            yield
        finally:
            self.shards.set_requires_gradient_sync(True)

    @torch.no_grad()
    def gather(self) -> None:
        """Assemble the parts in `model`."""
        for parameter, part in zip(self.model.parameters(), self.trained.parameters(), strict=True):
            parameter.copy_(self.full_tensor(part))
            parameter.grad = None if part.grad is None else self.full_tensor(part.grad)
        for buffer, own in zip(self.model.buffers(), self.trained.buffers(), strict=True):
            buffer.copy_(own)

    @torch.no_grad()
    def load_weights(self, weights: Mapping[str, Tensor]) -> None:
        """Set the weights; each process keeps its part."""
        self.model.load_state_dict(weights)
        for parameter, part in zip(self.model.parameters(), self.trained.parameters(), strict=True):
            part.copy_(self.local_tensor(parameter, part))
        for buffer, own in zip(self.model.buffers(), self.trained.buffers(), strict=True):
            own.copy_(buffer)

    def full_tensor(self, tensor: Tensor) -> Tensor:
        """Return the full tensor of one that is sharded."""
        return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor

    def local_tensor(self, tensor: Tensor, parameter: nn.Parameter) -> Tensor:
        """Return this process's part of a full tensor that is shaped like its parameter."""
        if not isinstance(parameter, DTensor) or tensor.shape != parameter.shape:
            return tensor
        here = tensor.to(parameter.device)
        return distribute_tensor(here, parameter.device_mesh, parameter.placements, src_data_rank=None)
