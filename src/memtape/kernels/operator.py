"""Operator: how a kernel becomes an operator of torch, known to autograd, autocast and `torch.compile`."""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from memtape.kernels.calling import refuse_second_gradient


class Pass(NamedTuple):
    """The forward or the backward pass of a kernel."""

    arguments: str
    """Its arguments, in the language of torch's schemas."""
    results: int
    """The number of tensors that it returns."""
    run: Callable[..., tuple[Tensor, ...]]
    shapes: Callable[..., tuple[Tensor, ...]]
    """Returns unfilled tensors like those that `run` returns."""


def register(
    name: str,
    title: str,
    *,
    forward: Pass,
    backward: Pass,
    save: Callable[[Any, tuple[Any, ...], tuple[Tensor, ...]], None],
    gradients: Callable[..., tuple[Tensor | None, ...]],
) -> torch.library.Library:
    """Register `memtape::NAME` and `memtape::NAME_backward`.

    `torch.library.register_autograd` would do for the first, but reads the schema again in every call, which takes a tenth of
    a short sequence's time.

    Args:
        name: name of the kernel.
        title: its name in messages.
        forward: its forward pass.
        backward: its backward pass.
        save: saves in autograd's context what the backward pass needs of the arguments and of the results.
        gradients: returns the gradients of all arguments from the context and the gradients of all results.

    Returns:
        What holds the registrations; they end with it.
    """
    library = torch.library.Library("memtape", "FRAGMENT")
    for operator, way in ((name, forward), (f"{name}_backward", backward)):
        library.define(f"{operator}({way.arguments}) -> ({', '.join(['Tensor'] * way.results)})")
        library.impl(operator, way.run, "CPU")
        torch.library.register_fake(f"memtape::{operator}", way.shapes, lib=library)

    class Differentiable(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *arguments: Any) -> tuple[Tensor, ...]:
            with torch._C._AutoDispatchBelowAutograd():
                results: tuple[Tensor, ...] = getattr(torch.ops.memtape, name)(*arguments)
            ctx.set_materialize_grads(False)
            save(ctx, arguments, results)
            return results

        @staticmethod
        def backward(ctx: Any, *d_results: Tensor | None) -> tuple[Tensor | None, ...]:
            return gradients(ctx, *d_results)

    library.impl(name, Differentiable.apply, "Autograd")
    torch.library.register_autograd(f"memtape::{name}_backward", refuse_second_gradient(title), lib=library)
    torch.library.register_autocast(f"memtape::{name}", "cpu", torch.float32, lib=library)
    return library
