"""Network: a network in training, replicated or sharded over processes."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor, nn

from memtape.training.optim.optimizer import optimizer_for, optimizer_state_names
from memtape.training.parallel.processes import Processes
from memtape.training.settings import TrainSettings

TINY = 1e-6
"""Added to the norm of a gradient before the division by it, as in `torch.nn.utils.clip_grad_norm_`."""


class Network(ABC):
    """A network in training, with its optimiser.

    Args:
        model: the network for everything except training; `gather` updates its weights and gradients.
        trained: the same network in its replicated or sharded form, which is trained.
        settings: the optimiser, and how gradients are clipped.
        processes: the processes that hold it.
    """

    def __init__(self, model: nn.Module, trained: nn.Module, settings: TrainSettings, processes: Processes):
        self.model, self.trained, self.settings = model, trained, settings
        self.accelerator = processes.accelerator
        self.optimizer = optimizer_for(trained.parameters(), settings)

    def __call__(self, *args: Any, **options: Any) -> Any:
        """Call the trained form of the network."""
        return self.trained(*args, **options)

    @abstractmethod
    def no_sync(self) -> AbstractContextManager[None]:
        """Accumulate gradients in each process; a backward pass outside this context averages them."""

    @abstractmethod
    def gather(self) -> None:
        """Copy the current weights and gradients into `model`; all processes must call it."""

    @abstractmethod
    def load_weights(self, weights: Mapping[str, Tensor]) -> None:
        """Set the weights."""

    @abstractmethod
    def full_tensor(self, tensor: Tensor) -> Tensor:
        """Return the full tensor of one that is sharded over the processes."""

    @abstractmethod
    def local_tensor(self, tensor: Tensor, parameter: nn.Parameter) -> Tensor:
        """Return the part of a full tensor, shaped like a parameter, that belongs to this process."""

    def clip(self) -> float:
        """Clip the gradients as the settings require, and return their norm before clipping.

        The norm is summed in float64, so that exploded but finite gradients are clipped to the limit like any others.
        """
        parameters = list(self.trained.parameters())
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        norms = [torch.linalg.vector_norm(gradient, dtype=torch.float64) for gradient in gradients]
        norm = torch.linalg.vector_norm(torch.stack(norms))
        if self.settings.clip == "norm":
            nn.utils.clip_grads_with_norm_(parameters, self.settings.clip_limit, norm)
        elif self.settings.clip == "tensor":
            for gradient, length in zip(gradients, norms, strict=True):
                gradient.mul_((self.settings.clip_limit / (length + TINY)).clamp(max=1))
        elif self.settings.clip == "value":
            nn.utils.clip_grad_value_(parameters, self.settings.clip_limit)
        return self.full_tensor(norm).item()

    def optimizer_state(self) -> dict[str, Tensor]:
        """Return the state of the optimiser as full tensors, by the number of the parameter and the name of the state."""
        state = self.optimizer.state_dict()["state"]
        return {
            f"{number}.{name}": self.full_tensor(value)
            for number, values in state.items()
            for name, value in values.items()
        }

    def load_optimizer_state(self, tensors: Mapping[str, Tensor]) -> None:
        """Set the state of the optimiser; its settings are unchanged.

        Raises:
            ValueError: the state is of another optimiser or other parameters.
        """
        parameters, names = list(self.trained.parameters()), optimizer_state_names(self.settings)
        numbers = {path.partition(".")[0] for path in tensors}
        if set(tensors) != {f"{number}.{name}" for number in numbers for name in names}:
            raise ValueError(f"its optimiser has other state than {', '.join(sorted(names))}")
        state: dict[int, dict[str, Tensor]] = {}
        for path, value in sorted(tensors.items()):  # the same order in all processes, which a file does not ensure
            number, _, name = path.partition(".")
            parameter = parameters[int(number)] if number in map(str, range(len(parameters))) else None
            if (
                parameter is None
                or not value.is_floating_point()
                or value.shape not in (parameter.shape, torch.Size([]))
            ):
                raise ValueError(
                    f"the optimiser's state {path[:80]!r} is {value.dtype} of shape {tuple(value.shape)}, but no parameter "
                    "has that number and shape; restore the checkpoint"
                )
            state.setdefault(int(number), {})[name] = self.local_tensor(value, parameter)
        self.optimizer.load_state_dict({"state": state, "param_groups": self.optimizer.state_dict()["param_groups"]})

    def unwrap(self) -> None:
        """Remove the wrappers of training from `model`."""
        self.accelerator.unwrap_model(self.model, keep_fp32_wrapper=False)
