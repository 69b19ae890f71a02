"""CPU: the recurrence in C++ (csrc/recurrence.cpp), with its gradients, as an operator of torch."""

import ctypes
from typing import Any, NamedTuple

import torch
from torch import Tensor

from memtape.kernels.calling import call, counted, function, pointers, record_of, refuse_second_gradient
from memtape.kernels.recurrence.form import RecurrenceForm, RecurrenceParameters, RecurrenceState

KINDS = ("lstm", "gru", "plain", "early_gru", "output")
ACTIVATIONS = ("tanh", "sigmoid", "relu")
FEEDBACKS = ("outputs", "softmax", "sigmoid", "argmax")
"""In the order of their numbers in csrc/recurrence.h."""

PARAMETERS = tuple(RecurrenceParameters.__dataclass_fields__)
STATE = tuple(RecurrenceState.__dataclass_fields__)
KEPT = ("cells", "gates", "normals", "scales")
WHAT = "recurrence"


class _Given(NamedTuple):
    """What goes into the operator, None for what there is not."""

    parameters: tuple[Any, ...]
    state: tuple[Any, ...]
    lengths: Tensor | None

    @classmethod
    def of(cls, tensors: tuple[Any, ...]) -> "_Given":
        return cls(tensors[: len(PARAMETERS)], tensors[len(PARAMETERS) : -1], tensors[-1])

    def contiguous(self) -> "_Given":
        return _Given(_contiguous(self.parameters), _contiguous(self.state), counted(self.lengths))

    @property
    def normal(self) -> bool:
        return self.parameters[PARAMETERS.index("gain")] is not None


GIVEN = len(PARAMETERS) + len(STATE) + 1


class _Sizes(ctypes.Structure):
    """`memtape_recurrence_sizes` of csrc/recurrence.h."""

    _fields_ = (
        *((name, ctypes.c_int64) for name in ("batch", "time", "hidden", "outputs")),
        *((name, ctypes.c_int64) for name in ("kind", "activation", "feedback", "threads")),
        ("epsilon", ctypes.c_double),
        ("lengths", ctypes.c_void_p),
    )


_Parameters = record_of(len(PARAMETERS))
"""`memtape_recurrence_parameters`, whose pointers stand in the order of `RecurrenceParameters`."""

_State = record_of(len(STATE))
"""`memtape_recurrence_state`, in the order of `RecurrenceState`."""

_Kept = record_of(len(KEPT))
"""`memtape_recurrence_kept`."""


def recurrence_on_cpu(
    form: RecurrenceForm,
    parameters: RecurrenceParameters,
    state: RecurrenceState,
    given: Tensor,
    lengths: Tensor | None,
) -> tuple[Tensor, RecurrenceState]:
    """Run a recurrence over whole sequences on the processor.

    Args:
        form: what kind of recurrence.
        parameters: its parameters.
        state: the state before the first step.
        given: what the inputs add to the gates; not looked at beyond a row's length.
        lengths: how many steps of each row count, 0 too; None for all.

    Returns:
        The outputs, zero beyond a row's length, and the state after each row's last step.

    Raises:
        MemoryError: memory ran out.
        RuntimeError: a gradient of a gradient was asked for; the reference has them.
    """
    numbers = [KINDS.index(form.kind), ACTIVATIONS.index(form.activation), FEEDBACKS.index(form.feedback)]
    tensors = [given, *(getattr(parameters, name) for name in PARAMETERS), *(getattr(state, name) for name in STATE)]
    keep = torch.is_grad_enabled() and any(tensor is not None and tensor.requires_grad for tensor in tensors)
    ys, fed, cell, *_ = torch.ops.memtape.recurrence(*tensors, lengths, numbers, form.epsilon, keep)
    return ys, RecurrenceState(fed=fed, cell=None if state.cell is None else cell)


def _forward(*arguments: Any) -> tuple[Tensor, ...]:
    """Return the outputs, the last state, and what is kept for the way back."""
    steps, given = arguments[0].contiguous(), _Given.of(arguments[1 : 1 + GIVEN]).contiguous()
    form, epsilon, keep = arguments[1 + GIVEN :]
    ys, *rest = _outputs(steps, given, form, keep)
    last, kept = rest[: len(STATE)], rest[len(STATE) :]
    call(
        WHAT,
        function("recurrence_forward", steps.dtype),
        _sizes(steps.shape, given, form, epsilon),
        pointers(_Parameters, given.parameters),
        steps,
        pointers(_State, given.state),
        ys,
        pointers(_State, last),
        pointers(_Kept, kept) if keep else None,
    )
    return ys, *rest


def _forward_shapes(*arguments: Any) -> tuple[Tensor, ...]:
    form, _, keep = arguments[1 + GIVEN :]
    return _outputs(arguments[0], _Given.of(arguments[1 : 1 + GIVEN]), form, keep)


def _backward(*arguments: Any) -> tuple[Tensor, ...]:
    """Return the gradients of what the inputs add, of the parameters and of the state, empty for what there is not."""
    d_ys, *d_last = _contiguous(arguments[: 1 + len(STATE)])
    given = _Given.of(arguments[1 + len(STATE) : 1 + len(STATE) + GIVEN]).contiguous()
    ys, *kept, form, epsilon = arguments[1 + len(STATE) + GIVEN :]
    d_given, *others = _gradients(ys, given)
    call(
        WHAT,
        function("recurrence_backward", ys.dtype),
        _sizes(ys.shape, given, form, epsilon),
        pointers(_Parameters, given.parameters),
        pointers(_State, given.state),
        ys,
        pointers(_Kept, kept),
        d_ys,
        pointers(_State, d_last),
        d_given,
        pointers(_Parameters, others[: len(PARAMETERS)]),
        pointers(_State, others[len(PARAMETERS) :]),
    )
    return d_given, *others


def _backward_shapes(*arguments: Any) -> tuple[Tensor, ...]:
    rest = arguments[1 + len(STATE) :]
    return _gradients(rest[GIVEN], _Given.of(rest[:GIVEN]))


class _Differentiable(torch.autograd.Function):
    """The operator with its gradients; see that of the Turing machine."""

    @staticmethod
    def forward(ctx: Any, *arguments: Any) -> tuple[Tensor, ...]:
        with torch._C._AutoDispatchBelowAutograd():
            results = torch.ops.memtape.recurrence(*arguments)
        kept = results[1 + len(STATE) :]
        ctx.set_materialize_grads(False)
        ctx.mark_non_differentiable(*kept)
        ctx.save_for_backward(*arguments[1 : 1 + GIVEN], results[0], *kept)
        ctx.form, ctx.epsilon = arguments[1 + GIVEN : 3 + GIVEN]
        return results

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        d_given, *others = torch.ops.memtape.recurrence_backward(
            *gradients[: 1 + len(STATE)], *ctx.saved_tensors, ctx.form, ctx.epsilon
        )
        given = ctx.saved_tensors
        others = [None if tensor is None else d_tensor for tensor, d_tensor in zip(given, others, strict=False)]
        return d_given, *others, None, None, None, None


def _register() -> torch.library.Library:
    """Make both ways known to torch: to autograd, autocast and `torch.compile`."""
    library = torch.library.Library("memtape", "FRAGMENT")
    needed = ("weight", "fed")
    given = ", ".join(f"Tensor{'' if name in needed else '?'} {name}" for name in (*PARAMETERS, *STATE))
    d_last = ", ".join(f"Tensor? d_{name}" for name in ("ys", *STATE))
    kept = ", ".join(f"Tensor kept_{name}" for name in ("ys", *KEPT))
    form = "int[] form, float epsilon"
    results, gradients = _several(1 + len(STATE) + len(KEPT)), _several(1 + len(PARAMETERS) + len(STATE))
    library.define(f"recurrence(Tensor given, {given}, Tensor? lengths, {form}, bool keep) -> ({results})")
    library.define(f"recurrence_backward({d_last}, {given}, Tensor? lengths, {kept}, {form}) -> ({gradients})")
    for name, way, shapes in (
        ("recurrence", _forward, _forward_shapes),
        ("recurrence_backward", _backward, _backward_shapes),
    ):
        library.impl(name, way, "CPU")
        torch.library.register_fake(f"memtape::{name}", shapes, lib=library)
    library.impl("recurrence", _Differentiable.apply, "Autograd")
    torch.library.register_autograd("memtape::recurrence_backward", refuse_second_gradient(WHAT), lib=library)
    torch.library.register_autocast("memtape::recurrence", "cpu", torch.float32, lib=library)
    return library


def _several(count: int) -> str:
    return ", ".join(["Tensor"] * count)


def _contiguous(tensors: tuple[Tensor | None, ...]) -> tuple[Tensor | None, ...]:
    return tuple(None if tensor is None else tensor.contiguous() for tensor in tensors)


def _hidden(given: _Given, form: list[int]) -> int:
    blocks = {"lstm": 4, "gru": 3, "early_gru": 3}.get(KINDS[form[0]], 1)
    return len(given.parameters[0]) // blocks


def _outputs(steps: Tensor, given: _Given, form: list[int], keep: bool) -> tuple[Tensor, ...]:
    """Return unfilled tensors for the outputs, the last state and what is kept."""
    batch, time, gates = steps.shape
    fed, cell = given.state
    hidden, size, kind = _hidden(given, form), fed.shape[-1], KINDS[form[0]]
    kept_gates = {"gru": gates + hidden, "output": hidden + size}.get(kind, gates)
    parts = 2 if kind in ("gru", "early_gru") else 1

    def kept(count: int, present: bool = True) -> Tensor:
        return steps.new_empty((batch, time, count) if keep and present else (0, 0, count))

    return (
        steps.new_empty(batch, time, size),
        steps.new_empty(fed.shape),
        steps.new_empty(0 if cell is None else cell.shape),
        kept(hidden, kind == "lstm"),
        kept(kept_gates),
        kept(gates, given.normal),
        kept(parts, given.normal),
    )


def _gradients(ys: Tensor, given: _Given) -> tuple[Tensor, ...]:
    """Return unfilled tensors for the gradients."""
    shape = (*ys.shape[:2], len(given.parameters[0]))
    new = ys.new_empty
    return new(shape), *(new(0 if tensor is None else tensor.shape) for tensor in (*given.parameters, *given.state))


def _sizes(shape: Any, given: _Given, form: list[int], epsilon: float) -> _Sizes:
    kind, activation, feedback = form
    return _Sizes(
        batch=shape[0],
        time=shape[1],
        hidden=_hidden(given, form),
        outputs=given.state[0].shape[-1] if KINDS[kind] == "output" else 0,
        kind=kind,
        activation=activation,
        feedback=feedback,
        threads=torch.get_num_threads(),
        epsilon=epsilon,
        lengths=None if given.lengths is None else given.lengths.data_ptr(),
    )


_LIBRARY = _register()
