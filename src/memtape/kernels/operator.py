"""Operator: register a kernel as an operator of torch, with autograd, autocast and `torch.compile`."""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from memtape.kernels.calling import refuse_second_gradient


class Pass(NamedTuple):
    """The forward or the backward pass of a kernel."""

    arguments: str
    """The arguments, in the syntax of torch's schemas."""
    results: int
    """The number of returned tensors."""
    run: Callable[..., tuple[Tensor, ...]]
    shapes: Callable[..., tuple[Tensor, ...]]
    """Returns uninitialised tensors with the shapes and dtypes of the results of `run`."""


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

    The first is not registered with `torch.library.register_autograd`, because that parses the schema in every call,
    which takes a tenth of the time of a short sequence.

    Under autocast the operator computes in float32, except that float64 stays float64, as for torch's own operators. It has
    no forward-mode derivatives and no rules of `torch.func`: there networks run the reference.

    Args:
        name: name of the kernel.
        title: name in messages.
        forward: the forward pass.
        backward: the backward pass.
        save: saves arguments and results for the backward pass in autograd's context.
        gradients: computes the gradients of all arguments from the context and the gradients of all results.

    Returns:
        The library object; the registrations end when it is deleted.
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
