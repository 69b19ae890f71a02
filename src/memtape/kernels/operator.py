"""Machine: what the fused twins of all machines, controllers that work a memory, have in common.

A machine is an operator of torch over plain tensors: inputs, parameters and state go in, outputs and state come out. The ways
forward and back are functions of the compiled library; `csrc/machine.h` has what their interfaces share.
"""

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from memtape.kernels.calling import call, counted, function, pointers, record_of, refuse_second_gradient

Controller = Literal["lstm", "gru", "rnn", "feedforward"]
CONTROLLERS = ("lstm", "gru", "rnn", "feedforward")
"""In the order of their numbers in csrc/controller.hpp."""


@dataclass(frozen=True, kw_only=True)
class MachineParameters:
    """The parameters of a machine, as the twins read them.

    `gates` counts the numbers of a layer's gates: 4 hidden for the LSTM in the order i, f, g, o; 4 hidden for the GRU in the
    order r, z, n of the input, n of the hidden vector; hidden for the others. Blocks that a gate does not see are zero.
    """

    first_weight: Float[Tensor, "gates input_and_reads"]
    """First layer, over the input and the last reads."""
    upper_weights: Float[Tensor, "upper_layers gates below"]
    """The other layers, over the layer below; with shortcuts over the input, the last reads and the layer below."""
    own_weights: Float[Tensor, "own_layers gates hidden"]
    """All layers over their own hidden vector; none of a feed-forward controller."""
    biases: Float[Tensor, "layers gates"]
    interface_weight: Float[Tensor, "raw shown"]
    """Over the last layer, or with shortcuts over all."""
    interface_bias: Float[Tensor, " raw"]
    output_weight: Float[Tensor, "output shown_and_reads"]
    output_bias: Float[Tensor, " output"]


PARAMETERS = tuple(MachineParameters.__dataclass_fields__)


class Given(NamedTuple):
    """What goes into the operator."""

    xs: Tensor
    parameters: tuple[Tensor, ...]
    state: tuple[Tensor, ...]

    @classmethod
    def of(cls, tensors: tuple[Tensor, ...]) -> "Given":
        """Split the operator's arguments."""
        return cls(tensors[0], tensors[1 : 1 + len(PARAMETERS)], tensors[1 + len(PARAMETERS) :])

    def contiguous(self) -> "Given":
        """Return the same with every tensor in one piece."""
        return Given(self.xs.contiguous(), *(tuple(t.contiguous() for t in part) for part in self[1:]))


class MachineSizes(ctypes.Structure):
    """`memtape_machine_sizes` of csrc/machine.h."""

    _fields_ = (
        *((name, ctypes.c_int64) for name in ("batch", "time", "inputs", "outputs", "hidden", "layers")),
        *((name, ctypes.c_int64) for name in ("controller", "shortcuts", "threads")),
        ("lengths", ctypes.c_void_p),
    )

    @classmethod
    def of(
        cls, given: Given, lengths: Tensor | None, hidden: Tensor, *, controller: int, shortcuts: int = 0
    ) -> "MachineSizes":
        """Return the sizes of a machine whose controller has such hidden vectors."""
        batch, time, inputs = given.xs.shape
        return cls(
            batch=batch,
            time=time,
            inputs=inputs,
            outputs=len(given.parameters[-1]),
            hidden=hidden.shape[2],
            layers=hidden.shape[0],
            controller=controller,
            shortcuts=shortcuts,
            threads=torch.get_num_threads(),
            lengths=None if lengths is None else lengths.data_ptr(),
        )


SizesOf = Callable[[Given, Tensor | None, list[int], list[float]], ctypes.Structure]
"""From what goes in, the lengths and the form, in whole and in other numbers, to the record that the library reads."""


class MachineOperator:
    """A kind of machine in C++, with its gradients, as an operator of torch.

    Args:
        name: of the operator, as torch will know it.
        kernel: the part of the names of the library's functions that is its own.
        what: what its messages call it.
        state: names of the tensors of its state, in the order of the library's record.
        sizes: makes the library's record of sizes.
    """

    def __init__(self, name: str, kernel: str, what: str, state: Sequence[str], sizes: SizesOf):
        self.name, self.kernel, self.what, self.state, self.sizes = name, kernel, what, tuple(state), sizes
        self.count = 1 + len(PARAMETERS) + len(state)
        self._parameters_record, self._state_record = record_of(len(PARAMETERS)), record_of(len(state))
        self._library = self._register()

    def __call__(
        self,
        parameters: Any,
        state: Any,
        xs: Tensor,
        lengths: Tensor | None,
        form: tuple[Sequence[int], Sequence[float]],
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Run a machine of a form, in whole and in other numbers; return the outputs and the last state by name.

        Raises:
            MemoryError: memory ran out.
            RuntimeError: a gradient of a gradient was asked for; the reference has them.
        """
        given = [
            xs,
            *(getattr(parameters, name) for name in PARAMETERS),
            *(getattr(state, name) for name in self.state),
        ]
        keep = torch.is_grad_enabled() and any(tensor.requires_grad for tensor in given)
        operator = getattr(torch.ops.memtape, self.name)
        ys, *last, _ = operator(*given, lengths, [int(number) for number in form[0]], list(form[1]), keep)
        return ys, dict(zip(self.state, last, strict=True))

    def _forward(self, *arguments: Any) -> tuple[Tensor, ...]:
        """Return the outputs, the last state, and what is kept for the way back."""
        given, (lengths, form, numbers, keep) = Given.of(arguments[: self.count]).contiguous(), arguments[self.count :]
        lengths = counted(lengths)
        sizes = self.sizes(given, lengths, form, numbers)
        ys, last = _outputs(given)
        kept = given.xs.new_empty(self._kept(given, sizes) if keep else 0)
        call(
            self.what,
            function(f"{self.kernel}_forward", given.xs.dtype),
            sizes,
            pointers(self._parameters_record, given.parameters),
            given.xs,
            pointers(self._state_record, given.state),
            ys,
            pointers(self._state_record, last),
            kept if keep else None,
        )
        return ys, *last, kept

    def _forward_shapes(self, *arguments: Any) -> tuple[Tensor, ...]:
        given, (_, form, numbers, keep) = Given.of(arguments[: self.count]), arguments[self.count :]
        ys, last = _outputs(given)
        kept = self._kept(given, self.sizes(given, None, form, numbers)) if keep else 0
        return ys, *last, given.xs.new_empty(kept)

    def _backward(self, *arguments: Any) -> tuple[Tensor, ...]:
        """Return the gradients of everything in `Given`, that of the inputs empty unless wanted."""
        come = 1 + len(self.state)
        d_ys, *d_last = (None if gradient is None else gradient.contiguous() for gradient in arguments[:come])
        given = Given.of(arguments[come : come + self.count]).contiguous()
        kept, lengths, form, numbers, wants_xs = arguments[come + self.count :]
        lengths = counted(lengths)
        d_xs, *others = _gradients(given, wants_xs)
        d_given = Given.of((d_xs, *others))
        call(
            self.what,
            function(f"{self.kernel}_backward", given.xs.dtype),
            self.sizes(given, lengths, form, numbers),
            pointers(self._parameters_record, given.parameters),
            given.xs,
            kept,
            d_ys,
            pointers(self._state_record, d_last),
            pointers(self._parameters_record, d_given.parameters),
            d_xs if wants_xs else None,
            pointers(self._state_record, d_given.state),
        )
        return d_xs, *others

    def _backward_shapes(self, *arguments: Any) -> tuple[Tensor, ...]:
        come = 1 + len(self.state)
        return _gradients(Given.of(arguments[come : come + self.count]), arguments[-1])

    def _kept(self, given: Given, sizes: ctypes.Structure) -> int:
        """Return how many numbers are kept for the way back."""
        return int(function(f"{self.kernel}_kept", given.xs.dtype)(ctypes.byref(sizes)))

    def _differentiable(self) -> type[torch.autograd.Function]:
        """Return the operator with its gradients.

        `torch.library.register_autograd` would do the same, but reads the schema anew in every call, which takes a tenth of a
        short sequence's time.
        """
        count, operators, name = self.count, torch.ops.memtape, self.name

        class Differentiable(torch.autograd.Function):
            @staticmethod
            def forward(ctx: Any, *arguments: Any) -> tuple[Tensor, ...]:
                with torch._C._AutoDispatchBelowAutograd():
                    results: tuple[Tensor, ...] = getattr(operators, name)(*arguments)
                ctx.set_materialize_grads(False)
                ctx.mark_non_differentiable(results[-1])
                ctx.save_for_backward(*arguments[:count], results[-1], arguments[count])
                ctx.form, ctx.numbers = arguments[count + 1 : count + 3]
                return results

            @staticmethod
            def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
                wants_xs = ctx.needs_input_grad[0]
                d_xs, *others = getattr(operators, f"{name}_backward")(
                    *gradients[:-1], *ctx.saved_tensors, ctx.form, ctx.numbers, wants_xs
                )
                return d_xs if wants_xs else None, *others, None, None, None, None

        return Differentiable

    def _register(self) -> torch.library.Library:
        """Make both ways known to torch: to autograd, autocast and `torch.compile`."""
        library = torch.library.Library("memtape", "FRAGMENT")
        given = ", ".join(f"Tensor {name}" for name in ("xs", *PARAMETERS, *self.state))
        d_last = ", ".join(f"Tensor? d_{name}" for name in ("ys", *self.state))
        some = "Tensor? lengths, int[] form, float[] numbers, bool"
        back = f"{self.name}_backward"
        library.define(f"{self.name}({given}, {some} keep) -> ({_several(2 + len(self.state))})")
        library.define(f"{back}({d_last}, {given}, Tensor kept, {some} wants_xs) -> ({_several(self.count)})")
        for name, way, shapes in (
            (self.name, self._forward, self._forward_shapes),
            (back, self._backward, self._backward_shapes),
        ):
            library.impl(name, way, "CPU")
            torch.library.register_fake(f"memtape::{name}", shapes, lib=library)
        library.impl(self.name, self._differentiable().apply, "Autograd")
        torch.library.register_autograd(f"memtape::{back}", refuse_second_gradient(self.what), lib=library)
        torch.library.register_autocast(f"memtape::{self.name}", "cpu", torch.float32, lib=library)
        return library


def _several(count: int) -> str:
    return ", ".join(["Tensor"] * count)


def _outputs(given: Given) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Return unfilled tensors for the outputs and the last state."""
    xs, output_bias = given.xs, given.parameters[-1]
    return xs.new_empty(*xs.shape[:2], len(output_bias)), tuple(xs.new_empty(tensor.shape) for tensor in given.state)


def _gradients(given: Given, wants_xs: bool) -> tuple[Tensor, ...]:
    """Return unfilled tensors for the gradients."""
    others = (*given.parameters, *given.state)
    new = given.xs.new_empty
    return new(given.xs.shape if wants_xs else 0), *(new(tensor.shape) for tensor in others)
