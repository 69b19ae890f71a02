"""Recurrent: run a cell over sequences, with the calling convention of `torch.nn.LSTM`."""

import inspect
from collections.abc import Callable
from itertools import chain
from typing import Any, ClassVar, Concatenate, Generic, ParamSpec, TypeVar

from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from memtape.core import checks
from memtape.core.cell import Cell, Taught
from memtape.core.cell_contract import require_cells
from memtape.core.evaluation_mode import evaluation_mode
from memtape.core.integers import Lengths
from memtape.core.numpy_scalars import plain_values
from memtape.core.packed import packed_as, unpacked
from memtape.core.run_fused import has_own_hooks
from memtape.core.single_step import single_step
from memtape.core.symbols import vectors_of
from memtape.core.trace import Trace, traced
from memtape.core.unroll import unroll

S = TypeVar("S")
P = ParamSpec("P")


class Recurrent(nn.Module, Generic[S]):
    """Run a cell over batches of sequences, batch first.

    Attributes:
        cell: the cell; `memtape.unroll(recurrent.cell, ...)` computes the same.
        input_size: size of one input vector.
        output_size: size of one output vector.
        input_kind: name of the kind of input.
    """

    input_kind: ClassVar[str] = "sequences"

    def __init__(self, cell: Cell[S]):
        super().__init__()
        require_cells(type(self).__name__, cell)
        self.cell = cell
        self.input_size = cell.input_size
        self.output_size = cell.output_size

    def init_state(self, batch_size: int, *, device: Any = None, dtype: Any = None) -> S:
        """Return the state before the first step, for `batch_size` sequences.

        Device and dtype default to those of the parameters.

        Raises:
            TypeError: the batch size is not an integer.
            ValueError: the batch size is below 0.
        """
        checks.at_least(0, batch_size=batch_size)
        parameter = next(chain(self.parameters(), self.buffers()), None)
        if parameter is not None:
            device, dtype = device or parameter.device, dtype or parameter.dtype
        return self.cell.init_state(batch_size, device=device, dtype=dtype)

    def forward(
        self,
        xs: Tensor | PackedSequence,
        state: S | None = None,
        *,
        lengths: Lengths | None = None,
        starts: Tensor | None = None,
        collect: Callable[[S], Any] | None = None,
        checkpoint_every: int | None = None,
        targets: Tensor | None = None,
        teacher: float = 1.0,
    ) -> Any:
        """Run over whole sequences.

        Args:
            xs: the inputs, shape (batch, time, input), or a PackedSequence of them; integers of shape (batch, time) are
                symbols, which represent one-hot vectors.
            state: the state before the first step, such as the one that the last call returned; None for the initial
                state.
            lengths: number of valid steps of each row, a tensor of shape (batch,) or a list; a PackedSequence has its
                own.
            starts: where a new sequence starts inside a row, bool of shape (batch, time).
            collect: function that selects what to return of the state after each step.
            checkpoint_every: store the state only at intervals of this many steps, and recompute the others in the
                backward pass.
            targets: targets for teacher forcing, which a cell with output feedback feeds back instead of its outputs:
                vectors of shape (batch, time, output) or symbols of shape (batch, time).
            teacher: probability that the target is fed back; otherwise the output is.

        Returns:
            `(outputs, state)`, or `(outputs, state, trace)` with `collect`; the outputs are packed if the inputs are.

        Raises:
            TypeError: an argument has the wrong type.
            ValueError: an argument has the wrong shape, dtype, device or value.
        """
        padded, lengths = unpacked(xs, lengths)
        if targets is None:
            ys, last, trace = unroll(
                self.cell,
                padded,
                state,
                lengths=lengths,
                starts=starts,
                collect=collect,
                checkpoint_every=checkpoint_every,
            )
        else:
            _refuse_beside_targets(starts=starts, collect=collect, checkpoint_every=checkpoint_every)
            ys, last = self._taught(padded, targets, state, lengths, teacher)
        outputs = packed_as(xs, ys, lengths)
        return (outputs, last, trace) if collect else (outputs, last)

    def trace(self, xs: Tensor, state: S | None = None, *, lengths: Tensor | None = None, row: int = 0) -> Trace:
        """Run over one sequence in evaluation mode, step by step, and return what the network does in each step.

        Its figure, `network.trace(xs).figure()`, shows inputs, outputs and the views of the memory on one time axis.

        Args:
            xs: the inputs, as those of `forward`.
            state: the state of the batch before the first step; None for the initial state.
            lengths: number of valid steps of each row, shape (batch,).
            row: the row of the batch to trace.

        Raises:
            TypeError: an argument has the wrong type.
            ValueError: an argument has the wrong shape, dtype, device or value, or the row has no steps.

        Example:
            >>> import torch, memtape
            >>> trace = memtape.NTM(3, 2, slots=5).trace(torch.ones(1, 4, 3))
            >>> trace["read_weights"].shape  # (time, heads, slots)
            (4, 1, 5)
        """
        with evaluation_mode(self):
            return traced(self.cell, xs, state, lengths=lengths, row=row)

    def step(self, x: Tensor, state: S | None = None) -> tuple[Tensor, S]:
        """Take one step, as in a stream of inputs that arrive one by one.

        The result is that of a call with a sequence of one step, in less time: no axis of time is added and removed,
        and the state is not compared with a new initial state in every call. Hooks run in both.

        Args:
            x: the input, shape (batch, input); integers of shape (batch,) are symbols, which represent one-hot vectors.
            state: the state before the step, such as the one that the last call returned; None for the initial state.

        Returns:
            The output, shape (batch, output), and the state after the step.

        Raises:
            TypeError: an argument has the wrong type.
            ValueError: an argument has the wrong shape, dtype, device or value.

        Example:
            >>> import memtape, torch
            >>> gru, state = memtape.GRU(input_size=3, output_size=2), None
            >>> for x in torch.zeros(5, 1, 3):
            ...     y, state = gru.step(x, state)
        """
        if type(self).forward is Recurrent.forward and not has_own_hooks(self):
            return single_step(self.cell, x, state)
        ys, last = self(x[:, None], state)
        return ys[:, 0], last

    def _taught(
        self, xs: Tensor, targets: Tensor, state: S | None, lengths: Lengths | None, teacher: float
    ) -> tuple[Tensor, S]:
        cell: Any
        cell, xs = vectors_of(self.cell, xs, lengths)
        if not isinstance(cell, Taught):
            raise ValueError(
                f"targets were given, but {type(cell).__name__} has no output feedback to replace; leave them out"
            )
        return cell.teacher_forced(xs, targets, state, lengths=lengths, teacher=teacher)


def runs(cell_class: Callable[P, Cell[S]]) -> Callable[Concatenate[Any, P], None]:
    """Return a constructor of a `Recurrent` over one class of cell, with the signature of the cell's constructor.

    The network stores all arguments, defaults included, by name in `configuration`, from which it can be built again.
    """

    def initialise(self: Any, options: dict[str, Any]) -> None:
        Recurrent.__init__(self, cell_class(**options))  # type: ignore[call-arg]

    return takes(cell_class, initialise)


def takes(
    source: Callable[P, Any], initialise: Callable[[Any, dict[str, Any]], None]
) -> Callable[Concatenate[Any, P], None]:
    """Return a constructor with the signature of another function; the network stores all arguments in `configuration`.

    Args:
        source: the function with this signature.
        initialise: called with the network and all arguments by name, defaults included.
    """
    own = inspect.signature(source)

    def __init__(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> None:  # noqa: N807
        bound = own.bind(*args, **kwargs)
        bound.apply_defaults()
        arguments = plain_values(bound.arguments)
        checks.fit_in_64_bits(arguments)
        initialise(self, dict(arguments))
        checks.finite_options(arguments)
        self.configuration = arguments

    me = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    __init__.__signature__ = own.replace(parameters=[me, *own.parameters.values()])  # type: ignore[attr-defined]
    return __init__


def _refuse_beside_targets(**others: Any) -> None:
    for name, value in others.items():
        if value is not None:
            raise ValueError(
                f"{name} was given with targets, but teacher forcing may compute all steps at once; leave one of the two out"
            )
