"""Calling: call the functions of the compiled kernels with tensors."""

import ctypes
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from memtape.core.compiled_library import kernels


def function(name: str, dtype: torch.dtype) -> Any:
    """Return the function of the library for a dtype.

    Raises:
        RuntimeError: the library is absent.
    """
    found = library_function(f"{name}_{str(dtype).removeprefix('torch.')}")
    found.restype = ctypes.c_int64
    return found


def library_function(name: str) -> Any:
    """Return the function `memtape_NAME` of the library.

    Raises:
        RuntimeError: the library is absent.
    """
    loaded = kernels()
    if loaded.library is None:
        raise RuntimeError(f'the fused kernels are absent: {loaded.absent}; run under memtape.use_backend("reference")')
    return getattr(loaded.library, f"memtape_{name}")


def pointers(kind: Any, tensors: Iterable[Tensor | None]) -> Any:
    """Return a struct of pointers to tensors, null for None."""
    return kind(*(None if tensor is None else tensor.data_ptr() for tensor in tensors))


def call(what: str, function: Any, *arguments: Any) -> None:
    """Call a function with tensors as pointers and structs by reference; `what` is the kernel's name in messages.

    Raises:
        MemoryError: the memory is exhausted.
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
        raise exhausted(what)


def exhausted(what: str) -> MemoryError:
    """Return the error of a kernel that ran out of memory; `what` is its name in messages."""
    return MemoryError(
        f"the fused {what} ran out of memory; use a smaller batch or shorter sequences, "
        "or store fewer steps with checkpoint_every"
    )


def contiguous(tensors: Iterable[Tensor | None]) -> tuple[Any, ...]:
    """Return contiguous tensors; None for None."""
    return tuple(None if tensor is None else tensor.contiguous() for tensor in tensors)


def refuse_second_gradient(what: str) -> Any:
    """Return a function that raises an error for gradients of a backward pass; `what` is the kernel's name in messages."""

    def refuse(ctx: Any, *gradients: Any) -> Any:
        raise RuntimeError(
            f"a gradient of a gradient was requested from the fused {what}, which has none; "
            'run the network under memtape.use_backend("reference")'
        )

    return refuse
