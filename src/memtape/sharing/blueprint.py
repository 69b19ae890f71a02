"""Blueprint: build a network from untrusted arguments, without allocating memory until the given tensors fit."""

import inspect
from collections.abc import Callable, Mapping
from reprlib import repr as shortened
from typing import Any, TypeVar, get_args

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from memtape.core.plain_type import is_of

N = TypeVar("N", bound=nn.Module)

LARGEST_SIZE = 2**20
"""A number of slots or layers above this, and above the number of all weights, is rejected."""

CALLS_AT_LEAST = 2000
CALLS_PER_TENSOR = 100
"""Limit of calls of torch in a constructor; those of this library need about ten for each tensor."""


class MisfitError(ValueError):
    """Arguments and tensors that do not belong to one network; the message names the first mismatch."""


def build(constructor: Callable[..., N], arguments: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> N:
    """Build a network with given parameters and buffers; arguments that do not fit cost no memory and little time.

    Args:
        constructor: a class with plain values as arguments.
        arguments: the arguments by name.
        tensors: the state dict of the network; it is copied.

    Raises:
        MisfitError: the constructor rejects an argument, or a tensor is missing, unknown or of another shape.
    """
    network = blueprint(constructor, arguments, tensors)
    # Copies, since tensors of a file are aligned differently, and the last bit of a product may depend on alignment.
    network.load_state_dict({name: tensor.clone() for name, tensor in tensors.items()}, assign=True)
    return network


def blueprint(constructor: Callable[..., N], arguments: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> N:
    """Return the network on the meta device, after a check that arguments and tensors belong to it.

    Raises:
        MisfitError: they do not.
    """
    name = constructor.__name__
    _check_arguments(constructor, arguments, largest=sum(tensor.numel() for tensor in tensors.values()))
    dtype = _dtype(tensors)
    try:
        with torch.device("meta"), _FewCalls(CALLS_AT_LEAST + CALLS_PER_TENSOR * len(tensors)):
            network = constructor(**arguments).to(dtype)
    except _TooManyCallsError:
        raise MisfitError(
            f"{name} with these arguments has far more than the {len(tensors)} tensors given; give the arguments of one network"
        ) from None
    except (TypeError, ValueError, RuntimeError, OverflowError, MemoryError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise MisfitError(f"{name} cannot be built ({reason}); correct the argument") from None
    _compare(name, network.state_dict(), tensors)
    return network


def _check_arguments(constructor: Callable[..., Any], arguments: Mapping[str, Any], *, largest: int) -> None:
    name, known = constructor.__name__, inspect.signature(constructor).parameters
    for argument, value in arguments.items():
        if argument not in known:
            raise MisfitError(
                f"{name} has no argument {shortened(argument)}, its arguments are {', '.join(known)}; "
                "remove it, or use the version of memtape that wrote it"
            )
        kind = known[argument].annotation
        if not is_of(kind, value):
            words = inspect.formatannotation(kind) + (" and finite" if isinstance(value, float) else "")
            raise MisfitError(
                f"{argument} of {name} is {shortened(value)}, but it must be {words}; correct the argument"
            )
        if float not in (kind, *get_args(kind)) and is_of(int, value) and value > max(LARGEST_SIZE, largest):
            raise MisfitError(
                f"{argument} of {name} is {shortened(value)}, but a network of {largest} weights has no size above "
                f"{max(LARGEST_SIZE, largest)}; correct the argument"
            )


def _dtype(tensors: Mapping[str, Tensor]) -> torch.dtype:
    """Return the dtype of the weights, which must be the same for all, and float32 or wider."""
    numbers = {name: tensor for name, tensor in tensors.items() if tensor.is_floating_point()}
    for name, tensor in numbers.items():
        if tensor.dtype not in (torch.float32, torch.float64):
            raise MisfitError(
                f"the tensor {shortened(name)} is {tensor.dtype}, but weights are float32 or float64; "
                "convert the network with .float()"
            )
    return next((tensor.dtype for tensor in numbers.values()), torch.float32)


def _compare(network: str, wanted: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> None:
    cure = "take arguments and tensors from one network"
    for name, tensor in wanted.items():
        if name not in given:
            raise MisfitError(f"there is no tensor {name}, which {network} with these arguments has; {cure}")
        for aspect, theirs, ours in (
            ("shape", tuple(given[name].shape), tuple(tensor.shape)),
            ("dtype", given[name].dtype, tensor.dtype),
        ):
            if theirs != ours:
                raise MisfitError(
                    f"the tensor {name} has {aspect} {theirs}, but {network} with these arguments has {ours}; {cure}"
                )
    for name in given:
        if name not in wanted:
            raise MisfitError(
                f"there is a tensor {shortened(name)}, which {network} with these arguments does not have; {cure}"
            )


class _TooManyCallsError(Exception):
    """A constructor that makes too many calls."""


class _FewCalls(TorchFunctionMode):
    """Stop a constructor that builds far more than the given tensors."""

    def __init__(self, calls: int):
        super().__init__()
        self.left = calls

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Count a call, then execute it."""
        self.left -= 1
        if self.left < 0:
            raise _TooManyCallsError
        return func(*args, **(kwargs or {}))
