"""Machine arguments: check the arguments of a machine's operator against its form."""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from memtape.kernels import arguments, schema

GATES = (4, 4, 1, 1)
"""Blocks of gates of a layer, by the kind of controller."""
LSTM, FEEDFORWARD = 0, 3
ENDS = (("stack", 1), ("queue", 1), ("deque", 2))
"""Number of ends at which each kind of strength stack pushes items."""
INPUTS = {"xs": ("batch", "time", "inputs")}
SHARED = ("batch", "time", "read", "layers", "hidden", "cell_layers", "cached")
"""The axes of states that every machine has, or that are not those of its memory."""
PRESENT = ("time", "inputs", "outputs", "hidden", "layers", "visible")
"""The sizes of every machine that must not be 0."""


class MachineArguments:
    """Check the arguments of one machine.

    Args:
        title: the machine's name in messages.
        form: dataclass of the machine's options.
        parameters: dataclass of the parameters.
        state: dataclass of the tensors of the state.
        interface: returns the size of the interface vector, given sizes and integers of a form.
    """

    def __init__(
        self,
        title: str,
        form: type,
        parameters: type,
        state: type,
        interface: Callable[[tuple[int, ...], tuple[int, ...]], int],
    ):
        self._title, self._interface = title, interface
        self._state = arguments.dimensions(state)
        self._axes = INPUTS | arguments.dimensions(parameters) | self._state
        self._names = tuple(self._axes)
        self._limits = arguments.bounds(form)
        members = [field for field, kind in form.__annotations__.items() if kind is float]
        self._floats = len(members)
        own = dict.fromkeys(axis for axes in self._state.values() for axis in axes)
        self._own = tuple(axis for axis in own if axis not in SHARED)
        self._positive = (*PRESENT, *(axis for axis in self._own if axis != "links"))
        self._fitting = arguments.Fitting()
        self._where = schema.axes_of(state)

    def numbers(self, integers: Sequence[int], floats: Sequence[float]) -> None:
        """Raise unless the numbers of the form are valid.

        Raises:
            ValueError: a number is missing, or is outside its limits.
        """
        arguments.numbers(self._title, integers, floats, self._limits, self._floats)

    def check(
        self, tensors: Sequence[Tensor], steps: Sequence[Tensor | None], integers: Sequence[int]
    ) -> list[Tensor | None]:
        """Raise unless all tensors fit the form and one another; return the steps in the library's format.

        Args:
            tensors: the inputs, the parameters and the state.
            steps: the lengths, the accesses and the places of the rows, each of which may be None.
            integers: the integers of the form, which are valid.

        Raises:
            MemoryError: the machine is too large to be addressed.
            ValueError: a tensor has another shape, dtype or device than the others need.
        """
        if not self._fitting.knows(tensors, integers):
            self._check_all(dict(zip(self._names, tensors, strict=True)), tuple(integers))
            self._fitting.add(tensors, integers)
        lengths, accesses, places = steps
        xs, cached = tensors[0], tensors[-1].shape[1]
        return [
            arguments.lengths(self._title, lengths, *xs.shape[:2]),
            self._check_of_steps("accesses", accesses, xs, torch.bool),
            self._check_places(self._check_of_steps("places", places, xs, torch.int64), cached),
        ]

    def _check_of_steps(self, name: str, given: Tensor | None, xs: Tensor, dtype: torch.dtype) -> Tensor | None:
        if given is None:
            return None
        if given.shape != xs.shape[:2] or given.dtype != dtype or not given.is_cpu:
            raise ValueError(
                f"the fused {self._title} got {name} as {given.dtype} of shape {tuple(given.shape)} on {given.device.type}, "
                f"but the inputs have shape {tuple(xs.shape)}; give a {dtype} on the CPU for each step of each row"
            )
        return given.contiguous()

    def _check_places(self, places: Tensor | None, cached: int) -> Tensor | None:
        if (places is None) != (cached == 0):
            raise ValueError(
                f"the fused {self._title} got a cache of {cached} vectors {'without' if places is None else 'with'} places; "
                "give both or neither"
            )
        if places is not None and places.numel() and int(places.max()) >= cached:
            raise ValueError(
                f"the fused {self._title} got a place {int(places.max())}, but a cache of {cached} vectors; give places in "
                f"-1..{cached - 1}"
            )
        return places

    def check_gradients(self, gradients: Sequence[Tensor | None], tensors: Sequence[Tensor]) -> None:
        """Raise unless the gradients of the outputs and of the last state fit the arguments; None is not checked.

        Raises:
            ValueError: a gradient has another shape, dtype or device.
        """
        xs, named = tensors[0], dict(zip(self._names, tensors, strict=True))
        wanted = {"ys": (*xs.shape[:2], len(named["output_bias"]))} | {name: named[name].shape for name in self._state}
        found = {f"the gradient of {name}": gradient for name, gradient in zip(wanted, gradients, strict=True)}
        shapes = {f"the gradient of {name}": shape for name, shape in wanted.items()}
        arguments.like(self._title, found, shapes, xs.dtype)

    def check_kept(self, kept: Tensor, xs: Tensor, count: int) -> None:
        """Raise unless the saved numbers are those of such a forward pass.

        Raises:
            ValueError: there is another number of them, or they have another dtype or device.
        """
        if kept.shape != (count,) or kept.dtype != xs.dtype or not kept.is_cpu:
            raise ValueError(
                f"the backward pass of the fused {self._title} got kept of shape {tuple(kept.shape)}, but this form saves "
                f"{count} numbers in the dtype of the inputs; give what the forward pass returned"
            )

    def _check_all(self, tensors: Mapping[str, Tensor], integers: tuple[int, ...]) -> None:
        arguments.same_kind(self._title, tensors)
        arguments.ranks(self._title, tensors, self._axes)
        form = dict(zip(self._limits, integers, strict=True))
        sizes = self._sizes(tensors, form)
        arguments.at_least_one(self._title, sizes, self._positive)
        if (sizes["cached"] == 0) != (sizes["units"] == 0):
            raise ValueError(
                f"the fused {self._title} got a cache of {sizes['cached']} vectors and attention of {sizes['units']} units; "
                "give both or neither"
            )
        if "access" in form:
            self._check_ends(sizes["ends"], *ENDS[form["access"]])
        self._addressable(tensors, sizes)
        vector = self._interface(tuple([sizes[axis] for axis in self._own]), integers)
        sizes |= self._programs(tensors["program_keys"].shape, sizes, vector)
        arguments.shapes(self._title, tensors, self._axes, sizes)

    def _programs(self, keys: Sequence[int], sizes: Mapping[str, int], vector: int) -> dict[str, int]:
        """Return the sizes of the interface: that of its vector or, with programs, of all that it is mixed from."""
        heads, programs, key = keys
        if (heads, programs, key) == (0, 0, 0):
            return {"program_heads": 0, "programs": 0, "program_key": 0, "interface": vector}
        owners = sizes["reads"] + sizes["writes"] if {"reads", "writes"} <= sizes.keys() else 0
        if heads != owners or programs < 1:
            raise ValueError(
                f"the fused {self._title} got keys of shape {tuple(keys)}, but it has {owners} heads with programs; give "
                "keys of 1 or more programs for each of these heads"
            )
        interface = programs * vector + heads * ((key or programs) + 1)
        return {"program_heads": heads, "programs": programs, "program_key": key, "interface": interface}

    def _check_ends(self, given: int, access: str, ends: int) -> None:
        if given != ends:
            raise ValueError(
                f"the fused {self._title} got items of {given} end{'s' if given > 1 else ''}, but a {access} has {ends}; "
                f"give a state of a {access}"
            )

    def _sizes(self, tensors: Mapping[str, Tensor], form: Mapping[str, int]) -> dict[str, int]:
        """Return the size of every axis, except that of the interface vector."""
        sizes: dict[str, int] = {axis: tensors[name].shape[at] for axis, (name, at) in self._where.items()}
        sizes["batch"], sizes["time"], sizes["inputs"] = tensors["xs"].shape
        hidden, layers, kind = sizes["hidden"], sizes["layers"], form["controller"]
        read = self._read_size(sizes, form)
        fed, shown = sizes["inputs"] + read, (layers if form["shortcuts"] else 1) * hidden
        outputs = tensors["output_bias"].shape[0]
        return sizes | {
            "outputs": outputs,
            "output": outputs,
            "read": read,
            "gates": GATES[kind] * hidden,
            "input_and_reads": fed,
            "upper_layers": layers - 1,
            "below": hidden + (fed if form["shortcuts"] and layers > 1 else 0),
            "own_layers": 0 if kind == FEEDFORWARD else layers,
            "cell_layers": layers if kind == LSTM else 0,
            "shown": shown,
            "shown_and_reads": shown + read,
            "units": tensors["attention_score"].shape[0],
            "hidden_and_reads": hidden + read,
            "visible": form.get("visible", 1),
            "nearest": form.get("nearest", 0),
            "offsets": 2 * form.get("shift_range", 0) + 1,
        }

    @staticmethod
    def _read_size(sizes: Mapping[str, int], form: Mapping[str, int]) -> int:
        """Return how many numbers a step reads: a vector for each head, end or tape, top cells of stacks, or shares of runs."""
        if "parts" in sizes:
            by_state = form["reading"] == 0
            return (sizes["states"] if by_state else 1) * sizes["symbols"] * max(sizes["parts"] - 1, 1)
        if "stacks" in sizes:
            return sizes["stacks"] * form["visible"] * sizes["width"]
        return sizes[next(name for name in ("reads", "heads", "ends", "tapes") if name in sizes)] * sizes["width"]

    def _addressable(self, tensors: Mapping[str, Tensor], sizes: Mapping[str, int]) -> None:
        """Raise if a machine is too large for the indices of the kernels."""
        heads = sum(sizes.get(name, 0) for name in ("reads", "writes", "heads", "stacks", "ends", "tapes"))
        slots, nearest = sizes.get("slots", 1), sizes["nearest"]
        if slots > arguments.MOST_OF_AN_INTEGER:
            raise ValueError(
                f"the fused {self._title} got {slots} slots, but it distinguishes at most {arguments.MOST_OF_AN_INTEGER}; "
                "give fewer slots"
            )
        if max(nearest, sizes.get("heads", 0)) > slots or ("heads" in sizes and nearest < 1):
            raise ValueError(
                f"the fused {self._title} got {sizes['heads']} heads that read {nearest} slots, but there are {slots} slots; "
                "give 1 or more of each, and at most as many as there are slots"
            )
        width = 4 * sizes.get("width", 0) + sizes["offsets"] + 2 * sizes.get("writes", 0) + 16
        each = (
            heads * (width * sizes["visible"] + 2 * nearest**2)
            + 9 * sizes["layers"] * sizes["hidden"]
            + sizes["inputs"]
            + sizes["outputs"]
        )
        batch = max(sizes["batch"], 1)
        stored = sum(tensors[name].numel() for name in self._state) // batch
        pushed = sizes.get("ends", 0) * sizes["time"]
        arguments.addressable(self._title, batch * (sizes["time"] + 1) * (each + stored + pushed))
