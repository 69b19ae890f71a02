"""Calling: the compiled kernels, called with tensors."""

import ctypes
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from memtape.core.compiled_library import kernels


def function(name: str, dtype: torch.dtype) -> Any:
    """Return a function of the library for numbers of a kind.

    Raises:
        RuntimeError: the library is absent.
    """
    loaded = kernels()
    if loaded.library is None:
        raise RuntimeError(f'the fused kernels are absent: {loaded.absent}; run under memtape.use_backend("reference")')
    found = getattr(loaded.library, f"memtape_{name}_{str(dtype).removeprefix('torch.')}")
    found.restype = ctypes.c_int64
    return found


def record_of(count: int) -> Any:
    """Return the kind of record that holds so many pointers and nothing else."""
    return ctypes.c_void_p * count


def pointers(kind: Any, tensors: Iterable[Tensor | None]) -> Any:
    """Return a record of the pointers of some tensors, null for None."""
    return kind(*(None if tensor is None else tensor.data_ptr() for tensor in tensors))


def call(what: str, function: Any, *arguments: Any) -> None:
    """Call with tensors as pointers and records by reference; `what` names the kernel to the user.

    Raises:
        MemoryError: memory ran out.
    """
    words = [
        ctypes.c_void_p(argument.data_ptr())
        if isinstance(argument, Tensor)
        else None
        if argument is None
        else ctypes.byref(argument)
        for argument in arguments
    ]
    if function(*words):
        raise MemoryError(
            f"the fused {what} ran out of memory; take a smaller batch or shorter sequences, "
            "or keep fewer steps by checkpoint_every"
        )


def counted(lengths: Tensor | None) -> Tensor | None:
    """Return lengths as the library reads them."""
    return None if lengths is None else lengths.to(torch.int64).contiguous()


def refuse_second_gradient(what: str) -> Any:
    """Return what stands for the gradients of a backward pass; `what` names the kernel to the user."""

    def refuse(ctx: Any, *gradients: Any) -> Any:
        raise RuntimeError(
            f"a gradient of a gradient was asked of the fused {what}, which has none; "
            'run the network under memtape.use_backend("reference")'
        )

    return refuse
