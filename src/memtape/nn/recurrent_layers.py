"""Recurrent layers: the common part of `memtape.nn.LSTM`, `GRU` and `RNN`."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from memtape.core import checks, padding
from memtape.core.backends import backend_for
from memtape.core.cell import AnyCell, fused_run
from memtape.core.missing_kernels import warn_if_missing
from memtape.core.step_by_step import StepByStep, fused_or_steps
from memtape.core.transforms import transforming
from memtape.nn.given_tensors import with_tensors

BY_TORCH: Mapping[str, Callable[..., Any]] = {
    "LSTM": torch.lstm,
    "GRU": torch.gru,
    "RNN_TANH": torch.rnn_tanh,
    "RNN_RELU": torch.rnn_relu,
}
"""torch's own functions, by the mode of the layers."""

IN_KERNELS = (torch.float32, torch.float64)
"""The dtypes of the kernels."""


class RecurrentLayers(nn.RNNBase, ABC):
    """Abstract layers of recurrent units, in one or both directions, called like the networks of `torch.nn`.

    Parameters, their names and their initial values are those of `torch.nn.RNNBase`. The layers run in memtape's kernels
    where these are faster, in torch's own function where it is, and step by step with the cells of `memtape.cells` for
    options without a kernel, on the backend "reference" and inside transforms of `torch.func`. A concrete class returns
    the cell of a layer by `_cell`.

    Args:
        mode: the kind of the units, one of `BY_TORCH`.
        input_size: size of one input vector.
        hidden_size: number of units of each layer in each direction.
        num_layers: number of layers.
        bias: use biases.
        batch_first: inputs and outputs have the shape (batch, time, ...) instead of (time, batch, ...).
        dropout: in training, the probability that an entry passed from one layer to the next is dropped.
        bidirectional: run a second set of units backwards in time, and concatenate both outputs.
        proj_size: size of the projection of the hidden vector; 0 for none.
        device: device of the parameters.
        dtype: dtype of the parameters.
        options: the options that torch does not have, by name: flags, and probabilities.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: a size is below 1, or a probability is outside 0..1.
    """

    state_record: ClassVar[type]
    """The class of a cell's state."""
    fewest_steps: ClassVar[float]
    """The number of steps up to which torch's function is faster on rows of equal length; half as many if there are
    gradients."""

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int,
        bias: bool,
        batch_first: bool,
        dropout: float,
        bidirectional: bool,
        proj_size: int,
        device: Any,
        dtype: Any,
        **options: Any,
    ):
        checks.probabilities(**{name: rate for name, rate in options.items() if not isinstance(rate, bool)})
        used = [name for name, value in options.items() if value]
        if proj_size and used:
            raise ValueError(
                f"proj_size is {proj_size} beside {used[0]}, but projections have no further options; leave one of the two out"
            )
        super().__init__(
            mode,
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            proj_size,
            device=device,
            dtype=dtype,
        )
        self.options = options
        self.directions = 2 if bidirectional else 1
        with torch.device("meta"):  # the cells compute with the parameters of these layers
            self._cells = [self._cell(input_size if layer == 0 else self._width) for layer in range(num_layers)]
        self._paths = [
            {path.removeprefix("cell."): path for path, _ in cell.named_parameters()}  # inside a wrapper
            for cell in self._cells
        ]
        for place in range(num_layers * self.directions):
            cell = self._cells[place // self.directions]
            for name, path in self._paths[place // self.directions].items():
                if name not in _WEIGHTS and name not in _BIASES:
                    empty = torch.empty(cell.get_parameter(path).shape, device=device, dtype=dtype)
                    self.register_parameter(self._name(name, place), nn.Parameter(empty))
        self._reset_others()

    @abstractmethod
    def _cell(self, input_size: int) -> AnyCell:
        """Return the cell of a layer; its parameters are replaced by those of the layer in every call."""

    @property
    def _width(self) -> int:
        """The size of the outputs."""
        return self.directions * (self.proj_size or self.hidden_size)

    @property
    def _input_dropout(self) -> float:
        """The rate of variational dropout, 0 in evaluation."""
        return self.options["variational_dropout"] if self.training else 0.0

    def reset_parameters(self) -> None:
        """Draw all parameters anew, as torch does; scales of layer normalisation are 1, peepholes and shifts 0."""
        super().reset_parameters()
        self._reset_others()

    def _reset_others(self) -> None:
        for name, parameter in self.named_parameters():
            if name not in self._flat_weights_names:
                nn.init.constant_(parameter, 1.0 if "weight" in name else 0.0)

    def forward(self, input: Tensor | PackedSequence, hx: Any = None) -> tuple[Any, Any]:
        """Run over whole sequences.

        Args:
            input: the inputs, shape (time, batch, input), or (batch, time, input) with `batch_first`; (time, input) for one
                sequence; or a PackedSequence.
            hx: the state before the first step, each tensor of shape (layers * directions, batch, hidden): a pair (hidden,
                memory cell) for an LSTM, the hidden vector for others; without the batch axis for one sequence; None for
                zeros.

        Returns:
            The outputs of the last layer, in the format of the inputs, and the state after the last step, in the format of
            `hx`.

        Raises:
            TypeError: an argument has the wrong type.
            ValueError: the inputs have another number of axes, or another dtype or device than the parameters.
            RuntimeError: the inputs or the state have the wrong size.
        """
        if isinstance(input, PackedSequence):
            return self._packed(input, hx)
        xs = self._checked(input)
        single = xs.ndim == 2
        if single:
            xs = xs[None]
        elif not self.batch_first:
            xs = xs.transpose(0, 1)
        state = self._state(hx, xs, single=single)
        ys, last = self._run(xs, state, None)
        if single:
            return ys[0], self._like_torch(tuple(part[:, 0] for part in last))
        return ys if self.batch_first else ys.transpose(0, 1).contiguous(), self._like_torch(last)

    def _packed(self, packed: PackedSequence, hx: Any) -> tuple[PackedSequence, Any]:
        # rows stay in the order of their lengths, which needs no copy
        self._checked(packed.data, axes=(2,))
        xs, lengths = pad_packed_sequence(PackedSequence(packed.data, packed.batch_sizes), batch_first=True)
        state = self._state(hx, xs)
        if hx is not None and packed.sorted_indices is not None:
            state = tuple(part[:, packed.sorted_indices] for part in state)
        ys, last = self._run(xs, state, None if bool((lengths == xs.shape[1]).all()) else lengths)
        if packed.unsorted_indices is not None:
            last = tuple(part[:, packed.unsorted_indices] for part in last)
        data, sizes, *_ = pack_padded_sequence(ys, lengths, batch_first=True)
        return PackedSequence(data, sizes, packed.sorted_indices, packed.unsorted_indices), self._like_torch(last)

    def _run(self, xs: Tensor, state: tuple[Tensor, ...], lengths: Tensor | None) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Run over sequences, batch first."""
        backend = "reference" if transforming() else backend_for(xs.device.type)
        in_kernels = (
            backend != "reference"
            and xs.dtype in IN_KERNELS
            and not self.proj_size
            and fused_run(self._cells[0], backend) is not None
        )
        plain = not self._input_dropout and not any({**self.options, "variational_dropout": 0}.values())
        fewest = self.fewest_steps / (2 if torch.is_grad_enabled() else 1)
        faster = in_kernels and (lengths is not None or xs.shape[1] > fewest)
        if self.training and (
            lengths is not None or self.mode != "LSTM" or not plain
        ):  # else torch's function is as fast
            warn_if_missing(self._cells[0], xs.device.type)
        if plain and not faster and (backend != "reference" or self.proj_size):
            return self._run_by_torch(xs, state, lengths)
        return self._run_layers(xs, state, lengths, backend if in_kernels else None)

    def _run_by_torch(
        self, xs: Tensor, state: tuple[Tensor, ...], lengths: Tensor | None
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        weights = [getattr(self, name) for name in self._flat_weights_names]
        options = (weights, self.bias, self.num_layers, self.dropout, self.training, self.bidirectional)
        before, run = state if self.mode == "LSTM" else state[0], BY_TORCH[self.mode]
        if lengths is None:
            ys, *last = run(xs, before, *options, True)
            return ys, tuple(last)
        packed = pack_padded_sequence(xs, lengths, batch_first=True)
        data, *last = run(packed.data, packed.batch_sizes, before, *options)
        return pad_packed_sequence(PackedSequence(data, packed.batch_sizes), batch_first=True)[0], tuple(last)

    def _run_layers(
        self, xs: Tensor, state: tuple[Tensor, ...], lengths: Tensor | None, backend: str | None
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Run the cells layer by layer, in kernels with a backend, else step by step."""
        names = ("hidden", "cell")[: len(state)]
        after: list[Any] = []
        if lengths is not None:
            lengths = lengths.to(xs.device)
        for layer in range(self.num_layers):
            if layer and self.dropout:
                xs = functional.dropout(xs, self.dropout, self.training)
            if self._input_dropout:
                xs = xs * functional.dropout(xs.new_ones(len(xs), 1, xs.shape[2]), self._input_dropout)
            outputs = []
            for direction in range(self.directions):
                place = layer * self.directions + direction
                cell = with_tensors(self._cells[layer], self._tensors(place), training=self.training)
                run = StepByStep(cell) if backend is None else fused_or_steps(cell, backend)
                before = self.state_record(**{name: part[place] for name, part in zip(names, state, strict=True)})
                turned = padding.reversed_rows(xs, lengths) if direction else xs
                ys, last = run(turned, before, lengths)
                outputs.append(padding.reversed_rows(ys, lengths) if direction else ys)
                after.append(last)
            xs = outputs[0] if len(outputs) == 1 else torch.cat(outputs, dim=-1)
        return xs, tuple(torch.stack([getattr(last, name) for last in after]) for name in names)

    def _tensors(self, place: int) -> dict[str, Tensor]:
        """Return the parameters of a layer in one direction, by their names in its cell."""
        paths = self._paths[place // self.directions]
        weight: Tensor = getattr(self, self._name("from_input.weight", place))
        biases = dict.fromkeys(("bias_ih", "bias_hh"), weight.new_zeros(0 if self.bias else len(weight)))
        if self.bias:
            biases = {name: getattr(self, self._name(name, place)) for name in biases}
            if not any(_BIASES[name][0] == "bias_hh" for name in paths if name in _BIASES):
                biases["bias_ih"] = biases["bias_ih"] + biases["bias_hh"]  # they are only added to each other
        tensors = {}
        for name, path in paths.items():
            if name in _BIASES:
                which, first, last = _BIASES[name]
                tensors[path] = biases[which][first * self.hidden_size : last * self.hidden_size]
            else:
                tensors[path] = getattr(self, self._name(name, place))
        return tensors

    def _name(self, name: str, place: int) -> str:
        """Return the name of a parameter of a layer in one direction, given that in its cell, or torch's stem."""
        stem = _WEIGHTS.get(name, name.replace(".", "_"))
        return f"{stem}_l{place // self.directions}{'_reverse' if place % self.directions else ''}"

    def _checked(self, xs: Any, *, axes: tuple[int, ...] = (2, 3)) -> Tensor:
        name = type(self).__name__
        if not isinstance(xs, Tensor):
            raise TypeError(
                f"the input is a {type(xs).__name__}, but {name} takes a tensor or a PackedSequence; pass one of them"
            )
        if xs.ndim not in axes:
            raise ValueError(
                f"the input has shape {tuple(xs.shape)}, but {name} takes {' or '.join(map(str, axes))} axes, the last one of "
                f"size {self.input_size}; reshape it"
            )
        if xs.shape[-1] != self.input_size:
            raise RuntimeError(
                f"the input has shape {tuple(xs.shape)}, but the last axis of {name} has the input_size "
                f"{self.input_size}; reshape the input or build the layers for its size"
            )
        weight: Tensor = getattr(self, self._flat_weights_names[0])
        if xs.dtype != weight.dtype and not torch.is_autocast_enabled(xs.device.type):
            raise ValueError(
                f"the input is {xs.dtype}, but the weights of {name} are {weight.dtype}; convert one of them with .to(...)"
            )
        if xs.device != weight.device:
            raise ValueError(
                f"the input is on {xs.device}, but {name} is on {weight.device}; move one of them with .to(...)"
            )
        return xs

    def _state(self, hx: Any, xs: Tensor, *, single: bool = False) -> tuple[Tensor, ...]:
        """Return the given state, checked, or zeros: tensors of shape (layers * directions, batch, hidden)."""
        if not xs.shape[1]:
            raise RuntimeError(
                f"the input has no steps, but {type(self).__name__} needs at least one; leave empty sequences out"
            )
        sizes = (self.proj_size or self.hidden_size, self.hidden_size)[: 2 if self.mode == "LSTM" else 1]
        rows = self.num_layers * self.directions
        if hx is None:
            return tuple(xs.new_zeros(rows, len(xs), size) for size in sizes)
        given = tuple(hx) if self.mode == "LSTM" and isinstance(hx, tuple | list) else (hx,)
        if len(given) != len(sizes) or not all(isinstance(part, Tensor) for part in given):
            wanted = "a pair of tensors (hidden, memory cell)" if self.mode == "LSTM" else "one tensor"
            raise TypeError(
                f"the initial state is a {type(hx).__name__}, but {type(self).__name__} takes {wanted}; pass the state that "
                "it returned, or None for zeros"
            )
        for part, size in zip(given, sizes, strict=True):
            wanted_shape = (rows, size) if single else (rows, len(xs), size)
            if part.shape != wanted_shape:
                raise RuntimeError(
                    f"the initial state has shape {tuple(part.shape)}, but this input needs {wanted_shape}; pass "
                    "the state of the same layers and batch, or None for zeros"
                )
            if (part.dtype != xs.dtype and not torch.is_autocast_enabled(xs.device.type)) or part.device != xs.device:
                raise RuntimeError(
                    f"the initial state is {part.dtype} on {part.device}, but the input is {xs.dtype} on {xs.device}; convert "
                    "one of them with .to(...)"
                )
        return tuple(part[:, None] for part in given) if single else given

    def _like_torch(self, state: tuple[Tensor, ...]) -> Any:
        return state if self.mode == "LSTM" else state[0]

    def extra_repr(self) -> str:
        """Return the arguments that differ from their defaults."""
        return ", ".join([super().extra_repr(), *(f"{name}={value}" for name, value in self.options.items() if value)])


_WEIGHTS = {"from_input.weight": "weight_ih", "from_hidden.weight": "weight_hh"}
"""The weights of a cell, each with its name in torch."""

_BIASES = {
    "from_input.bias": ("bias_ih", 0, 4),
    "from_hidden.bias": ("bias_hh", 0, 4),
    "norms.input.bias": ("bias_ih", 0, 4),
    "norms.input_gates.bias": ("bias_ih", 0, 2),
    "norms.input_candidate.bias": ("bias_ih", 2, 3),
    "norms.hidden_gates.bias": ("bias_hh", 0, 2),
    "norms.hidden_candidate.bias": ("bias_hh", 2, 3),
}
"""The biases of a cell, each with its name in torch and its part of it, in multiples of the hidden size."""
