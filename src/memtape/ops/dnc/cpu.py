"""CPU: the Differentiable Neural Computer in C++ (csrc/dnc.cpp), with its gradients, as an operator of torch."""

import ctypes

from torch import Tensor

from memtape.ops.dnc.contract import ComputerForm, ComputerState
from memtape.ops.machine import CONTROLLERS, Given, MachineOperator, MachineParameters, MachineSizes


class _Sizes(ctypes.Structure):
    """`memtape_dnc_sizes` of csrc/dnc.h."""

    _fields_ = (
        ("machine", MachineSizes),
        *((name, ctypes.c_int64) for name in ("slots", "width", "reads", "writes")),
        *((name, ctypes.c_int64) for name in ("oneplus", "squash", "deallocate", "usage_gradient")),
        *((name, ctypes.c_double) for name in ("clip", "usage_epsilon", "norm_epsilon", "product_epsilon")),
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
    whole = [getattr(form, name) for name in ("shortcuts", "oneplus", "squash", "deallocate", "usage_gradient")]
    numbers = [getattr(form, name) for name in ("clip", "usage_epsilon", "norm_epsilon", "product_epsilon")]
    ys, last = _OPERATOR(parameters, state, xs, lengths, [CONTROLLERS.index(form.controller), *whole], numbers)
    return ys, ComputerState(**last)


def _sizes(given: Given, lengths: Tensor | None, form: list[int], numbers: list[float]) -> _Sizes:
    memory, read_weights, write_weights, *_, hidden, _ = given.state
    controller, shortcuts, oneplus, squash, deallocate, usage_gradient = form
    clip, usage_epsilon, norm_epsilon, product_epsilon = numbers
    return _Sizes(
        machine=MachineSizes.of(given, lengths, hidden, controller=controller, shortcuts=shortcuts),
        slots=memory.shape[1],
        width=memory.shape[2],
        reads=read_weights.shape[1],
        writes=write_weights.shape[1],
        oneplus=oneplus,
        squash=squash,
        deallocate=deallocate,
        usage_gradient=usage_gradient,
        clip=clip,
        usage_epsilon=usage_epsilon,
        norm_epsilon=norm_epsilon,
        product_epsilon=product_epsilon,
    )


_OPERATOR = MachineOperator(
    "dnc", "dnc", "Differentiable Neural Computer", tuple(ComputerState.__dataclass_fields__), _sizes
)
