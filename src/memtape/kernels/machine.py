"""Machine: the common part of the fused kernels of all machines, which are controllers with a memory.

A machine is an operator of torch that maps inputs, parameters and state to outputs and state, all plain tensors. Its
forward and its backward pass are functions of the compiled library, declared in `csrc/machine/abi.hpp`. Two
dataclasses, the machine's form and its state, define everything else.
"""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic, Literal, NamedTuple, Protocol, TypeVar, runtime_checkable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from memtape.core.compiled_library import expect
from memtape.kernels import schema
from memtape.kernels.arguments import MOST_OF_AN_INTEGER
from memtape.kernels.calling import call, exhausted, function, library_function, pointers
from memtape.kernels.in_place import InPlace, copied
from memtape.kernels.machine_arguments import SHARED, MachineArguments
from memtape.kernels.operator import Pass, register

Controller = Literal["lstm", "gru", "rnn", "feedforward"]
"""The kinds of controller, in the order of the enum in csrc/machine/controller.hpp."""

Activation = Literal["tanh", "sigmoid", "relu"]
"""The activations of the units of an "rnn" or "feedforward" controller, in the order of the enum there."""


@dataclass(frozen=True, kw_only=True)
class MachineParameters:
    """The parameters of a machine, in the kernels' format.

    The size `gates` is that of all gates of a layer: 4 hidden for the LSTM in the order i, f, g, o; 4 hidden for the
    GRU in the order r, z, n of the input, n of the hidden vector; hidden for the others. Blocks without a connection
    are zero.
    """

    first_weight: Float[Tensor, "gates input_and_reads"]
    """First layer, applied to the input and the last reads."""
    upper_weights: Float[Tensor, "upper_layers gates below"]
    """The other layers, applied to the layer below; with shortcuts to the input, the last reads and the layer below."""
    own_weights: Float[Tensor, "own_layers gates hidden"]
    """Recurrent weights of all layers; empty for a feed-forward controller."""
    biases: Float[Tensor, "layers gates"]
    interface_weight: Float[Tensor, "interface shown"]
    """Applied to the last layer, or with shortcuts to all layers. With programs its rows are the interface vectors of all
    programs, the queries of all heads, and a strength for each head."""
    interface_bias: Float[Tensor, " interface"]
    program_keys: Float[Tensor, "program_heads programs program_key"]
    """Keys of the programs, of norm 1; of size 0 if the queries are the scores. All axes are 0 without programs."""
    attention_cached: Float[Tensor, "units hidden"]
    """Attention over cached hidden vectors, applied to a cached vector; without a cache its three tensors have no units."""
    attention_now: Float[Tensor, "units hidden_and_reads"]
    """Applied to the hidden vector and the last reads."""
    attention_score: Float[Tensor, " units"]
    output_weight: Float[Tensor, "output shown_and_reads"]
    output_bias: Float[Tensor, " output"]


PARAMETERS = schema.names_of(MachineParameters)
KEYS, SCORE = PARAMETERS.index("program_keys"), PARAMETERS.index("attention_score")

PROGRAMS = ("program_heads", "programs", "program_key")
"""The axes of the keys of programs."""

MACHINE = (
    *("batch", "time", "inputs", "outputs", "hidden", "layers", "controller", "shortcuts", "activation"),
    *(*PROGRAMS, "squash_queries", "cached", "units", "threads"),
)
"""The integer fields of `memtape_machine_sizes`; pointers to the lengths, the accesses and the places follow."""

STEPS = ("lengths", "accesses", "places")
"""The arguments that describe the steps of each row."""

FUNCTIONS = {
    "forward": ("sizes", "parameters", "xs", "first", "ys", "last", "kept"),
    "backward": ("sizes", "parameters", "xs", "kept", "d_ys", "d_last", "d_parameters", "d_xs", "d_first"),
}
"""The arguments of the library's functions, in order."""

Form = TypeVar("Form")
Form_contra = TypeVar("Form_contra", contravariant=True)
State = TypeVar("State")


@runtime_checkable
class Machine(Protocol[Form_contra, State]):
    """A fused kernel: run a machine over whole sequences."""

    def __call__(
        self,
        form: Form_contra,
        parameters: MachineParameters,
        state: State,
        xs: Float[Tensor, "batch time input"],
        lengths: Int[Tensor, " batch"] | None,
        *,
        accesses: Bool[Tensor, "batch time"] | None = None,
        places: Int[Tensor, "batch time"] | None = None,
    ) -> tuple[Float[Tensor, "batch time output"], State]:
        """Return the outputs, zero beyond a row's length, and the state after each row's last step."""
        ...


class Given(NamedTuple):
    """The inputs of the operator."""

    xs: Tensor
    parameters: tuple[Tensor, ...]
    state: tuple[Tensor, ...]

    @classmethod
    def of(cls, tensors: tuple[Tensor, ...]) -> "Given":
        """Split the operator's arguments."""
        return cls(tensors[0], tensors[1 : 1 + len(PARAMETERS)], tensors[1 + len(PARAMETERS) :])

    def contiguous(self, *, but: range = range(0)) -> "Given":
        """Return the inputs with contiguous tensors, except the parts of the state at the indices `but`."""
        parameters = tuple(tensor.contiguous() for tensor in self.parameters)
        state = tuple(tensor if at in but else tensor.contiguous() for at, tensor in enumerate(self.state))
        return Given(self.xs.contiguous(), parameters, state)


class MachineOperator(Generic[Form, State]):
    """Register a machine in C++, with its gradients, as the operator of torch `memtape::NAME`, and call it.

    Args:
        name: name of the machine; its functions are `memtape_NAME_...`.
        form: dataclass of the machine's options; its fields, after `controller`, `shortcuts` and `activation`, are members
            of `memtape_NAME_sizes`.
        state: dataclass of the tensors of the state, whose axes are also members; `reads`, `hidden`, `cell`
            and `cache` come last.
        in_place: parts of the state that are changed in place.
    """

    def __init__(self, name: str, form: type[Form], state: type[State], in_place: InPlace | None = None):
        self.name, self.title, self.in_place = name, name.upper(), in_place or InPlace()
        self.state_type, self.state = state, schema.names_of(state)
        self.count = 1 + len(PARAMETERS) + len(self.state)
        members = schema.form_members(form)
        self._integers = [field for field, kind in members.items() if kind is ctypes.c_int64]
        self._floats = [field for field, kind in members.items() if kind is ctypes.c_double]
        self._axes = {axis: where for axis, where in schema.axes_of(state).items() if axis not in SHARED}
        own = {name: kind for name, kind in members.items() if name not in MACHINE}
        integers = dict.fromkeys((*self.in_place.measured, *self.in_place.flags), ctypes.c_int64)
        addresses = dict.fromkeys(self.in_place.addresses, ctypes.c_void_p)
        self.sizes_struct = schema.struct(
            (
                *dict.fromkeys(MACHINE, ctypes.c_int64).items(),
                ("lengths", ctypes.c_void_p),
                ("accesses", ctypes.c_void_p),
                ("places", ctypes.c_void_p),
                *dict.fromkeys(self._axes, ctypes.c_int64).items(),
                *own.items(),
                *integers.items(),
                *addresses.items(),
            )
        )
        self.parameters_struct, self.state_struct = schema.pointers_to(PARAMETERS), schema.pointers_to(self.state)
        structs = {"sizes": self.sizes_struct, "parameters": self.parameters_struct, "state": self.state_struct}
        expect(name, schema.layout(structs, FUNCTIONS))
        self._arguments = MachineArguments(
            self.title, form, MachineParameters, state, lru_cache(maxsize=64)(self._interface)
        )
        self._library = self._register()

    def __call__(
        self,
        form: Form,
        parameters: MachineParameters,
        state: State,
        xs: Tensor,
        lengths: Tensor | None,
        *,
        accesses: Tensor | None = None,
        places: Tensor | None = None,
    ) -> tuple[Tensor, State]:
        """Run a machine over whole sequences.

        Args:
            form: the options of the machine.
            parameters: the parameters.
            state: the state before the first step; a part changed in place that is an expanded zero is not copied.
            xs: the inputs, finite also beyond a row's length.
            lengths: number of valid steps of each row, which may be 0; None for all.
            accesses: in which steps each row accesses the memory; in the others the memory and the read vectors stay the same.
                None for all.
            places: where each step of each row stores the hidden vector before it in the cache, -1 for nowhere. In steps with
                a place and an access, the first layer receives attention over the cache instead of its hidden vector. None
                without a cache.

        Returns:
            The outputs, zero beyond a row's length, and the state after each row's last step.

        Raises:
            MemoryError: the memory is exhausted, or the machine is too large to be addressed.
            RuntimeError: a gradient of a gradient is requested, which only the reference has.
            ValueError: a tensor has another shape, dtype or device than the form and the others need.
        """
        given = [
            xs,
            *(getattr(parameters, name) for name in PARAMETERS),
            *(getattr(state, name) for name in self.state),
        ]
        keep = torch.is_grad_enabled() and any(tensor.requires_grad for tensor in given)
        results = getattr(torch.ops.memtape, self.name)(
            *given, lengths, accesses, places, *schema.form_numbers(form), keep
        )
        return results[0], self.state_type(**dict(zip(self.state, results[1:], strict=False)))

    def sizes(
        self,
        given: Given,
        steps: Sequence[Tensor | None],
        integers: list[int],
        floats: list[float],
    ) -> Any:
        """Return the C struct of all sizes; `steps` are the lengths, the accesses and the places."""
        self._arguments.numbers(integers, floats)
        state = dict(zip(self.state, given.state, strict=True))
        batch, time, inputs = given.xs.shape
        return self.sizes_struct(
            batch=batch,
            time=time,
            inputs=inputs,
            outputs=len(given.parameters[-1]),
            hidden=state["hidden"].shape[2],
            layers=state["hidden"].shape[0],
            **dict(zip(PROGRAMS, given.parameters[KEYS].shape, strict=True)),
            threads=torch.get_num_threads(),
            cached=state["cache"].shape[1],
            units=len(given.parameters[SCORE]),
            **{name: None if of is None else of.data_ptr() for name, of in zip(STEPS, steps, strict=True)},
            **schema.sizes(self._axes, state),
            **dict(zip(self._integers, integers, strict=True)),
            **dict(zip(self._floats, floats, strict=True)),
        )

    def gradients(self, given: Given, wanted: list[bool]) -> tuple[Tensor, ...]:
        """Return uninitialised tensors for the gradients of the inputs, empty for those that are not needed."""
        new, large = given.xs.new_empty, len(self.in_place.parts)
        wants_xs, *wants_large = wanted
        wants_large += [False] * (large - len(wants_large))
        return (
            new(given.xs.shape if wants_xs else 0),
            *(new(tensor.shape) for tensor in given.parameters),
            *(new(tensor.shape if want else 0) for tensor, want in zip(given.state[:large], wants_large, strict=True)),
            *(new(tensor.shape) for tensor in given.state[large:]),
        )

    def _forward(self, *arguments: Any) -> tuple[Tensor, ...]:
        """Return the outputs, the last state, what is saved for the backward pass, and the measured sizes."""
        given = Given.of(arguments[: self.count])
        *steps, integers, floats, keep = arguments[self.count :]
        self._arguments.numbers(integers, floats)
        steps = self._arguments.check(arguments[: self.count], steps, integers)
        large = len(self.in_place.parts)
        sizes = self.sizes(given, steps, integers, floats)
        self.in_place.measure(sizes, dict(zip(self.state, given.state, strict=True)))
        changed = tuple(copied(tensor) for tensor in given.state[:large])
        given = Given(given.xs, given.parameters, (*changed, *given.state[large:])).contiguous()
        ys, rest = _outputs(given, large)
        last = (*changed, *rest)
        kept = given.xs.new_empty(self._kept(given, sizes) if keep else 0)
        call(
            self.title,
            function(f"{self.name}_forward", given.xs.dtype),
            sizes,
            pointers(self.parameters_struct, given.parameters),
            given.xs,
            pointers(self.state_struct, given.state),
            ys,
            pointers(self.state_struct, last),
            kept if keep else None,
        )
        return ys, *last, kept, *(torch.tensor(getattr(sizes, name)) for name in self.in_place.measured)

    def _forward_shapes(self, *arguments: Any) -> tuple[Tensor, ...]:
        given, (*_, integers, floats, keep) = Given.of(arguments[: self.count]), arguments[self.count :]
        ys, last = _outputs(given, 0)
        kept = given.xs.new_empty(0)
        if keep:
            sizes = self.sizes(given, (None,) * len(STEPS), integers, floats)
            self.in_place.measure(sizes, None)
            kept = given.xs.new_empty(self._kept(given, sizes))
        return ys, *last, kept, *(torch.empty((), dtype=torch.int64) for _ in self.in_place.measured)

    def _backward(self, *arguments: Any) -> tuple[Tensor, ...]:
        """Return the gradients of the inputs; parts changed in place are given with their last values."""
        come = 1 + len(self.state)
        unread = range(len(self.in_place.differentiable), len(self.in_place.parts))
        kept, *rest, integers, floats, wanted = arguments[come + self.count :]
        measured, steps = rest[: -len(STEPS)], rest[-len(STEPS) :]
        self._arguments.numbers(integers, floats)
        steps = self._arguments.check(arguments[come : come + self.count], steps, integers)
        given = Given.of(arguments[come : come + self.count])
        self._arguments.check_gradients(arguments[:come], arguments[come : come + self.count])
        given = given.contiguous(but=unread)
        d_ys, *d_last = (None if gradient is None else gradient.contiguous() for gradient in arguments[:come])
        sizes = self.sizes(given, steps, integers, floats)
        for name, size in zip(self.in_place.measured, measured, strict=True):
            setattr(sizes, name, min(max(int(size), 0), MOST_OF_AN_INTEGER))
        self._arguments.check_kept(kept, given.xs, self._kept(given, sizes))
        kept = kept.contiguous()
        for name, tensor in zip(self.in_place.parts, given.state, strict=False):
            if name in self.in_place.addresses:
                setattr(sizes, name, tensor.data_ptr())
        found = self.gradients(given, wanted)
        d_given, large = Given.of(found), len(self.in_place.parts)
        asked = [*wanted[1:], *[False] * (large - len(wanted[1:])), *[True] * (len(self.state) - large)]
        call(
            self.title,
            function(f"{self.name}_backward", given.xs.dtype),
            sizes,
            pointers(self.parameters_struct, given.parameters),
            given.xs,
            kept,
            d_ys,
            pointers(self.state_struct, d_last),
            pointers(self.parameters_struct, d_given.parameters),
            d_given.xs if wanted[0] else None,
            pointers(self.state_struct, (d if ask else None for d, ask in zip(d_given.state, asked, strict=True))),
        )
        return found

    def _backward_shapes(self, *arguments: Any) -> tuple[Tensor, ...]:
        come = 1 + len(self.state)
        return self.gradients(Given.of(arguments[come : come + self.count]), arguments[-1])

    def _kept(self, given: Given, sizes: Any) -> int:
        """Return how many numbers are saved for the backward pass.

        Raises:
            MemoryError: the memory is exhausted.
        """
        count = int(function(f"{self.name}_kept", given.xs.dtype)(ctypes.byref(sizes)))
        if count < 0:
            raise exhausted(self.title)
        return count

    def _interface(self, own: tuple[int, ...], integers: tuple[int, ...]) -> int:
        """Return the size of the interface vector, given the machine's own sizes and the integers of its form."""
        members = dict(zip(self._axes, own, strict=True)) | dict(zip(self._integers, integers, strict=True))
        described = library_function(f"{self.name}_interface")
        described.restype = ctypes.c_char_p
        rows = described(ctypes.byref(self.sizes_struct(**members))).decode().split(",")
        return sum(int(size) for _, size, activation, _ in (row.split(":") for row in rows) if activation != "one")

    def _save(self, ctx: Any, arguments: tuple[Any, ...], results: tuple[Tensor, ...]) -> None:
        """Save the arguments, with the results instead of the parts that are changed in place and have a gradient."""
        first, seen = 1 + len(PARAMETERS), len(self.in_place.differentiable)
        rest = results[1 + len(self.state) :]
        ctx.mark_non_differentiable(*results[1 + seen : 1 + len(self.in_place.parts)], *rest)
        given = (*arguments[:first], *results[1 : 1 + seen], *arguments[first + seen : self.count])
        form = self.count + len(STEPS)
        ctx.save_for_backward(*given, *rest, *arguments[self.count : form])
        ctx.form = arguments[form : form + 2]

    def _gradients(self, ctx: Any, *d_results: Tensor | None) -> tuple[Tensor | None, ...]:
        first, large = 1 + len(PARAMETERS), len(self.in_place.parts)
        last = first + len(self.in_place.differentiable)
        wanted = [ctx.needs_input_grad[0], *ctx.needs_input_grad[first:last]]
        found: list[Tensor | None] = list(
            getattr(torch.ops.memtape, f"{self.name}_backward")(
                *d_results[: 1 + len(self.state)], *ctx.saved_tensors, *ctx.form, wanted
            )
        )
        for at, want in zip((0, *range(first, last)), wanted, strict=True):
            found[at] = found[at] if want else None
        found[last : first + large] = [None] * (first + large - last)
        return *found, *[None] * len(STEPS), None, None, None

    def _register(self) -> torch.library.Library:
        given = ", ".join(f"Tensor {name}" for name in ("xs", *PARAMETERS, *self.state))
        d_last = ", ".join(f"Tensor? d_{name}" for name in ("ys", *self.state))
        saved = ", ".join(f"Tensor {name}" for name in ("kept", *self.in_place.measured))
        form = ", ".join((*(f"Tensor? {name}" for name in STEPS), "int[] integers", "float[] floats"))
        results = 2 + len(self.state) + len(self.in_place.measured)
        forward = Pass(f"{given}, {form}, bool keep", results, self._forward, self._forward_shapes)
        back = f"{d_last}, {given}, {saved}, {form}, bool[] wanted"
        backward = Pass(back, self.count, self._backward, self._backward_shapes)
        return register(
            self.name, self.title, forward=forward, backward=backward, save=self._save, gradients=self._gradients
        )


def _outputs(given: Given, changed: int) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Return uninitialised tensors for the outputs and the last state, without its first `changed` parts."""
    new, output_bias = given.xs.new_empty, given.parameters[-1]
    return new(*given.xs.shape[:2], len(output_bias)), tuple(new(tensor.shape) for tensor in given.state[changed:])
