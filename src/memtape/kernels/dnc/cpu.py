"""CPU: the Differentiable Neural Computer in C++ (csrc/dnc.cpp), with its gradients, as an operator of torch."""

import ctypes

from torch import Tensor

from memtape.kernels.dnc.form import ComputerForm, ComputerState
from memtape.kernels.operator import CONTROLLERS, Given, MachineOperator, MachineParameters, MachineSizes

SWITCHES = ("oneplus", "squash", "masked", "sharpen", "deallocate", "usage_gradient")
NUMBERS = ("clip", "mask_floor", "usage_epsilon", "usage_tolerance", "norm_epsilon", "product_epsilon")
"""Fields of `ComputerForm`, in the order of csrc/dnc.h."""


class _Sizes(ctypes.Structure):
    """`memtape_dnc_sizes` of csrc/dnc.h."""

    _fields_ = (
        ("machine", MachineSizes),
        *((name, ctypes.c_int64) for name in ("slots", "width", "reads", "writes", *SWITCHES)),
        *((name, ctypes.c_double) for name in NUMBERS),
    )


def computer_on_cpu(
    form: ComputerForm, parameters: MachineParameters, state: ComputerState, xs: Tensor, lengths: Tensor | None
) -> tuple[Tensor, ComputerState]:
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
    controller = (CONTROLLERS.index(form.controller), form.shortcuts)
    switches, numbers = ([getattr(form, name) for name in names] for names in (SWITCHES, NUMBERS))
    ys, last = _OPERATOR(parameters, state, xs, lengths, ([*controller, *switches], numbers))
    return ys, ComputerState(**last)


def _sizes(given: Given, lengths: Tensor | None, form: list[int], numbers: list[float]) -> _Sizes:
    memory, read_weights, write_weights, *_, hidden, _ = given.state
    controller, shortcuts, *switches = form
    return _Sizes(
        machine=MachineSizes.of(given, lengths, hidden, controller=controller, shortcuts=shortcuts),
        slots=memory.shape[1],
        width=memory.shape[2],
        reads=read_weights.shape[1],
        writes=write_weights.shape[1],
        **dict(zip(SWITCHES, switches, strict=True)),
        **dict(zip(NUMBERS, numbers, strict=True)),
    )


_OPERATOR = MachineOperator(
    "dnc", "dnc", "Differentiable Neural Computer", tuple(ComputerState.__dataclass_fields__), _sizes
)
