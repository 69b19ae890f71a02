"""Arguments: check the tensors and the numbers that a fused kernel gets, before it reads or writes any memory.

A kernel gets pointers, so it cannot check sizes by itself. Every check here costs less than a microsecond per tensor.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any, Literal, get_args, get_origin

import torch
from torch import Tensor

DTYPES = (torch.float32, torch.float64)
MOST = 2**52
"""Largest count of numbers that a kernel may address; their bytes, padded to registers, fit into 64 bits."""
MOST_OF_AN_INTEGER = 2**31 - 4
"""Largest integer of a form, and largest number of slots that indices of 32 bits distinguish."""


class Fitting:
    """Remember the dtypes, shapes and numbers of calls that passed all checks, so that an equal call is not checked again."""

    MOST = 64
    """Number of different calls after which all are forgotten."""

    def __init__(self) -> None:
        self._passed: set[Any] = set()

    def knows(self, tensors: Iterable[Tensor | None], integers: Sequence[int]) -> bool:
        """Return whether an equal call has passed."""
        return self._signature(tensors, integers) in self._passed

    def add(self, tensors: Iterable[Tensor | None], integers: Sequence[int]) -> None:
        """Remember a call that passed."""
        if len(self._passed) >= self.MOST:
            self._passed.clear()
        self._passed.add(self._signature(tensors, integers))

    @staticmethod
    def _signature(tensors: Iterable[Tensor | None], integers: Sequence[int]) -> Any:
        kinds = [tensor if tensor is None else (tensor.shape, tensor.dtype, tensor.is_cpu) for tensor in tensors]
        return tuple(kinds), tuple(integers)


def dimensions(record: type) -> dict[str, tuple[str, ...]]:
    """Return the names of the axes of each tensor of a dataclass, as its annotations have them."""
    found = {}
    for field in fields(record):
        kind: Any = field.type
        if not hasattr(kind, "dim_str"):
            kind = get_args(kind)[0]
        found[field.name] = tuple(kind.dim_str.split())
    return found


def same_kind(what: str, tensors: Mapping[str, Tensor | None]) -> None:
    """Raise unless all tensors have one dtype, float32 or float64, and are on the CPU.

    Raises:
        ValueError: names the first tensor that differs.
    """
    name, first = next((name, tensor) for name, tensor in tensors.items() if tensor is not None)
    dtype = first.dtype
    if dtype not in DTYPES:
        raise ValueError(
            f"the fused {what} got {name} as {_plain(dtype)}, but it computes in float32 or float64; convert the tensors, "
            'or run the network under memtape.use_backend("reference")'
        )
    for other, tensor in tensors.items():
        if tensor is not None and (tensor.dtype != dtype or not tensor.is_cpu):
            raise ValueError(
                f"the fused {what} got {other} as {_plain(tensor.dtype)} on {tensor.device.type}, but {name} as "
                f"{_plain(dtype)} on cpu; give all parameters, states and inputs the same dtype and device"
            )


def ranks(what: str, tensors: Mapping[str, Tensor | None], axes: Mapping[str, Sequence[str]]) -> None:
    """Raise unless every tensor has as many axes as it needs.

    Raises:
        ValueError: names the first tensor that does not.
    """
    for name, tensor in tensors.items():
        if tensor is not None and tensor.dim() != len(axes[name]):
            raise ValueError(
                f"the fused {what} got {name} of shape {tuple(tensor.shape)}, but its axes are ({', '.join(axes[name])}); "
                "give a tensor with these axes"
            )


def shapes(
    what: str, tensors: Mapping[str, Tensor | None], axes: Mapping[str, Sequence[str]], sizes: Mapping[str, int]
) -> None:
    """Raise unless every tensor has the sizes of its axes.

    Args:
        what: the kernel's name in messages.
        tensors: the tensors by name; None is not checked.
        axes: the names of the axes of each tensor.
        sizes: the size of each axis.

    Raises:
        ValueError: names the first tensor that does not fit.
    """
    for name, tensor in tensors.items():
        if tensor is None:
            continue
        wanted = tuple([sizes[axis] for axis in axes[name]])
        if tensor.shape != wanted:
            raise ValueError(
                f"the fused {what} got {name} of shape {tuple(tensor.shape)}, but the other parameters and states need "
                f"({', '.join(axes[name])}) = {wanted}; make their sizes fit"
            )


def like(
    what: str, tensors: Mapping[str, Tensor | None], wanted: Mapping[str, Sequence[int]], dtype: torch.dtype
) -> None:
    """Raise unless every tensor has the shape of its name, and the dtype, and is on the CPU; None is not checked.

    Raises:
        ValueError: names the first tensor that differs.
    """
    for name, tensor in tensors.items():
        if tensor is None:
            continue
        shape = tuple(wanted[name])
        if tensor.shape != shape or tensor.dtype != dtype or not tensor.is_cpu:
            raise ValueError(
                f"the fused {what} got {name} as {_plain(tensor.dtype)} of shape {tuple(tensor.shape)} on "
                f"{tensor.device.type}, but it must be {_plain(dtype)} of shape {shape} on cpu; "
                "give what the forward pass returned"
            )


def lengths(what: str, given: Tensor | None, batch: int, time: int) -> Tensor | None:
    """Return the lengths of the rows in the library's format.

    Raises:
        ValueError: the tensor has another shape or kind, or a length is outside 0..time.
    """
    if given is None:
        return None
    if given.shape != (batch,) or given.is_floating_point() or given.is_complex() or not given.is_cpu:
        raise ValueError(
            f"the fused {what} got lengths as {_plain(given.dtype)} of shape {tuple(given.shape)} on {given.device.type}, "
            f"but there are {batch} rows on the CPU; give one integer for each row"
        )
    counts = given.to(torch.int64).contiguous()
    if batch:
        least, most = (int(end) for end in counts.aminmax())
        if least < 0 or most > time:
            raise ValueError(
                f"the fused {what} got lengths from {least} to {most}, but there are {time} steps; "
                f"give lengths in 0..{time}"
            )
    return counts


def at_least_one(what: str, sizes: Mapping[str, int], names: Iterable[str]) -> None:
    """Raise unless the named sizes are 1 or more.

    Raises:
        ValueError: names the first size that is 0.
    """
    for name in names:
        if sizes[name] < 1:
            raise ValueError(f"the fused {what} got tensors whose size {name} is 0; give at least one")


def bounds(form: type) -> dict[str, tuple[int, int]]:
    """Return the least and the largest number that represents each integer field of a form."""
    found = {}
    for field in fields(form):
        if get_origin(field.type) is Literal:
            found[field.name] = (0, len(get_args(field.type)) - 1)
        elif field.type is bool:
            found[field.name] = (0, 1)
        elif field.type is int:
            found[field.name] = (0, MOST_OF_AN_INTEGER)
    return found


def numbers(
    what: str, integers: Sequence[int], floats: Sequence[float], limits: Mapping[str, tuple[int, int]], count: int
) -> None:
    """Raise unless a form has all of its numbers, each within its limits.

    Args:
        what: the kernel's name in messages.
        integers: the integers of the form.
        floats: the other numbers of the form.
        limits: the least and the largest value of each integer, by name and in order.
        count: how many floats the form has.

    Raises:
        ValueError: a number is missing, or is outside its limits.
    """
    if len(integers) != len(limits) or len(floats) != count:
        raise ValueError(
            f"the fused {what} got {len(integers)} integers and {len(floats)} floats, but its form has {len(limits)} and "
            f"{count}; give every number of the form"
        )
    for value, (name, (least, most)) in zip(integers, limits.items(), strict=True):
        if not least <= value <= most:
            raise ValueError(
                f"the fused {what} got {name} = {value}, but it must be in {least}..{most}; give such a number"
            )


def addressable(what: str, count: int) -> None:
    """Raise unless a kernel can address the given count of numbers.

    Raises:
        MemoryError: there are too many.
    """
    if count > MOST:
        raise MemoryError(
            f"the fused {what} would need {count} numbers, which no machine can address; use a smaller batch, shorter "
            "sequences or a smaller memory"
        )


def _plain(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
