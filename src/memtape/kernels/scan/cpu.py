"""CPU: the scan of diagonal steps in C++ (csrc/recurrence/scan.cpp), with its gradients, as an operator of torch."""

import ctypes
from typing import Any, TypeVar

import torch
from torch import Tensor

from memtape.core.starts import Starts
from memtape.kernels.calling import call, counted, function, refuse_second_gradient
from memtape.kernels.scan.chunkwise import chunkwise
from memtape.kernels.scan.form import ComplexDiagonal, Diagonal, LinearStep

S = TypeVar("S")

WHAT = "scan"
DTYPES = (torch.float32, torch.float64)


class _Sizes(ctypes.Structure):
    """`memtape_scan_sizes` of csrc/recurrence/scan.h."""

    _fields_ = (
        *((name, ctypes.c_int64) for name in ("batch", "time", "units", "planes", "varying", "threads")),
        *((name, ctypes.c_void_p) for name in ("lengths", "starts")),
    )


def scan_on_cpu(steps: LinearStep[S], state: S, lengths: Tensor | None, starts: Starts[S] | None) -> tuple[S, S]:
    """Run linear steps over whole sequences on the processor: diagonal ones in C++, others by `chunkwise`.

    Args:
        steps: what each step does, tensors of (batch, time, ...).
        state: the state before the first step, tensors of (batch, ...).
        lengths: how many steps of each row count, 0 too; None for all.
        starts: where the state is set back before a step; None for nowhere.

    Returns:
        The states after every step, tensors of (batch, time, ...), and those after each row's last step.

    Raises:
        MemoryError: memory ran out.
        RuntimeError: a gradient of a gradient was asked for; the reference has them.
    """
    if not isinstance(steps, Diagonal | ComplexDiagonal) or not isinstance(state, Tensor) or state.dtype not in DTYPES:
        return chunkwise(steps, state, lengths, starts)
    decay, added = steps.decay, steps.added
    if decay.shape[:2] != (1, 1):
        decay = decay.expand(added.shape)
    where, initial = (None, None) if starts is None else (starts.steps, starts.state)
    return torch.ops.memtape.scan(decay, added, state, initial, where, lengths)


def _forward(*given: Any) -> tuple[Tensor, Tensor]:
    """Return the states and the last one of each row."""
    decay, added, first, initial, starts, lengths = _contiguous(*given)
    states, last = torch.empty_like(added), torch.empty_like(first)
    sizes, _kept = _sizes(decay, added, starts, lengths)
    call(WHAT, function("scan_forward", added.dtype), sizes, decay, added, first, initial, states, last)
    return states, last


def _forward_shapes(decay: Tensor, added: Tensor, first: Tensor, *_: Any) -> tuple[Tensor, Tensor]:
    return added.new_empty(added.shape), first.new_empty(first.shape)


def _backward(*given: Any) -> tuple[Tensor, ...]:
    """Return the gradients of the decays, of what is added, of the first state and of the state at starts."""
    d_states, d_last, decay, states, first, initial, starts, lengths = _contiguous(*given[:-1])
    wants_decay = given[-1]
    d_decay, d_added, d_first, d_initial = _gradients(decay, states, first, initial, wants_decay=wants_decay)
    sizes, _kept = _sizes(decay, states, starts, lengths)
    call(
        WHAT,
        function("scan_backward", states.dtype),
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


class _Differentiable(torch.autograd.Function):
    """The operator with its gradients; see that of the machines."""

    @staticmethod
    def forward(ctx: Any, *arguments: Any) -> tuple[Tensor, Tensor]:
        with torch._C._AutoDispatchBelowAutograd():
            states, last = torch.ops.memtape.scan(*arguments)
        decay, _, *others = arguments
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(decay, states, *others)
        return states, last

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        wants = ctx.needs_input_grad
        d_decay, d_added, d_first, d_initial = torch.ops.memtape.scan_backward(*gradients, *ctx.saved_tensors, wants[0])
        return d_decay if wants[0] else None, d_added, d_first, d_initial if wants[3] else None, None, None


def _register() -> torch.library.Library:
    """Make both ways known to torch: to autograd, autocast and `torch.compile`."""
    library = torch.library.Library("memtape", "FRAGMENT")
    rest = "Tensor first, Tensor? initial, Tensor? starts, Tensor? lengths"
    library.define(f"scan(Tensor decay, Tensor added, {rest}) -> (Tensor, Tensor)")
    library.define(
        f"scan_backward(Tensor? d_states, Tensor? d_last, Tensor decay, Tensor states, {rest}, bool wants_decay) "
        "-> (Tensor, Tensor, Tensor, Tensor)"
    )
    for name, run, shapes in (
        ("scan", _forward, _forward_shapes),
        ("scan_backward", _backward, _backward_shapes),
    ):
        library.impl(name, run, "CPU")
        torch.library.register_fake(f"memtape::{name}", shapes, lib=library)
    library.impl("scan", _Differentiable.apply, "Autograd")
    torch.library.register_autograd("memtape::scan_backward", refuse_second_gradient(WHAT), lib=library)
    torch.library.register_autocast("memtape::scan", "cpu", torch.float32, lib=library)
    return library


def _contiguous(*tensors: Any) -> tuple[Any, ...]:
    return tuple(None if tensor is None else tensor.contiguous() for tensor in tensors)


def _gradients(
    decay: Tensor, states: Tensor, first: Tensor, initial: Tensor | None, *, wants_decay: bool
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return unfilled tensors for the gradients, empty for those that are not wanted."""
    new = states.new_empty
    return (
        new(decay.shape if wants_decay else 0),
        new(states.shape),
        new(first.shape),
        new(0 if initial is None else first.shape),
    )


def _sizes(decay: Tensor, added: Tensor, starts: Tensor | None, lengths: Tensor | None) -> tuple[_Sizes, Tensor | None]:
    """Return the library's record of sizes, and the lengths, which live as long as it does."""
    lengths = counted(lengths)
    return _Sizes(
        batch=added.shape[0],
        time=added.shape[1],
        units=added.shape[-1],
        planes=added.shape[2] if added.ndim == 4 else 1,
        varying=decay.shape[:2] != (1, 1),
        threads=torch.get_num_threads(),
        lengths=None if lengths is None else lengths.data_ptr(),
        starts=None if starts is None else starts.data_ptr(),
    ), lengths


_LIBRARY = _register()
