"""CPU: the recurrence in C++ (csrc/recurrence/recurrence.cpp), with its gradients, as an operator of torch."""

import ctypes
from typing import Any, NamedTuple, get_args

import torch
from torch import Tensor

from memtape.core.compiled_library import expect
from memtape.kernels import schema
from memtape.kernels.calling import call, contiguous, counted, function, pointers
from memtape.kernels.operator import Pass, register
from memtape.kernels.recurrence.form import Kind, RecurrenceForm, RecurrenceParameters, RecurrenceState

PARAMETERS = schema.names_of(RecurrenceParameters)
STATE = schema.names_of(RecurrenceState)
KEPT = ("cells", "gates", "normals", "scales")
FORM = schema.names_of(RecurrenceForm)
KINDS = get_args(Kind)
NAME = "recurrence"

FUNCTIONS = {
    "forward": ("sizes", "parameters", "given", "first", "ys", "last", "kept"),
    "backward": (
        *("sizes", "parameters", "first", "ys", "kept", "d_ys", "d_last", "d_given", "d_parameters", "d_first"),
    ),
}
"""The arguments of the library's functions, in their order."""

_Sizes = schema.struct(
    (
        *dict.fromkeys(("batch", "time", "hidden", "outputs"), ctypes.c_int64).items(),
        *schema.form_members(RecurrenceForm).items(),
        ("threads", ctypes.c_int64),
        ("lengths", ctypes.c_void_p),
    )
)
_Parameters, _State, _Kept = (schema.pointers_to(names) for names in (PARAMETERS, STATE, KEPT))
expect(
    NAME,
    schema.layout({"sizes": _Sizes, "parameters": _Parameters, "state": _State, "kept": _Kept}, FUNCTIONS),
)


class _Given(NamedTuple):
    """The inputs of the operator, None for absent ones."""

    parameters: tuple[Any, ...]
    state: tuple[Any, ...]
    lengths: Tensor | None

    @classmethod
    def of(cls, tensors: tuple[Any, ...]) -> "_Given":
        """Return the inputs by name, from the order of the operator."""
        return cls(tensors[: len(PARAMETERS)], tensors[len(PARAMETERS) : -1], tensors[-1])

    def contiguous(self) -> "_Given":
        """Return the inputs as the kernel reads them."""
        return _Given(contiguous(self.parameters), contiguous(self.state), counted(self.lengths))

    @property
    def normal(self) -> bool:
        """Whether the form has layer normalisation."""
        return self.parameters[PARAMETERS.index("gain")] is not None


GIVEN = len(PARAMETERS) + len(STATE) + 1


def recurrence_on_cpu(
    form: RecurrenceForm,
    parameters: RecurrenceParameters,
    state: RecurrenceState,
    given: Tensor,
    lengths: Tensor | None,
) -> tuple[Tensor, RecurrenceState]:
    """Run a recurrence over whole sequences on the CPU.

    Args:
        form: the options of the recurrence.
        parameters: the parameters.
        state: the state before the first step.
        given: the contribution of the inputs to the gates; ignored beyond a row's length.
        lengths: number of valid steps of each row, which may be 0; None for all.

    Returns:
        The outputs, zero beyond a row's length, and the state after each row's last step.

    Raises:
        MemoryError: the memory is exhausted.
        RuntimeError: a gradient of a gradient is requested, which only the reference has.
    """
    tensors = [given, *(getattr(parameters, name) for name in PARAMETERS), *(getattr(state, name) for name in STATE)]
    keep = torch.is_grad_enabled() and any(tensor is not None and tensor.requires_grad for tensor in tensors)
    ys, fed, cell, *_ = torch.ops.memtape.recurrence(*tensors, lengths, *schema.form_numbers(form), keep)
    return ys, RecurrenceState(fed=fed, cell=None if state.cell is None else cell)


def _forward(*arguments: Any) -> tuple[Tensor, ...]:
    """Return the outputs, the last state, and what is saved for the backward pass."""
    steps, given = arguments[0].contiguous(), _Given.of(arguments[1 : 1 + GIVEN]).contiguous()
    integers, floats, keep = arguments[1 + GIVEN :]
    ys, *rest = _outputs(steps, given, integers, keep)
    last, kept = rest[: len(STATE)], rest[len(STATE) :]
    call(
        NAME,
        function(f"{NAME}_forward", steps.dtype),
        _sizes(steps.shape, given, integers, floats),
        pointers(_Parameters, given.parameters),
        steps,
        pointers(_State, given.state),
        ys,
        pointers(_State, last),
        pointers(_Kept, kept) if keep else None,
    )
    return ys, *rest


def _forward_shapes(*arguments: Any) -> tuple[Tensor, ...]:
    integers, _, keep = arguments[1 + GIVEN :]
    return _outputs(arguments[0], _Given.of(arguments[1 : 1 + GIVEN]), integers, keep)


def _backward(*arguments: Any) -> tuple[Tensor, ...]:
    """Return the gradients of `given`, the parameters and the state, empty for absent ones."""
    d_ys, *d_last = contiguous(arguments[: 1 + len(STATE)])
    given = _Given.of(arguments[1 + len(STATE) : 1 + len(STATE) + GIVEN]).contiguous()
    ys, *kept, integers, floats = arguments[1 + len(STATE) + GIVEN :]
    d_given, *others = _gradients(ys, given)
    call(
        NAME,
        function(f"{NAME}_backward", ys.dtype),
        _sizes(ys.shape, given, integers, floats),
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


def _save(ctx: Any, arguments: tuple[Any, ...], results: tuple[Tensor, ...]) -> None:
    kept = results[1 + len(STATE) :]
    ctx.mark_non_differentiable(*kept)
    ctx.save_for_backward(*arguments[1 : 1 + GIVEN], results[0], *kept)
    ctx.form = arguments[1 + GIVEN : 3 + GIVEN]


def _autograd(ctx: Any, *d_results: Tensor | None) -> tuple[Tensor | None, ...]:
    d_given, *others = torch.ops.memtape.recurrence_backward(
        *d_results[: 1 + len(STATE)], *ctx.saved_tensors, *ctx.form
    )
    given = ctx.saved_tensors
    others = [None if tensor is None else d_tensor for tensor, d_tensor in zip(given, others, strict=False)]
    return d_given, *others, None, None, None, None


def _register() -> torch.library.Library:
    needed = ("weight", "fed")
    given = ", ".join(f"Tensor{'' if name in needed else '?'} {name}" for name in (*PARAMETERS, *STATE))
    given = f"{given}, Tensor? lengths"
    d_last = ", ".join(f"Tensor? d_{name}" for name in ("ys", *STATE))
    kept = ", ".join(f"Tensor kept_{name}" for name in ("ys", *KEPT))
    form = "int[] integers, float[] floats"
    results, count = 1 + len(STATE) + len(KEPT), 1 + len(PARAMETERS) + len(STATE)
    forward = Pass(f"Tensor given, {given}, {form}, bool keep", results, _forward, _forward_shapes)
    backward = Pass(f"{d_last}, {given}, {kept}, {form}", count, _backward, _backward_shapes)
    return register(NAME, NAME, forward=forward, backward=backward, save=_save, gradients=_autograd)


def _hidden(given: _Given, integers: list[int]) -> int:
    blocks = {"lstm": 4, "gru": 3, "early_gru": 3}.get(KINDS[integers[0]], 1)
    return len(given.parameters[0]) // blocks


def _outputs(steps: Tensor, given: _Given, integers: list[int], keep: bool) -> tuple[Tensor, ...]:
    """Return uninitialised tensors for the outputs, the last state and the saved tensors."""
    batch, time, gates = steps.shape
    fed, cell = given.state
    hidden, size, kind = _hidden(given, integers), fed.shape[-1], KINDS[integers[0]]
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
    """Return uninitialised tensors for the gradients."""
    shape = (*ys.shape[:2], len(given.parameters[0]))
    new = ys.new_empty
    return new(shape), *(new(0 if tensor is None else tensor.shape) for tensor in (*given.parameters, *given.state))


def _sizes(shape: Any, given: _Given, integers: list[int], floats: list[float]) -> Any:
    return _Sizes(
        batch=shape[0],
        time=shape[1],
        hidden=_hidden(given, integers),
        outputs=given.state[0].shape[-1] if KINDS[integers[0]] == "output" else 0,
        threads=torch.get_num_threads(),
        lengths=None if given.lengths is None else given.lengths.data_ptr(),
        **dict(zip(FORM, (*integers, *floats), strict=True)),
    )


_LIBRARY = _register()
