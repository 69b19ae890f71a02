"""CPU: the recurrence in C++ (csrc/recurrence/recurrence.cpp), with its gradients, as an operator of torch."""

import ctypes
from typing import Any, NamedTuple, get_args

import torch
from torch import Tensor

from memtape.core.compiled_library import expect
from memtape.kernels import arguments, schema
from memtape.kernels.calling import call, contiguous, function, pointers
from memtape.kernels.operator import Pass, register
from memtape.kernels.recurrence.form import Kind, RecurrenceForm, RecurrenceParameters, RecurrenceState

PARAMETERS = schema.names_of(RecurrenceParameters)
STATE = schema.names_of(RecurrenceState)
KEPT = ("cells", "gates", "normals", "scales")
FORM = schema.names_of(RecurrenceForm)
KINDS = get_args(Kind)
NAME = "recurrence"
LIMITS = arguments.bounds(RecurrenceForm)
AXES = (
    arguments.dimensions(RecurrenceParameters)
    | arguments.dimensions(RecurrenceState)
    | {"given": ("batch", "time", "gates")}
)
BLOCKS = {"lstm": 4, "gru": 3, "early_gru": 3}
"""Blocks of gates, by kind; 1 for the others."""
NEEDED: dict[str, tuple[str, ...]] = {"lstm": ("cell",), "output": ("output_weight", "output_bias")}
"""The tensors that a kind needs besides weight and feedback."""
POSSIBLE: dict[str, tuple[str, ...]] = {
    "lstm": ("gain", "bias", "peepholes", "cell_gain", "cell_bias"),
    "gru": ("gain", "bias"),
    "early_gru": ("gain", "bias"),
    "plain": ("gain", "bias", "leak"),
    "output": ("gain", "bias"),
}
"""The tensors that a kind can have."""
FITTING = arguments.Fitting()
TOGETHER = (("cell_gain", "cell_bias"),)
"""Tensors of which none or both are present."""

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
        return _Given(contiguous(self.parameters), contiguous(self.state), self.lengths)

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
        ValueError: a tensor has another shape, dtype or device than the form and the others need.
    """
    tensors = [given, *(getattr(parameters, name) for name in PARAMETERS), *(getattr(state, name) for name in STATE)]
    keep = torch.is_grad_enabled() and any(tensor is not None and tensor.requires_grad for tensor in tensors)
    ys, fed, cell, *_ = torch.ops.memtape.recurrence(*tensors, lengths, *schema.form_numbers(form), keep)
    return ys, RecurrenceState(fed=fed, cell=None if state.cell is None else cell)


def _forward(*values: Any) -> tuple[Tensor, ...]:
    """Return the outputs, the last state, and what is saved for the backward pass."""
    integers, floats, keep = values[1 + GIVEN :]
    given = _checked(values[0], _Given.of(values[1 : 1 + GIVEN]), integers, floats).contiguous()
    steps = values[0].contiguous()
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


def _forward_shapes(*values: Any) -> tuple[Tensor, ...]:
    integers, _, keep = values[1 + GIVEN :]
    return _outputs(values[0], _Given.of(values[1 : 1 + GIVEN]), integers, keep)


def _backward(*values: Any) -> tuple[Tensor, ...]:
    """Return the gradients of `given`, the parameters and the state, empty for absent ones."""
    given = _Given.of(values[1 + len(STATE) : 1 + len(STATE) + GIVEN])
    ys, *kept, integers, floats = values[1 + len(STATE) + GIVEN :]
    given = _checked_backward(values[: 1 + len(STATE)], [ys, *kept], given, (integers, floats)).contiguous()
    d_ys, *d_last = contiguous(values[: 1 + len(STATE)])
    ys, *kept = contiguous((ys, *kept))
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


def _backward_shapes(*values: Any) -> tuple[Tensor, ...]:
    rest = values[1 + len(STATE) :]
    return _gradients(rest[GIVEN], _Given.of(rest[:GIVEN]))


def _save(ctx: Any, arguments: tuple[Any, ...], results: tuple[Tensor, ...]) -> None:
    kept = results[1 + len(STATE) :]
    ctx.mark_non_differentiable(*kept)
    ctx.save_for_backward(*arguments[1 : 1 + GIVEN], results[0], *kept)
    ctx.form = arguments[1 + GIVEN : 3 + GIVEN]


def _autograd(ctx: Any, *d_results: Tensor | None) -> tuple[Tensor | None, ...]:
    given = ctx.saved_tensors  # read once, since torch's checkpointing recomputes them only once
    d_given, *others = torch.ops.memtape.recurrence_backward(*d_results[: 1 + len(STATE)], *given, *ctx.form)
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


def _checked(steps: Tensor, given: _Given, integers: list[int], floats: list[float]) -> _Given:
    """Return the arguments of the forward pass with lengths in the library's format, or raise if they do not fit."""
    arguments.numbers(NAME, integers, floats, LIMITS, count=1)
    named = dict(zip((*PARAMETERS, *STATE, "given"), (*given.parameters, *given.state, steps), strict=True))
    if not FITTING.knows(named.values(), integers):
        _check_all(named, integers)
        FITTING.add(named.values(), integers)
    return given._replace(lengths=arguments.lengths(NAME, given.lengths, *steps.shape[:2]))


def _check_all(named: dict[str, Any], integers: list[int]) -> None:
    arguments.same_kind(NAME, named)
    arguments.ranks(NAME, named, AXES)
    kind = KINDS[integers[0]]
    needed, possible = NEEDED.get(kind, ()), (*NEEDED.get(kind, ()), *POSSIBLE.get(kind, ()))
    for name in (*PARAMETERS, *STATE):
        absent = named[name] is None
        if absent and name in ("weight", "fed", *needed):
            raise ValueError(f"the fused {NAME} of kind {kind!r} got no {name}, but it needs it; give this tensor")
        if not absent and name not in ("weight", "fed", *possible):
            raise ValueError(f"the fused {NAME} of kind {kind!r} got {name}, which it does not have; leave it out")
    for name, other in TOGETHER:
        if (named[name] is None) != (named[other] is None):
            raise ValueError(f"the fused {NAME} got only one of {name} and {other}; give both or neither")
    (batch, time, gates), fed = named["given"].shape, named["fed"].shape[1]
    blocks = BLOCKS.get(kind, 1)
    hidden = len(named["weight"]) // blocks
    sizes = {"batch": batch, "time": time, "hidden": hidden, "gates": blocks * hidden, "3": 3, "output": fed}
    sizes["fed"] = fed if kind == "output" else hidden
    arguments.at_least_one(NAME, sizes, ("time", "hidden", "fed"))
    arguments.shapes(NAME, named, AXES, sizes)
    arguments.addressable(NAME, max(batch, 1) * time * (gates + hidden + fed))


def _checked_backward(
    gradients: tuple[Tensor | None, ...], results: list[Tensor], given: _Given, form: tuple[list[int], list[float]]
) -> _Given:
    """Return the arguments of the backward pass with lengths in the library's format, or raise if they do not fit."""
    ys, *kept = results
    arguments.ranks(NAME, {"kept_ys": ys}, {"kept_ys": AXES["given"]})
    if given.parameters[0] is not None and given.parameters[0].dim():
        steps = given.parameters[0].new_empty(1).expand(*ys.shape[:2], len(given.parameters[0]))
    else:
        steps = ys
    given = _checked(steps, given, *form)
    names = ("ys", *STATE, *(f"kept_{name}" for name in KEPT))
    wanted = dict(zip(names, _shapes(steps.shape, given, form[0], keep=True), strict=True))
    arguments.like(NAME, {"ys": ys, **dict(zip(names[-len(KEPT) :], kept, strict=True))}, wanted, steps.dtype)
    arguments.like(NAME, dict(zip(names, gradients, strict=False)), wanted, steps.dtype)
    return given


def _hidden(given: _Given, integers: list[int]) -> int:
    return len(given.parameters[0]) // BLOCKS.get(KINDS[integers[0]], 1)


def _outputs(steps: Tensor, given: _Given, integers: list[int], keep: bool) -> tuple[Tensor, ...]:
    """Return uninitialised tensors for the outputs, the last state and the saved tensors."""
    return tuple(steps.new_empty(shape) for shape in _shapes(steps.shape, given, integers, keep=keep))


def _shapes(steps: Any, given: _Given, integers: list[int], *, keep: bool) -> tuple[Any, ...]:
    """Return the shapes of the outputs, the last state and the saved tensors, given that of the steps."""
    batch, time, gates = steps
    fed, cell = given.state
    hidden, size, kind = _hidden(given, integers), fed.shape[-1], KINDS[integers[0]]
    kept_gates = {"gru": gates + hidden, "output": hidden + size}.get(kind, gates)
    parts = 2 if kind in ("gru", "early_gru") else 1

    def kept(count: int, present: bool = True) -> tuple[int, int, int]:
        return (batch, time, count) if keep and present else (0, 0, count)

    return (
        (batch, time, size),
        fed.shape,
        (0,) if cell is None else cell.shape,
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
