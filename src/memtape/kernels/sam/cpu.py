"""CPU: the sparse machine in C++ (csrc/sparse_machine.cpp), with its gradients, as an operator of torch.

Memory and links are copied once, when they are not known to be empty, and changed in place; what is kept for the way back does
not depend on the number of slots, and the gradient of a first memory is made only where it is wanted.
"""

import ctypes
from typing import Any, NamedTuple

import numpy
import torch
from torch import Tensor

from memtape.kernels.calling import call, counted, function, pointers, record_of, refuse_second_gradient
from memtape.kernels.operator import CONTROLLERS, PARAMETERS, Given, MachineParameters, MachineSizes
from memtape.kernels.sam.form import SparseForm, SparseState

STRENGTHS = ("none", "softplus", "oneplus")
"""In the order of their numbers in csrc/sparse_interface.hpp."""

STATE = tuple(SparseState.__dataclass_fields__)
FEW = 4096
"""So many slots are looked through one by one even where approximate neighbours will do."""

DIFFERENTIABLE = ("memory", "read_weights")
LINKS = tuple(name for name in STATE if name.endswith(("_places", "_weights")) and name not in DIFFERENTIABLE)
LARGE = (*DIFFERENTIABLE, "usage", *LINKS)
"""The parts of the state that are changed in place, most of them with numbers for each slot; they come first."""

GIVEN = 1 + len(PARAMETERS) + len(STATE)


class _Sizes(ctypes.Structure):
    """`memtape_sparse_sizes` of csrc/sparse_machine.h."""

    _fields_ = (
        ("machine", MachineSizes),
        *((name, ctypes.c_int64) for name in ("slots", "width", "heads", "nearest", "first_nearest", "links", "few")),
        *((name, ctypes.c_int64) for name in ("squash", "strengths", "empty", "unread", "unused", "unlinked")),
        ("threshold", ctypes.c_double),
        ("clip", ctypes.c_double),
        ("memory", ctypes.c_void_p),
        ("rolled_back", ctypes.c_void_p),
    )


class _Form(NamedTuple):
    """The form of a machine in whole numbers."""

    controller: int
    shortcuts: int
    nearest: int
    few: int
    squash: int
    strengths: int


_Parameters = record_of(len(PARAMETERS))
_State = record_of(len(STATE))
"""`memtape_sparse_state`, in the order of `SparseState`."""


def sparse_machine_on_cpu(
    form: SparseForm, parameters: MachineParameters, state: SparseState, xs: Tensor, lengths: Tensor | None
) -> tuple[Tensor, SparseState]:
    """Run a machine over whole sequences on the processor.

    Args:
        form: what kind of machine.
        parameters: its parameters.
        state: the state before the first step; a part that is one zero, expanded, costs nothing.
        xs: the inputs, finite also beyond a row's length.
        lengths: how many steps of each row count, 0 too; None for all.

    Returns:
        The outputs, zero beyond a row's length, and the state after each row's last step.

    Raises:
        MemoryError: memory ran out.
        RuntimeError: a gradient of a gradient was asked for; the reference has them.
    """
    whole = _Form(
        controller=CONTROLLERS.index(form.controller),
        shortcuts=form.shortcuts,
        nearest=form.nearest,
        few=FEW if form.approximate else 0,
        squash=form.squash,
        strengths=STRENGTHS.index(form.strengths),
    )
    given = [xs, *(getattr(parameters, name) for name in PARAMETERS), *(getattr(state, name) for name in STATE)]
    keep = torch.is_grad_enabled() and any(tensor.requires_grad for tensor in given)
    ys, *last, _, _ = torch.ops.memtape.sparse_machine(
        *given, lengths, [int(number) for number in whole], [form.threshold, form.clip], keep
    )
    return ys, SparseState(**dict(zip(STATE, last, strict=True)))


def _forward(*arguments: Any) -> tuple[Tensor, ...]:
    """Return the outputs, the last state, and what is kept for the way back."""
    given, (lengths, form, numbers, keep) = Given.of(arguments[:GIVEN]), arguments[GIVEN:]
    lengths = counted(lengths)
    sizes = _sizes(given, lengths, form, numbers)
    for name, tensor in zip(("empty", "unread", "unused"), given.state, strict=False):
        setattr(sizes, name, _is_one_zero(tensor))
    links = dict(zip(STATE, given.state, strict=True))
    sizes.unlinked = all(_is_one_zero(links[name]) for name in LINKS if name.endswith("weights"))
    if not sizes.unread and given.state[1].numel():
        sizes.first_nearest = max(sizes.first_nearest, int((given.state[1] != 0).sum(-1).amax()))
    large = tuple(_copied(tensor) for tensor in given.state[: len(LARGE)])
    given = Given(given.xs, given.parameters, (*large, *given.state[len(LARGE) :])).contiguous()
    last = (*large, *(torch.empty_like(tensor) for tensor in given.state[len(LARGE) :]))
    ys = given.xs.new_empty(*given.xs.shape[:2], len(given.parameters[-1]))
    kept = given.xs.new_empty(_kept(given, sizes) if keep else 0)
    call(
        "sparse machine",
        function("sparse_forward", given.xs.dtype),
        sizes,
        pointers(_Parameters, given.parameters),
        given.xs,
        pointers(_State, given.state),
        ys,
        pointers(_State, last),
        kept if keep else None,
    )
    return ys, *last, kept, torch.tensor(sizes.first_nearest)


def _forward_shapes(*arguments: Any) -> tuple[Tensor, ...]:
    """Return tensors of the usual shapes; more is kept where heads have read more slots than `nearest` before."""
    given, (_, form, numbers, keep) = Given.of(arguments[:GIVEN]), arguments[GIVEN:]
    ys = given.xs.new_empty(*given.xs.shape[:2], len(given.parameters[-1]))
    kept = given.xs.new_empty(_kept(given, _sizes(given, None, form, numbers)) if keep else 0)
    return ys, *(tensor.new_empty(tensor.shape) for tensor in given.state), kept, torch.empty((), dtype=torch.int64)


def _backward(*arguments: Any) -> tuple[Tensor, ...]:
    """Return the gradients of everything in `Given`; those of inputs, memory and read weights empty unless wanted.

    In the place of the first memory stands the last, and the other large parts are not looked at.
    """
    d_ys, *d_last = (None if gradient is None else gradient.contiguous() for gradient in arguments[: 1 + len(STATE)])
    given = Given.of(arguments[1 + len(STATE) : 1 + len(STATE) + GIVEN])
    kept, first_nearest, lengths, form, numbers, wanted = arguments[1 + len(STATE) + GIVEN :]
    memory, *unseen = given.state[: len(LARGE)]
    state = (memory.contiguous(), *unseen, *(tensor.contiguous() for tensor in given.state[len(LARGE) :]))
    given = Given(given.xs.contiguous(), tuple(tensor.contiguous() for tensor in given.parameters), state)
    lengths = counted(lengths)
    sizes = _sizes(given, lengths, form, numbers)
    sizes.first_nearest, sizes.memory = int(first_nearest), given.state[0].data_ptr()
    found = _gradients(given, wanted)
    d_given = Given.of(found)
    wants_xs, *wants_large = wanted
    d_large = [d if want else None for d, want in zip(d_given.state, wants_large, strict=False)]
    d_first = [*d_large, *[None] * (len(LARGE) - len(d_large)), *d_given.state[len(LARGE) :]]
    call(
        "sparse machine",
        function("sparse_backward", given.xs.dtype),
        sizes,
        pointers(_Parameters, given.parameters),
        given.xs,
        kept,
        d_ys,
        pointers(_State, d_last),
        pointers(_Parameters, d_given.parameters),
        d_given.xs if wants_xs else None,
        pointers(_State, d_first),
    )
    return found


def _backward_shapes(*arguments: Any) -> tuple[Tensor, ...]:
    return _gradients(Given.of(arguments[1 + len(STATE) : 1 + len(STATE) + GIVEN]), arguments[-1])


class _Differentiable(torch.autograd.Function):
    """The operator with its gradients, as `memtape.kernels.operator` has them."""

    @staticmethod
    def forward(ctx: Any, *arguments: Any) -> tuple[Tensor, ...]:
        with torch._C._AutoDispatchBelowAutograd():
            results: tuple[Tensor, ...] = torch.ops.memtape.sparse_machine(*arguments)
        first, large = 1 + len(PARAMETERS), len(LARGE)
        _, memory, read_weights, usage, *_, kept, first_nearest = results
        ctx.set_materialize_grads(False)
        ctx.mark_non_differentiable(*results[1 + len(DIFFERENTIABLE) : 1 + large], kept, first_nearest)
        unseen = arguments[first + len(DIFFERENTIABLE) + 1 : first + large]
        small = arguments[first + large : GIVEN]
        ctx.save_for_backward(
            *arguments[:first], memory, read_weights, usage, *unseen, *small, kept, first_nearest, arguments[GIVEN]
        )
        ctx.form, ctx.numbers = arguments[GIVEN + 1 : GIVEN + 3]
        return results

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        first = 1 + len(PARAMETERS)
        last = first + len(DIFFERENTIABLE)
        wanted = [ctx.needs_input_grad[0], *ctx.needs_input_grad[first:last]]
        d_xs, *others = torch.ops.memtape.sparse_machine_backward(
            *gradients[: 1 + len(STATE)], *ctx.saved_tensors, ctx.form, ctx.numbers, wanted
        )
        found = [d_xs if wanted[0] else None, *others]
        found[first:last] = [d if want else None for d, want in zip(found[first:last], wanted[1:], strict=True)]
        found[last : first + len(LARGE)] = [None] * (len(LARGE) - len(DIFFERENTIABLE))
        return *found, None, None, None, None


def _register() -> torch.library.Library:
    """Make both ways known to torch: to autograd, autocast and `torch.compile`."""
    library = torch.library.Library("memtape", "FRAGMENT")
    given = ", ".join(f"Tensor {name}" for name in ("xs", *PARAMETERS, *STATE))
    d_last = ", ".join(f"Tensor? d_{name}" for name in ("ys", *STATE))
    some = "Tensor? lengths, int[] form, float[] numbers"
    back = f"{d_last}, {given}, Tensor kept, Tensor first_nearest, {some}, bool[] wanted"
    library.define(f"sparse_machine({given}, {some}, bool keep) -> ({_several(3 + len(STATE))})")
    library.define(f"sparse_machine_backward({back}) -> ({_several(GIVEN)})")
    for name, way, shapes in (
        ("sparse_machine", _forward, _forward_shapes),
        ("sparse_machine_backward", _backward, _backward_shapes),
    ):
        library.impl(name, way, "CPU")
        torch.library.register_fake(f"memtape::{name}", shapes, lib=library)
    library.impl("sparse_machine", _Differentiable.apply, "Autograd")
    torch.library.register_autograd(
        "memtape::sparse_machine_backward", refuse_second_gradient("sparse machine"), lib=library
    )
    torch.library.register_autocast("memtape::sparse_machine", "cpu", torch.float32, lib=library)
    return library


def _several(count: int) -> str:
    return ", ".join(["Tensor"] * count)


def _is_one_zero(tensor: Tensor) -> bool:
    """Tell whether a tensor is a single zero, expanded."""
    if not tensor.numel() or any(
        stride and size > 1 for stride, size in zip(tensor.stride(), tensor.shape, strict=True)
    ):
        return False
    return float(tensor[(0,) * tensor.ndim]) == 0


def _copied(tensor: Tensor) -> Tensor:
    """Return a copy in one piece; zeros come from numpy, which leaves pages alone that nobody touches."""
    if _is_one_zero(tensor):
        return torch.from_numpy(numpy.zeros(tensor.shape, dtype=str(tensor.dtype).removeprefix("torch.")))
    return tensor.clone(memory_format=torch.contiguous_format)


def _gradients(given: Given, wanted: list[bool]) -> tuple[Tensor, ...]:
    """Return unfilled tensors for the gradients."""
    new = given.xs.new_empty
    wants_xs, *wants_large = wanted
    wants_large = [*wants_large, *[False] * (len(LARGE) - len(wants_large))]
    large, small = given.state[: len(LARGE)], given.state[len(LARGE) :]
    return (
        new(given.xs.shape if wants_xs else 0),
        *(new(tensor.shape) for tensor in given.parameters),
        *(new(tensor.shape if want else 0) for tensor, want in zip(large, wants_large, strict=True)),
        *(new(tensor.shape) for tensor in small),
    )


def _sizes(given: Given, lengths: Tensor | None, form: list[int], numbers: list[float]) -> _Sizes:
    memory, read_weights, *_, last_weights, _, hidden, _ = given.state
    told = _Form(*form)
    threshold, clip = numbers
    return _Sizes(
        machine=MachineSizes.of(given, lengths, hidden, controller=told.controller, shortcuts=told.shortcuts),
        slots=memory.shape[1],
        width=memory.shape[2],
        heads=read_weights.shape[1],
        nearest=told.nearest,
        first_nearest=told.nearest,
        links=last_weights.shape[1],
        few=told.few,
        squash=told.squash,
        strengths=told.strengths,
        threshold=threshold,
        clip=clip,
    )


def _kept(given: Given, sizes: _Sizes) -> int:
    """Return how many numbers are kept for the way back."""
    return int(function("sparse_kept", given.xs.dtype)(ctypes.byref(sizes)))


_LIBRARY = _register()
