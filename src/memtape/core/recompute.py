"""Recompute: run a function without saving tensors for the backward pass, and run it again there."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree
from torch.utils.checkpoint import checkpoint, get_device_states, set_device_states

from memtape.core.backends import chosen_backend, use_backend
from memtape.core.module_snapshot import ModuleSnapshot
from memtape.core.transforms import transforming


def recomputed(run: Callable[..., Any], module: nn.Module, *arguments: Any) -> Any:
    """Run a function, save only its arguments, and run it again in the backward pass.

    The second run uses the same parameters, buffers and mode of the module as the first, also if the module has others by
    then. It draws the same random numbers, and computes in the same precision and on the same backend. Under the
    transforms of `torch.func` this is a plain call.

    `torch.utils.checkpoint` does this too, but makes a record of every tensor that it does not save: over sequences of
    small steps these records take as much time as the steps, and ten times the memory of what is saved.

    Args:
        run: a function from trees of tensors to a tree of tensors. Every tensor that needs a gradient must be one of
            its arguments or belong to the module.
        module: the module whose tensors the function uses besides its arguments.
        arguments: the arguments of the function.

    Returns:
        The results of the function.

    Raises:
        RuntimeError: in the backward pass, a parameter or buffer was changed in place since the first run, or the
            function uses another tensor that needs a gradient.
    """
    if not torch.is_grad_enabled() or transforming():
        return run(*arguments)
    if torch.compiler.is_compiling():  # the compiler supports torch's own only
        return checkpoint(run, *arguments, use_reentrant=False)
    owned: list[Tensor] = []
    call = _Call(run, ModuleSnapshot(module, owned), arguments)
    return call.outputs(_Recomputed.apply(call, *call.tensors(arguments), *owned))


class _Call:
    """Call a function repeatedly with the same random numbers, precision, backend and mode of its module."""

    def __init__(self, run: Callable[..., Any], snapshot: ModuleSnapshot, arguments: tuple[Any, ...]):
        leaves, self._form = pytree.tree_flatten(arguments)
        self._run, self.snapshot = run, snapshot
        self._plain = [None if isinstance(leaf, Tensor) else leaf for leaf in leaves]
        self._places = [place for place, leaf in enumerate(leaves) if isinstance(leaf, Tensor)]
        tensors = self.tensors(arguments)
        self.count = len(tensors)
        self._device = tensors[0].device.type
        self._precision = torch.is_autocast_enabled(self._device), torch.get_autocast_dtype(self._device)
        self._backend = chosen_backend()
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

    def again(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """Run the function as in the first call, with other tensors as its arguments and in the module."""
        given, owned = tensors[: self.count], tensors[self.count :]
        with (
            torch.enable_grad(),
            self._same_random_numbers(),
            use_backend(self._backend),
            self.snapshot.restored(owned),
        ):
            return self(given)

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
    def _same_random_numbers(self) -> Any:
        """Draw the same random numbers as in the first call, and restore the generators afterwards."""
        state, (devices, states) = self._random
        with torch.random.fork_rng(devices=devices, device_type=self._device if devices else "cuda"):
            torch.set_rng_state(state)
            set_device_states(devices, states)
            yield


class _Recomputed(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, call: _Call, *tensors: Tensor) -> tuple[Tensor, ...]:
        ctx.call = call
        ctx.set_materialize_grads(False)
        changeable = [call.count + number for number in call.snapshot.buffers]
        before = {place: tensors[place].clone() for place in changeable}
        results = call(tensors[: call.count])
        # A buffer that the run itself changes, such as a running mean, has its earlier value again in the second run.
        ctx.changed = {place for place, value in before.items() if not torch.equal(value, tensors[place])}
        ctx.save_for_backward(
            *(before[place] if place in ctx.changed else tensor for place, tensor in enumerate(tensors))
        )
        ctx.mark_non_differentiable(*[result for result in results if not result.is_floating_point()])
        return tuple(results)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        call, twice, wishes = ctx.call, torch.is_grad_enabled(), ctx.needs_input_grad[1:]
        stand_ins = [
            tensor.clone()
            if place in ctx.changed
            else tensor
            if place >= call.count and _stands_for_itself(tensor, wish, twice)
            else _stand_in(tensor, wish, twice)
            for place, (tensor, wish) in enumerate(zip(ctx.saved_tensors, wishes, strict=True))
        ]
        results = call.again(stand_ins)
        pairs = [
            (result, gradient)
            for result, gradient in zip(results, gradients, strict=True)
            if gradient is not None and result.requires_grad
        ]
        wanted = [tensor for tensor, wish in zip(stand_ins, wishes, strict=True) if wish]
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
        return None, *(next(found) if wish else None for wish in wishes)


def _stand_in(tensor: Tensor, wish: bool, twice: bool) -> Tensor:
    """Return an alias, so that the gradient contains no path through other inputs and no hook runs twice."""
    return tensor.view_as(tensor) if twice else tensor.detach().requires_grad_(wish)


def _stands_for_itself(tensor: Tensor, wish: bool, twice: bool) -> bool:
    """Return whether a tensor of the module can be left in its place, where other threads may use it."""
    return not twice and tensor.is_leaf and not tensor._backward_hooks and tensor.requires_grad == wish


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
