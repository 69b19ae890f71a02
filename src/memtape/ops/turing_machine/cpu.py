"""CPU: the Turing machine in C++ (csrc/turing_machine.cpp), with its gradients, as an operator of torch."""

import ctypes
from typing import Any, NamedTuple

import torch
from torch import Tensor

from memtape.ops.calling import call, counted, function, pointers, record_of, refuse_second_gradient
from memtape.ops.turing_machine.contract import MachineForm, MachineParameters, MachineState

CONTROLLERS = ("lstm", "gru", "rnn", "feedforward")
"""In the order of their numbers in csrc/controller.hpp."""

PARAMETERS = tuple(MachineParameters.__dataclass_fields__)
STATE = tuple(MachineState.__dataclass_fields__)


class _Form(NamedTuple):
    """The form of a machine in whole numbers."""

    controller: int
    read_heads: int
    shift_range: int
    location: int
    cosine: int
    read_first: int
    squash: int


class _Given(NamedTuple):
    """What goes into the operator."""

    xs: Tensor
    parameters: tuple[Tensor, ...]
    state: tuple[Tensor, ...]

    @classmethod
    def of(cls, tensors: tuple[Tensor, ...]) -> "_Given":
        return cls(tensors[0], tensors[1 : 1 + len(PARAMETERS)], tensors[1 + len(PARAMETERS) :])

    def contiguous(self) -> "_Given":
        return _Given(self.xs.contiguous(), *(tuple(t.contiguous() for t in part) for part in self[1:]))


GIVEN = 1 + len(PARAMETERS) + len(STATE)


class _Sizes(ctypes.Structure):
    """`memtape_turing_sizes` of csrc/turing_machine.h."""

    _fields_ = (
        *(
            (name, ctypes.c_int64)
            for name in ("batch", "time", "inputs", "outputs", "hidden", "layers", "slots", "width")
        ),
        *((name, ctypes.c_int64) for name in ("reads", "writes", "reach", "controller", "location", "cosine")),
        *((name, ctypes.c_int64) for name in ("read_first", "squash", "threads")),
        ("clip", ctypes.c_double),
        ("lengths", ctypes.c_void_p),
    )


_Parameters = record_of(len(PARAMETERS))
"""`memtape_turing_parameters`, whose pointers stand in the order of `MachineParameters`."""

_State = record_of(len(STATE))
"""`memtape_turing_state`, in the order of `MachineState`."""


def turing_machine_on_cpu(
    form: MachineForm, parameters: MachineParameters, state: MachineState, xs: Tensor, lengths: Tensor | None
) -> tuple[Tensor, MachineState]:
    """Run a machine over whole sequences on the processor.

    Args:
        form: what kind of machine.
        parameters: its parameters.
        state: the state before the first step.
        xs: the inputs, finite also beyond a row's length.
        lengths: how many steps of each row count, 0 too; None for all.

    Returns:
        The outputs, zero beyond a row's length, and the state after each row's last step.

    Raises:
        MemoryError: memory ran out.
        RuntimeError: a gradient of a gradient was asked for; the reference has them.
    """
    numbers = _Form(
        controller=CONTROLLERS.index(form.controller),
        read_heads=form.read_heads,
        shift_range=form.shift_range,
        location=form.location,
        cosine=form.cosine,
        read_first=form.read_first,
        squash=form.squash,
    )
    given = [xs, *(getattr(parameters, name) for name in PARAMETERS), *(getattr(state, name) for name in STATE)]
    keep = torch.is_grad_enabled() and any(tensor.requires_grad for tensor in given)
    ys, *last, _ = torch.ops.memtape.turing_machine(
        *given, lengths, [int(number) for number in numbers], form.clip, keep
    )
    return ys, MachineState(**dict(zip(STATE, last, strict=True)))


def _forward(*arguments: Any) -> tuple[Tensor, ...]:
    """Return the outputs, the last state, and what is kept for the way back."""
    given, (lengths, form, clip, keep) = _Given.of(arguments[:GIVEN]).contiguous(), arguments[GIVEN:]
    lengths = counted(lengths)
    sizes = _sizes(given, lengths, form, clip)
    ys, last = _outputs(given)
    kept = given.xs.new_empty(_kept(given, sizes) if keep else 0)
    call(
        "Turing machine",
        function("turing_forward", given.xs.dtype),
        sizes,
        pointers(_Parameters, given.parameters),
        given.xs,
        pointers(_State, given.state),
        ys,
        pointers(_State, last),
        kept if keep else None,
    )
    return ys, *last, kept


def _forward_shapes(*arguments: Any) -> tuple[Tensor, ...]:
    given, (_, form, clip, keep) = _Given.of(arguments[:GIVEN]), arguments[GIVEN:]
    ys, last = _outputs(given)
    return ys, *last, given.xs.new_empty(_kept(given, _sizes(given, None, form, clip)) if keep else 0)


def _backward(*arguments: Any) -> tuple[Tensor, ...]:
    """Return the gradients of everything in `_Given`, that of the inputs empty unless wanted."""
    d_ys, *d_last = (None if gradient is None else gradient.contiguous() for gradient in arguments[: 1 + len(STATE)])
    given = _Given.of(arguments[1 + len(STATE) : 1 + len(STATE) + GIVEN]).contiguous()
    kept, lengths, form, clip, wants_xs = arguments[1 + len(STATE) + GIVEN :]
    lengths = counted(lengths)
    d_xs, *others = _gradients(given, wants_xs)
    d_given = _Given.of((d_xs, *others))
    call(
        "Turing machine",
        function("turing_backward", given.xs.dtype),
        _sizes(given, lengths, form, clip),
        pointers(_Parameters, given.parameters),
        given.xs,
        kept,
        d_ys,
        pointers(_State, d_last),
        pointers(_Parameters, d_given.parameters),
        d_xs if wants_xs else None,
        pointers(_State, d_given.state),
    )
    return d_xs, *others


def _backward_shapes(*arguments: Any) -> tuple[Tensor, ...]:
    return _gradients(_Given.of(arguments[1 + len(STATE) : 1 + len(STATE) + GIVEN]), arguments[-1])


class _Differentiable(torch.autograd.Function):
    """The operator with its gradients.

    `torch.library.register_autograd` would do the same, but reads the schema anew in every call, which takes a tenth of a
    short sequence's time.
    """

    @staticmethod
    def forward(ctx: Any, *arguments: Any) -> tuple[Tensor, ...]:
        with torch._C._AutoDispatchBelowAutograd():
            results = torch.ops.memtape.turing_machine(*arguments)
        ctx.set_materialize_grads(False)
        ctx.mark_non_differentiable(results[-1])
        ctx.save_for_backward(*arguments[:GIVEN], results[-1], arguments[GIVEN])
        ctx.form, ctx.clip = arguments[GIVEN + 1 : GIVEN + 3]
        return results

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        wants_xs = ctx.needs_input_grad[0]
        d_xs, *others = torch.ops.memtape.turing_machine_backward(
            *gradients[:-1], *ctx.saved_tensors, ctx.form, ctx.clip, wants_xs
        )
        return d_xs if wants_xs else None, *others, None, None, None, None


def _register() -> torch.library.Library:
    """Make both ways known to torch: to autograd, autocast and `torch.compile`."""
    library = torch.library.Library("memtape", "FRAGMENT")
    given = ", ".join(f"Tensor {name}" for name in ("xs", *PARAMETERS, *STATE))
    d_last = ", ".join(f"Tensor? d_{name}" for name in ("ys", *STATE))
    some = "Tensor? lengths, int[] form, float clip, bool"
    library.define(f"turing_machine({given}, {some} keep) -> ({_several(2 + len(STATE))})")
    library.define(f"turing_machine_backward({d_last}, {given}, Tensor kept, {some} wants_xs) -> ({_several(GIVEN)})")
    for name, way, shapes in (
        ("turing_machine", _forward, _forward_shapes),
        ("turing_machine_backward", _backward, _backward_shapes),
    ):
        library.impl(name, way, "CPU")
        torch.library.register_fake(f"memtape::{name}", shapes, lib=library)
    library.impl("turing_machine", _Differentiable.apply, "Autograd")
    torch.library.register_autograd(
        "memtape::turing_machine_backward", refuse_second_gradient("Turing machine"), lib=library
    )
    torch.library.register_autocast("memtape::turing_machine", "cpu", torch.float32, lib=library)
    return library


def _several(count: int) -> str:
    return ", ".join(["Tensor"] * count)


def _outputs(given: _Given) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Return unfilled tensors for the outputs and the last state."""
    xs, output_bias = given.xs, given.parameters[-1]
    return xs.new_empty(*xs.shape[:2], len(output_bias)), tuple(xs.new_empty(tensor.shape) for tensor in given.state)


def _gradients(given: _Given, wants_xs: bool) -> tuple[Tensor, ...]:
    """Return unfilled tensors for the gradients."""
    others = (*given.parameters, *given.state)
    new = given.xs.new_empty
    return new(given.xs.shape if wants_xs else 0), *(new(tensor.shape) for tensor in others)


def _sizes(given: _Given, lengths: Tensor | None, form: list[int], clip: float) -> _Sizes:
    memory, weights, _, hidden, _ = given.state
    controller, read_heads, shift_range, location, cosine, read_first, squash = form
    batch, time, inputs = given.xs.shape
    return _Sizes(
        batch=batch,
        time=time,
        inputs=inputs,
        outputs=len(given.parameters[-1]),
        hidden=hidden.shape[2],
        layers=hidden.shape[0],
        slots=memory.shape[1],
        width=memory.shape[2],
        reads=read_heads,
        writes=weights.shape[1] - read_heads,
        reach=shift_range,
        controller=controller,
        location=location,
        cosine=cosine,
        read_first=read_first,
        squash=squash,
        threads=torch.get_num_threads(),
        clip=clip,
        lengths=None if lengths is None else lengths.data_ptr(),
    )


def _kept(given: _Given, sizes: _Sizes) -> int:
    """Return how many numbers are kept for the way back."""
    return int(function("turing_kept", given.xs.dtype)(ctypes.byref(sizes)))


_LIBRARY = _register()
