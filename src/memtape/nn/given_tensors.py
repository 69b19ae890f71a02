"""Given tensors: let a module compute with tensors in place of its own parameters."""

from collections.abc import Mapping
from typing import TypeVar

from torch import Tensor, nn

M = TypeVar("M", bound=nn.Module)


def with_tensors(module: M, tensors: Mapping[str, Tensor], *, training: bool) -> M:
    """Return a copy of a module that computes with given tensors; the module itself is not changed.

    `torch.func.functional_call` replaces the parameters of the module for the time of the call, so that two threads that
    call it at once disturb each other. A copy costs less and is private to the call.

    Args:
        module: the module, whose own parameters are never read.
        tensors: the tensors by the names of the parameters that they replace, one for each parameter.
        training: whether the copy is in training mode.
    """
    copy = type(module).__new__(type(module))
    copy.__dict__.update(module.__dict__)
    copy.__dict__["training"] = training
    copy.__dict__["_parameters"] = {
        name: None if parameter is None else tensors[name] for name, parameter in module._parameters.items()
    }
    copy.__dict__["_modules"] = {
        name: None if part is None else with_tensors(part, _inside(name, tensors), training=training)
        for name, part in module._modules.items()
    }
    return copy


def _inside(name: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    prefix = f"{name}."
    return {path.removeprefix(prefix): tensor for path, tensor in tensors.items() if path.startswith(prefix)}
