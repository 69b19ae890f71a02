"""CPU: the Turing machine in C++ (csrc/turing_machine.cpp), with its gradients, as an operator of torch."""

import ctypes

from torch import Tensor

from memtape.kernels.ntm.form import MachineForm, MachineState
from memtape.kernels.operator import CONTROLLERS, Given, MachineOperator, MachineParameters, MachineSizes


class _Sizes(ctypes.Structure):
    """`memtape_turing_sizes` of csrc/turing_machine.h."""

    _fields_ = (
        ("machine", MachineSizes),
        *((name, ctypes.c_int64) for name in ("slots", "width", "reads", "writes", "reach", "location", "cosine")),
        *((name, ctypes.c_int64) for name in ("read_first", "squash")),
        ("clip", ctypes.c_double),
    )


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
    numbers = (
        CONTROLLERS.index(form.controller),
        form.read_heads,
        form.shift_range,
        form.location,
        form.cosine,
        form.read_first,
        form.squash,
    )
    ys, last = _OPERATOR(parameters, state, xs, lengths, (numbers, [form.clip]))
    return ys, MachineState(**last)


def _sizes(given: Given, lengths: Tensor | None, form: list[int], numbers: list[float]) -> _Sizes:
    memory, weights, _, hidden, _ = given.state
    controller, read_heads, shift_range, location, cosine, read_first, squash = form
    return _Sizes(
        machine=MachineSizes.of(given, lengths, hidden, controller=controller),
        slots=memory.shape[1],
        width=memory.shape[2],
        reads=read_heads,
        writes=weights.shape[1] - read_heads,
        reach=shift_range,
        location=location,
        cosine=cosine,
        read_first=read_first,
        squash=squash,
        clip=numbers[0],
    )


_OPERATOR = MachineOperator(
    "turing_machine", "turing", "Turing machine", tuple(MachineState.__dataclass_fields__), _sizes
)
