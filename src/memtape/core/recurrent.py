"""Recurrent: a cell run over sequences, standing where `torch.nn.LSTM` stood."""

import inspect
from collections.abc import Callable
from itertools import chain
from typing import Any, ClassVar, Concatenate, Generic, ParamSpec, TypeVar

from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from memtape.core.cell import Cell, Taught
from memtape.core.symbols import are_symbols, known
from memtape.core.unroll import unroll

S = TypeVar("S")
P = ParamSpec("P")


class Recurrent(nn.Module, Generic[S]):
    """Run a cell over batches of sequences, batch first.

    Attributes:
        cell: the step; `memtape.unroll(recurrent.cell, ...)` is the same run by hand.
        input_size: size of one input vector.
        output_size: size of one output vector.
        input_kind: name of the kind of its inputs.
    """

    input_kind: ClassVar[str] = "sequences"

    def __init__(self, cell: Cell[S]):
        super().__init__()
        self.cell = cell
        self.input_size = cell.input_size
        self.output_size = cell.output_size

    def init_state(self, batch_size: int, *, device: Any = None, dtype: Any = None) -> S:
        """Return the state before the first step, for `batch_size` sequences.

        Device and dtype are those of the parameters unless given.
        """
        parameter = next(chain(self.parameters(), self.buffers()), None)
        if parameter is not None:
            device, dtype = device or parameter.device, dtype or parameter.dtype
        return self.cell.init_state(batch_size, device=device, dtype=dtype)

    def forward(
        self,
        xs: Tensor | PackedSequence,
        state: S | None = None,
        *,
        lengths: Tensor | None = None,
        starts: Tensor | None = None,
        collect: Callable[[S], Any] | None = None,
        checkpoint_every: int | None = None,
        targets: Tensor | None = None,
        teacher: float = 1.0,
    ) -> Any:
        """Run over whole sequences.

        Args:
            xs: the inputs, shape (batch, time, input), or a PackedSequence of them; whole numbers of shape (batch, time) are
                symbols, which stand for one-hot vectors.
            state: the state to begin from, such as the one that the last call returned; None means the initial state.
            lengths: how many steps of each row count, shape (batch,); a PackedSequence brings its own.
            starts: where a new sequence begins inside a row, bool of shape (batch, time).
            collect: what to keep of the state after each step.
            checkpoint_every: recompute in the backward pass, keeping the state of every so many steps only.
            targets: what is fed back in the place of the outputs, of a cell that feeds them back: vectors of shape (batch,
                time, output) or symbols of shape (batch, time).
            teacher: the probability that a target is fed back, else it is the output after all.

        Returns:
            `(outputs, state)`, or `(outputs, state, trace)` with `collect`; the outputs are packed as the inputs were.

        Raises:
            TypeError: an argument of the wrong type.
            ValueError: an argument that does not fit, in shape, dtype, device or value.
        """
        if isinstance(xs, PackedSequence):
            if lengths is not None:
                raise ValueError(
                    "lengths were given beside a PackedSequence, which brings its own; pass one of the two"
                )
            padded, lengths = pad_packed_sequence(xs, batch_first=True)
        else:
            padded = xs
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
        outputs = _packed_as(xs, ys, lengths) if isinstance(xs, PackedSequence) else ys
        return (outputs, last, trace) if collect else (outputs, last)

    def _taught(
        self, xs: Tensor, targets: Tensor, state: S | None, lengths: Tensor | None, teacher: float
    ) -> tuple[Tensor, S]:
        cell: Any = self.cell
        if are_symbols(xs):
            cell, xs = cell.read(known(xs, cell.input_size, type(cell).__name__))
        if not isinstance(cell, Taught):
            raise ValueError(
                f"targets were given, but {type(cell).__name__} feeds no output back, so that they have no place; "
                "leave them out"
            )
        return cell.teacher_forced(xs, targets, state, lengths=lengths, teacher=teacher)


def runs(cell_class: Callable[P, Cell[S]]) -> Callable[Concatenate[Any, P], None]:
    """Return the constructor of a `Recurrent` over one kind of cell, with the signature of the cell's own.

    The network keeps all arguments, given or not, by name in `configuration`: the same class can be built from them again.
    """

    def initialise(self: Any, options: dict[str, Any]) -> None:
        Recurrent.__init__(self, cell_class(**options))  # type: ignore[call-arg]

    return takes(cell_class, initialise)


def takes(
    source: Callable[P, Any], initialise: Callable[[Any, dict[str, Any]], None]
) -> Callable[Concatenate[Any, P], None]:
    """Return a constructor with the arguments of another one, which the network keeps by name in `configuration`.

    Args:
        source: whose arguments it takes.
        initialise: called with the network and all arguments by name, given or not.
    """
    own = inspect.signature(source)

    def __init__(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> None:  # noqa: N807
        arguments = own.bind(*args, **kwargs)
        arguments.apply_defaults()
        initialise(self, dict(arguments.arguments))
        self.configuration = dict(arguments.arguments)

    me = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    __init__.__signature__ = own.replace(parameters=[me, *own.parameters.values()])  # type: ignore[attr-defined]
    return __init__


def _refuse_beside_targets(**others: Any) -> None:
    for name, value in others.items():
        if value is not None:
            raise ValueError(
                f"{name} was given beside targets, with which all steps may be taken at once; leave one of the two out"
            )


def _packed_as(example: PackedSequence, ys: Tensor, lengths: Tensor | None) -> PackedSequence:
    assert lengths is not None
    order = example.sorted_indices
    if order is not None:
        ys, lengths = ys[order], lengths[order.to(lengths.device)]
    packed = pack_padded_sequence(ys, lengths, batch_first=True)
    return PackedSequence(packed.data, packed.batch_sizes, example.sorted_indices, example.unsorted_indices)
