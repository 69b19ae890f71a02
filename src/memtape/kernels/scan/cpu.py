"""CPU: the scan of diagonal steps in C++ (csrc/recurrence/scan.cpp), with its gradients, as an operator of torch."""

import ctypes
from typing import Any, TypeVar

import torch
from torch import Tensor

from memtape.core.compiled_library import expect
from memtape.core.starts import Starts
from memtape.kernels import arguments, schema
from memtape.kernels.calling import call, contiguous, function
from memtape.kernels.operator import Pass, register
from memtape.kernels.scan.chunkwise import chunkwise
from memtape.kernels.scan.form import ComplexDiagonal, Diagonal, LinearStep

S = TypeVar("S")

NAME = "scan"


FUNCTIONS = {
    "forward": ("sizes", "decay", "added", "first", "initial", "states", "last"),
    "backward": (
        *("sizes", "decay", "states", "first", "initial", "d_states", "d_last"),
        *("d_decay", "d_added", "d_first", "d_initial"),
    ),
}
"""The arguments of the library's functions, in their order."""

_Sizes = schema.struct(
    (
        *dict.fromkeys(("batch", "time", "units", "planes", "varying", "threads"), ctypes.c_int64).items(),
        *dict.fromkeys(("lengths", "starts"), ctypes.c_void_p).items(),
    )
)
expect(NAME, schema.layout({"sizes": _Sizes}, FUNCTIONS))


def scan_on_cpu(steps: LinearStep[S], state: S, lengths: Tensor | None, starts: Starts[S] | None) -> tuple[S, S]:
    """Run linear steps over whole sequences on the CPU: diagonal ones in C++, others by `chunkwise`.

    Args:
        steps: the linear steps, tensors of (batch, time, ...).
        state: the state before the first step, tensors of (batch, ...).
        lengths: number of valid steps of each row, which may be 0; None for all.
        starts: where the state is reset before a step; None for nowhere.

    Returns:
        The states after every step, tensors of (batch, time, ...), and those after each row's last step.

    Raises:
        MemoryError: the memory is exhausted.
        RuntimeError: a gradient of a gradient is requested, which only the reference has.
        ValueError: a tensor has another shape, dtype or device than the others need.
    """
    if (
        not isinstance(steps, Diagonal | ComplexDiagonal)
        or not isinstance(state, Tensor)
        or state.dtype not in arguments.DTYPES
    ):
        return chunkwise(steps, state, lengths, starts)
    decay, added = steps.decay, steps.added
    if decay.shape[:2] != (1, 1):
        decay = decay.expand(added.shape)
    where, initial = (None, None) if starts is None else (starts.steps, starts.state)
    return torch.ops.memtape.scan(decay, added, state, initial, where, lengths)


def _forward(*given: Any) -> tuple[Tensor, Tensor]:
    """Return the states and the last one of each row."""
    lengths = _checked(*given)
    decay, added, first, initial, starts = contiguous(given[:-1])
    states, last = torch.empty_like(added), torch.empty_like(first)
    sizes = _sizes(decay, added, starts, lengths)
    call(NAME, function(f"{NAME}_forward", added.dtype), sizes, decay, added, first, initial, states, last)
    return states, last


def _forward_shapes(decay: Tensor, added: Tensor, first: Tensor, *_: Any) -> tuple[Tensor, Tensor]:
    return added.new_empty(added.shape), first.new_empty(first.shape)


def _backward(*given: Any) -> tuple[Tensor, ...]:
    """Return the gradients of the decays, of what is added, of the first state and of the state at starts."""
    *gradients, _, states, first, _, _, _, wants_decay = given
    lengths = _checked(*given[2:-1])
    names = ("the gradient of states", "the gradient of last")
    wanted = dict(zip(names, (states.shape, first.shape), strict=True))
    arguments.like(NAME, dict(zip(names, gradients, strict=True)), wanted, states.dtype)
    d_states, d_last, decay, states, first, initial, starts = contiguous(given[:-2])
    d_decay, d_added, d_first, d_initial = _gradients(decay, states, first, initial, wants_decay=wants_decay)
    sizes = _sizes(decay, states, starts, lengths)
    call(
        NAME,
        function(f"{NAME}_backward", states.dtype),
        sizes,
        decay,
        states,
        first,
        initial,
        d_states,
        d_last,
        d_decay if wants_decay else None,
        d_added,
        d_first,
        None if initial is None else d_initial,
    )
    return d_decay, d_added, d_first, d_initial


def _backward_shapes(*given: Any) -> tuple[Tensor, ...]:
    return _gradients(*given[2:6], wants_decay=given[-1])


def _save(ctx: Any, arguments: tuple[Any, ...], results: tuple[Tensor, ...]) -> None:
    decay, _, *others = arguments
    ctx.save_for_backward(decay, results[0], *others)


def _autograd(ctx: Any, *d_results: Tensor | None) -> tuple[Tensor | None, ...]:
    wants = ctx.needs_input_grad
    d_decay, d_added, d_first, d_initial = torch.ops.memtape.scan_backward(*d_results, *ctx.saved_tensors, wants[0])
    return d_decay if wants[0] else None, d_added, d_first, d_initial if wants[3] else None, None, None


def _register() -> torch.library.Library:
    rest = "Tensor first, Tensor? initial, Tensor? starts, Tensor? lengths"
    given = f"Tensor decay, Tensor added, {rest}"
    back = f"Tensor? d_states, Tensor? d_last, Tensor decay, Tensor states, {rest}, bool wants_decay"
    forward, backward = Pass(given, 2, _forward, _forward_shapes), Pass(back, 4, _backward, _backward_shapes)
    return register(NAME, NAME, forward=forward, backward=backward, save=_save, gradients=_autograd)


def _gradients(
    decay: Tensor, states: Tensor, first: Tensor, initial: Tensor | None, *, wants_decay: bool
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return uninitialised tensors for the gradients, empty for those that are not needed."""
    new = states.new_empty
    return (
        new(decay.shape if wants_decay else 0),
        new(states.shape),
        new(first.shape),
        new(0 if initial is None else first.shape),
    )


def _checked(*given: Any) -> Tensor | None:
    """Return the lengths in the library's format, or raise if the arguments do not fit one another."""
    decay, added, first, initial, starts, lengths = given
    if added.dim() not in (3, 4):
        raise ValueError(
            f"the fused {NAME} got steps of shape {tuple(added.shape)}, but its axes are (batch, time, units) or "
            "(batch, time, 2, units); give a tensor with these axes"
        )
    named = {"added": added, "decay": decay, "first": first, "initial": initial}
    arguments.same_kind(NAME, named)
    (batch, time), rest = added.shape[:2], tuple(added.shape[2:])
    one = (1, 1) if tuple(decay.shape[:2]) == (1, 1) else (batch, time)
    if (initial is None) != (starts is None):
        raise ValueError(f"the fused {NAME} got only one of initial and starts; give both or neither")
    wanted = {"decay": (*one, *rest), "first": (batch, *rest), "initial": (batch, *rest)}
    wrong = {
        name: named[name] for name, shape in wanted.items() if named[name] is not None and named[name].shape != shape
    }
    for name, tensor in wrong.items():
        raise ValueError(
            f"the fused {NAME} got {name} of shape {tuple(tensor.shape)}, but steps of shape {tuple(added.shape)} need "
            f"{wanted[name]}; make their sizes fit"
        )
    if len(rest) == 2 and rest[0] != 2:
        raise ValueError(
            f"the fused {NAME} got {rest[0]} parts of numbers, but there are 2, real and imaginary; give both"
        )
    if starts is not None and (starts.shape != (batch, time) or starts.dtype != torch.bool or not starts.is_cpu):
        raise ValueError(
            f"the fused {NAME} got starts of shape {tuple(starts.shape)}, but it needs booleans of shape {(batch, time)} on "
            "the CPU; give one for each step"
        )
    return arguments.lengths(NAME, lengths, batch, time)


def _sizes(decay: Tensor, added: Tensor, starts: Tensor | None, lengths: Tensor | None) -> Any:
    """Return the C struct of all sizes."""
    return _Sizes(
        batch=added.shape[0],
        time=added.shape[1],
        units=added.shape[-1],
        planes=added.shape[2] if added.ndim == 4 else 1,
        varying=decay.shape[:2] != (1, 1),
        threads=torch.get_num_threads(),
        lengths=None if lengths is None else lengths.data_ptr(),
        starts=None if starts is None else starts.data_ptr(),
    )


_LIBRARY = _register()
