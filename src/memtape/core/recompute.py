"""Recompute: run a function without saving tensors for the backward pass, and run it again there."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.utils import _pytree as pytree
from torch.utils.checkpoint import checkpoint, get_device_states, set_device_states


def recomputed(run: Callable[..., Any], parameters: Iterable[Tensor], *arguments: Any) -> Any:
    """Run a function, save only its arguments, and run it again in the backward pass.

    `torch.utils.checkpoint` does this too, but makes a record of every tensor that it does not save: over sequences of
    small steps these records take as much time as the steps, and ten times the memory of what is saved.

    Args:
        run: a function from trees of tensors to a tree of tensors. Every tensor that needs a gradient must be one of
            its arguments or of the parameters.
        parameters: tensors that the function uses besides its arguments.
        arguments: the arguments of the function.

    Returns:
        The results of the function.

    Raises:
        RuntimeError: in the backward pass, the function uses another tensor that needs a gradient.
    """
    if not torch.is_grad_enabled():
        return run(*arguments)
    if torch.compiler.is_compiling():  # the compiler supports torch's own only
        return checkpoint(run, *arguments, use_reentrant=False)
    call = _Call(run, list(parameters), arguments)
    return call.outputs(_Recomputed.apply(call, *call.tensors(arguments), *call.parameters))


class _Call:
    """Call a function repeatedly with the same random numbers and precision."""

    def __init__(self, run: Callable[..., Any], parameters: list[Tensor], arguments: tuple[Any, ...]):
        leaves, self._form = pytree.tree_flatten(arguments)
        self._run, self.parameters = run, [parameter for parameter in parameters if parameter.requires_grad]
        self._plain = [None if isinstance(leaf, Tensor) else leaf for leaf in leaves]
        self._places = [place for place, leaf in enumerate(leaves) if isinstance(leaf, Tensor)]
        tensors = self.tensors(arguments)
        self._device = tensors[0].device.type
        self._precision = torch.is_autocast_enabled(self._device), torch.get_autocast_dtype(self._device)
        self._random = torch.get_rng_state(), get_device_states(*tensors)
        self._results: tuple[list[Any], Any] = [], None

    def tensors(self, arguments: tuple[Any, ...]) -> list[Tensor]:
        """Return the tensors among the arguments."""
        leaves = pytree.tree_leaves(arguments)
        return [leaves[place] for place in self._places]

    def __call__(self, tensors: Iterable[Tensor]) -> list[Tensor]:
        """Run the function with other tensors as its arguments, and return the tensors of its results."""
        leaves = list(self._plain)
        for place, tensor in zip(self._places, tensors, strict=True):
            leaves[place] = tensor
        with self._same_precision():
            results, form = pytree.tree_flatten(self._run(*pytree.tree_unflatten(leaves, self._form)))
        self._results = [None if isinstance(result, Tensor) else result for result in results], form
        return [result for result in results if isinstance(result, Tensor)]

    def outputs(self, tensors: Iterable[Tensor]) -> Any:
        """Return tensors in the structure of the function's results."""
        results, form = self._results
        given = iter(tensors)
        return pytree.tree_unflatten([next(given) if result is None else result for result in results], form)

    def _same_precision(self) -> AbstractContextManager[Any]:
        enabled, dtype = self._precision
        # The cache of autocast may hold parameters that were cast without a gradient.
        return torch.autocast(self._device, dtype=dtype, enabled=enabled, cache_enabled=False)

    @contextmanager
    def same_random_numbers(self) -> Any:
        """Draw the same random numbers as in the first call, and restore the generators afterwards."""
        state, (devices, states) = self._random
        with torch.random.fork_rng(devices=devices, device_type=self._device if devices else "cuda"):
            torch.set_rng_state(state)
            set_device_states(devices, states)
            yield


class _Recomputed(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, call: _Call, *tensors: Tensor) -> tuple[Tensor, ...]:
        ctx.call, ctx.count = call, len(tensors) - len(call.parameters)
        ctx.save_for_backward(*tensors[: ctx.count])
        ctx.set_materialize_grads(False)
        results = call(tensors[: ctx.count])
        ctx.mark_non_differentiable(*[result for result in results if not result.is_floating_point()])
        return tuple(results)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        call, twice = ctx.call, torch.is_grad_enabled()
        wishes = ctx.needs_input_grad[1 : 1 + ctx.count]
        tensors = list(ctx.saved_tensors)
        if not twice:
            tensors = [tensor.detach().requires_grad_(wish) for tensor, wish in zip(tensors, wishes, strict=True)]
        with torch.enable_grad(), call.same_random_numbers():
            results = call(tensors)
        pairs = [
            (result, gradient)
            for result, gradient in zip(results, gradients, strict=True)
            if gradient is not None and result.requires_grad
        ]
        wanted = [tensor for tensor, wish in zip(tensors, wishes, strict=True) if wish] + call.parameters
        _refuse_others([result for result, _ in pairs], wanted)
        found = iter(
            torch.autograd.grad(
                [result for result, _ in pairs],
                wanted,
                [gradient for _, gradient in pairs],
                allow_unused=True,
                create_graph=twice,
            )
            if pairs
            else [None] * len(wanted)
        )
        inputs = [next(found) if wish else None for wish in wishes]
        return None, *inputs, *found


def _refuse_others(results: list[Tensor], wanted: list[Tensor]) -> None:
    """Raise if the results depend on a tensor that needs a gradient, but is not in `wanted`."""
    known = {id(tensor) for tensor in wanted}
    seen = {tensor.grad_fn for tensor in wanted}  # nodes before these are not part of the run
    nodes: list[Any] = []
    for result in results:
        if result.grad_fn is None:
            _refuse_other(result, known)
        elif result.grad_fn not in seen:
            seen.add(result.grad_fn)
            nodes.append(result.grad_fn)
    while nodes:
        node = nodes.pop()
        if hasattr(node, "variable"):
            _refuse_other(node.variable, known)
        for following, _ in node.next_functions:
            if following is not None and following not in seen:
                seen.add(following)
                nodes.append(following)


def _refuse_other(leaf: Tensor, known: set[int]) -> None:
    if id(leaf) not in known:
        raise RuntimeError(
            f"a step uses a tensor of shape {tuple(leaf.shape)} that needs a gradient, but is neither a parameter of the "
            "cell nor part of the inputs or the state, so that its gradient would be lost in recomputation; make it one "
            "of these, or leave checkpoint_every out"
        )
