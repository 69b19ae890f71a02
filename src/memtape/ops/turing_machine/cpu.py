"""CPU: the Turing machine in C++ (csrc/turing_machine.cpp), with its gradients, as an operator of torch.

The recurrence runs in one call for all steps. Around it stand three large matrix products: the projection of the inputs
before it, the outputs after it, and on the way back the gradients of the parameters.
"""

import ctypes
from typing import Any, NamedTuple

import torch
from torch import Tensor

from memtape.core.kernels import kernels
from memtape.ops.turing_machine.contract import MachineForm, MachineParameters, MachineState

CONTROLLERS = ("lstm", "gru", "rnn", "feedforward")
"""In the order of their numbers in csrc/controller.hpp."""


class _Given(NamedTuple):
    """What goes into the operator: inputs, parameters, and the state before the first step."""

    xs: Tensor
    input_weight: Tensor
    biases: Tensor
    first_weight: Tensor
    upper_weights: Tensor
    interface_weight: Tensor
    interface_bias: Tensor
    output_weight: Tensor
    output_bias: Tensor
    memory: Tensor
    weights: Tensor
    reads: Tensor
    hidden: Tensor
    cell: Tensor


class _Last(NamedTuple):
    """The state after each row's last step."""

    memory: Tensor
    weights: Tensor
    reads: Tensor
    hidden: Tensor
    cell: Tensor


class _Kept(NamedTuple):
    """What the way back needs; all but `seen` and `gates` are empty where there is no way back."""

    seen: Tensor
    gates: Tensor
    first_inputs: Tensor
    upper_inputs: Tensor
    cells: Tensor
    raw: Tensor
    all_weights: Tensor
    tapes: Tensor


class _Form(NamedTuple):
    """The form of a machine in whole numbers."""

    controller: int
    read_heads: int
    shift_range: int
    location: int
    cosine: int
    read_first: int
    squash: int


class _Sizes(ctypes.Structure):
    """`memtape_turing_sizes` of csrc/turing_machine.h."""

    _fields_ = (
        *((name, ctypes.c_int64) for name in ("batch", "time", "hidden", "layers", "slots", "width", "reads", "writes")),
        *((name, ctypes.c_int64) for name in ("reach", "controller", "location", "cosine", "read_first", "squash")),
        ("threads", ctypes.c_int64),
        ("clip", ctypes.c_double),
        ("lengths", ctypes.c_void_p),
    )


_PARAMETERS = ("first_weight", "upper_weights", "upper_biases", "interface_weight", "interface_bias")
_LAST = tuple(f"last_{name}" for name in _Last._fields)


class _Tensors(ctypes.Structure):
    """`memtape_turing_tensors`."""

    _fields_ = tuple(
        (name, ctypes.c_void_p) for name in (*_PARAMETERS, *_Last._fields, "gates", "seen", *_LAST, *_Kept._fields[2:])
    )


class _Gradients(ctypes.Structure):
    """`memtape_turing_gradients`."""

    _fields_ = tuple((name, ctypes.c_void_p) for name in ("seen", *_LAST, "gates", "raw", *_Last._fields))


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
    given = _Given(
        xs=xs,
        input_weight=parameters.input_weight,
        biases=parameters.biases,
        first_weight=parameters.first_weight,
        upper_weights=parameters.upper_weights,
        interface_weight=parameters.interface_weight,
        interface_bias=parameters.interface_bias,
        output_weight=parameters.output_weight,
        output_bias=parameters.output_bias,
        memory=state.memory,
        weights=state.weights,
        reads=state.reads,
        hidden=state.hidden,
        cell=state.hidden.new_empty(0) if state.cell is None else state.cell,
    )
    numbers = _Form(
        controller=CONTROLLERS.index(form.controller),
        read_heads=form.read_heads,
        shift_range=form.shift_range,
        location=form.location,
        cosine=form.cosine,
        read_first=form.read_first,
        squash=form.squash,
    )
    keep = torch.is_grad_enabled() and any(tensor.requires_grad for tensor in given)
    results = torch.ops.memtape.turing_machine(*given, lengths, [int(number) for number in numbers], form.clip, keep)
    last = _Last(*results[1:6])
    return results[0], MachineState(
        memory=last.memory,
        weights=last.weights,
        reads=last.reads,
        hidden=last.hidden,
        cell=None if state.cell is None else last.cell,
    )


def _forward(*arguments: Any) -> tuple[Tensor, ...]:
    """Return the outputs, the last state and what is kept."""
    given, (lengths, form, clip, keep) = _Given(*arguments[:-4]), arguments[-4:]
    rows = given.xs.shape[0] * given.xs.shape[1]
    last, kept = _empty(given, _Form(*form), keep)
    projected = kept.gates[0].view(rows, -1)
    torch.addmm(given.biases[0], given.xs.reshape(rows, -1), given.input_weight.T, out=projected)
    lengths = None if lengths is None else lengths.to(torch.int64).contiguous()
    state = _Last(*(tensor.contiguous() for tensor in given[-5:]))
    parameters = (given.first_weight, given.upper_weights, given.biases[1:], given.interface_weight, given.interface_bias)
    tensors = {name: tensor.contiguous() for name, tensor in zip(_PARAMETERS, parameters, strict=True)}
    tensors |= state._asdict() | dict(zip(_LAST, last, strict=True)) | {"gates": kept.gates, "seen": kept.seen}
    if keep:
        tensors |= dict(zip(kept._fields[2:], kept[2:], strict=True))
    _call("forward", given.xs.dtype, _sizes(given, lengths, form, clip), _record(_Tensors, tensors))
    ys = torch.addmm(given.output_bias, kept.seen.view(rows, -1), given.output_weight.T)
    ys = ys.view(*given.xs.shape[:2], -1)
    if lengths is not None:
        ys.masked_fill_(_beyond(lengths, ys.shape[1]), 0)
    return ys, *last, *kept


def _forward_shapes(*arguments: Any) -> tuple[Tensor, ...]:
    given, (_, form, _, keep) = _Given(*arguments[:-4]), arguments[-4:]
    last, kept = _empty(given, _Form(*form), keep)
    return given.xs.new_empty(*given.xs.shape[:2], given.output_weight.shape[0]), *last, *kept


def _backward(*arguments: Any) -> tuple[Tensor, ...]:
    """Return the gradients of everything in `_Given`."""
    d_ys, *d_last = arguments[:6]
    given, kept = _Given(*arguments[6:20]), _Kept(*arguments[20:28])
    lengths, form, clip = arguments[28:]
    rows = given.xs.shape[0] * given.xs.shape[1]
    lengths = None if lengths is None else lengths.to(torch.int64).contiguous()
    state = _Last(*(tensor.contiguous() for tensor in given[-5:]))
    d_last = _Last(
        *(
            torch.zeros_like(tensor) if gradient is None else gradient.contiguous()
            for gradient, tensor in zip(d_last, state, strict=True)
        )
    )
    if d_ys is None:
        d_ys = given.xs.new_zeros(*given.xs.shape[:2], given.output_weight.shape[0])
    elif lengths is not None:
        d_ys = d_ys.masked_fill(_beyond(lengths, d_ys.shape[1]), 0)
    d_outputs, seen = d_ys.reshape(rows, -1), kept.seen.view(rows, -1)
    d_seen = d_outputs @ given.output_weight
    d_gates, d_raw = torch.empty_like(kept.gates), torch.empty_like(kept.raw)
    d_state = _Last(*(torch.empty_like(tensor) for tensor in state))
    tensors = {name: getattr(given, name).contiguous() for name in ("first_weight", "upper_weights", "interface_weight")}
    gradients = {"seen": d_seen, **dict(zip(_LAST, d_last, strict=True)), "gates": d_gates, "raw": d_raw}
    _call(
        "backward",
        given.xs.dtype,
        _sizes(given, lengths, form, clip),
        _record(_Tensors, tensors | state._asdict() | kept._asdict()),
        _record(_Gradients, gradients | d_state._asdict()),
    )
    d_layers = d_gates.view(len(d_gates), rows, -1)
    d_projected, d_told = d_layers[0], d_raw.view(rows, -1)
    return _Given(
        xs=(d_projected @ given.input_weight).view(given.xs.shape),
        input_weight=d_projected.T @ given.xs.reshape(rows, -1),
        biases=d_layers.sum(1),
        first_weight=d_projected.T @ kept.first_inputs.view(rows, -1),
        upper_weights=d_layers[1:].mT @ kept.upper_inputs.flatten(1, 2),
        interface_weight=d_told.T @ seen[:, : given.hidden.shape[-1]],
        interface_bias=d_told.sum(0),
        output_weight=d_outputs.T @ seen,
        output_bias=d_outputs.sum(0),
        **d_state._asdict(),
    )


def _backward_shapes(*arguments: Any) -> tuple[Tensor, ...]:
    return tuple(tensor.new_empty(tensor.shape) for tensor in arguments[6:20])


def _keep_for_backward(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
    *given, lengths, form, clip, _ = inputs
    kept = output[6:]
    ctx.set_materialize_grads(False)
    ctx.mark_non_differentiable(*kept)
    ctx.save_for_backward(*given, *kept, lengths)
    ctx.form, ctx.clip = form, clip


def _differentiate(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
    results = torch.ops.memtape.turing_machine_backward(*gradients[:6], *ctx.saved_tensors, ctx.form, ctx.clip)
    return *results, None, None, None, None


def _refuse_second_gradient(ctx: Any, *gradients: Any) -> Any:
    raise RuntimeError(
        "a gradient of a gradient was asked of the fused Turing machine, which has none; "
        'run the network under memtape.use_backend("reference")'
    )


def _register() -> torch.library.Library:
    """Make both ways known to torch: to autograd, autocast and `torch.compile`."""
    library = torch.library.Library("memtape", "FRAGMENT")

    def listed(kind: str, names: tuple[str, ...]) -> str:
        return ", ".join(f"{kind} {name}" for name in names)

    def several(count: int) -> str:
        return ", ".join(["Tensor"] * count)

    ahead = f"{listed('Tensor', _Given._fields)}, Tensor? lengths, int[] form, float clip, bool keep"
    back = ", ".join(
        (
            listed("Tensor?", tuple(f"d_{name}" for name in ("ys", *_LAST))),
            listed("Tensor", (*_Given._fields, *_Kept._fields)),
            "Tensor? lengths, int[] form, float clip",
        )
    )
    library.define(f"turing_machine({ahead}) -> ({several(1 + len(_Last._fields) + len(_Kept._fields))})")
    library.define(f"turing_machine_backward({back}) -> ({several(len(_Given._fields))})")
    library.impl("turing_machine", _forward, "CPU")
    library.impl("turing_machine_backward", _backward, "CPU")
    for name, shapes in (("turing_machine", _forward_shapes), ("turing_machine_backward", _backward_shapes)):
        torch.library.register_fake(f"memtape::{name}", shapes, lib=library)
    torch.library.register_autograd(
        "memtape::turing_machine", _differentiate, setup_context=_keep_for_backward, lib=library
    )
    torch.library.register_autograd("memtape::turing_machine_backward", _refuse_second_gradient, lib=library)
    torch.library.register_autocast("memtape::turing_machine", "cpu", torch.float32, lib=library)
    return library


_LIBRARY = _register()


def _empty(given: _Given, form: _Form, keep: bool) -> tuple[_Last, _Kept]:
    """Return the tensors that the forward pass fills."""
    library = kernels().library
    assert library is not None
    batch, time = given.xs.shape[:2]
    layers, gates = given.biases.shape
    heads, slots = given.weights.shape[1:]
    hidden, width = given.hidden.shape[-1], given.memory.shape[-1]
    lanes = library.memtape_register_bytes() // given.xs.element_size()
    padded = (slots + lanes - 1) // lanes * lanes
    segments = -(-time // library.memtape_turing_segment())
    new = given.xs.new_empty

    def kept(*shape: int) -> Tensor:
        return new(shape if keep else (0,))

    return _Last(*(new(tensor.shape) for tensor in given[-5:])), _Kept(
        seen=new(batch, time, hidden + form.read_heads * width),
        gates=new(layers if keep else 1, batch, time, gates),
        first_inputs=kept(batch, time, given.first_weight.shape[1]),
        upper_inputs=kept(layers - 1, batch, time, given.upper_weights.shape[2]),
        cells=kept(layers if given.cell.numel() else 0, batch, time, hidden),
        raw=kept(batch, time, given.interface_bias.shape[0]),
        all_weights=kept(batch, time + 1, heads, padded),
        tapes=kept(batch, segments, width, padded),
    )


def _sizes(given: _Given, lengths: Tensor | None, form: list[int], clip: float) -> _Sizes:
    numbers = _Form(*form)
    return _Sizes(
        batch=given.xs.shape[0],
        time=given.xs.shape[1],
        hidden=given.hidden.shape[-1],
        layers=given.hidden.shape[0],
        slots=given.memory.shape[1],
        width=given.memory.shape[2],
        reads=numbers.read_heads,
        writes=given.weights.shape[1] - numbers.read_heads,
        reach=numbers.shift_range,
        threads=torch.get_num_threads(),
        clip=clip,
        lengths=None if lengths is None else lengths.data_ptr(),
        **{name: getattr(numbers, name) for name in ("controller", "location", "cosine", "read_first", "squash")},
    )


def _record(kind: type[ctypes.Structure], tensors: dict[str, Tensor]) -> ctypes.Structure:
    return kind(**{name: tensor.data_ptr() for name, tensor in tensors.items()})


def _call(way: str, dtype: torch.dtype, *records: ctypes.Structure) -> None:
    function = getattr(kernels().library, f"memtape_turing_{way}_{str(dtype).removeprefix('torch.')}")
    if function(*(ctypes.byref(record) for record in records)):
        raise MemoryError(
            "the fused Turing machine ran out of memory; take a smaller batch or shorter sequences, "
            "or keep fewer steps by checkpoint_every"
        )


def _beyond(lengths: Tensor, time: int) -> Tensor:
    return (torch.arange(time) >= lengths[:, None])[..., None]
