"""Teacher forcing: feed the targets back to a network instead of its own outputs."""

import dataclasses
from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float, Integer
from torch import Tensor

from memtape.core import checks, padding
from memtape.core.cell import AnyCell, Cell
from memtape.core.cell_contract import require_cells
from memtape.core.integers import Lengths
from memtape.core.symbols import are_symbols, one_hot, zero_padding
from memtape.core.unroll import unroll


class TeacherForced(Cell[Any]):
    r"""Step a cell with output feedback, and feed back the target instead of the output with a given probability.

    $$(y_t, s_t) = f(x_t, s_{t-1}), \qquad \text{then the fed back vector of } s_t \text{ is replaced by the target with
    probability } p$$

    An input is $[x_t; \text{target}_t]$. The choice is drawn independently for each row and step. Decreasing $p$ from 1 to 0
    during training is scheduled sampling.

    Args:
        cell: a cell whose state has a vector `fed_back`, such as `JordanCell` or `OutputFeedback`.
        teacher: the probability $p$ that the target is fed back, in 0..1.

    Raises:
        ValueError: the probability is outside 0..1, or the cell has no output feedback.

    References:
        Williams & Zipser (1989), "A learning algorithm for continually running fully recurrent neural networks", Neural
        Computation 1, doi:10.1162/neco.1989.1.2.270; Bengio, Vinyals, Jaitly & Shazeer (2015), "Scheduled sampling for
        sequence prediction with recurrent neural networks", arXiv:1506.03099.
    """

    def __init__(self, cell: AnyCell, *, teacher: float = 1.0):
        super().__init__()
        require_cells(type(self).__name__, cell)
        checks.probabilities(teacher=teacher)
        if not hasattr(cell.init_state(1), "fed_back"):
            raise ValueError(
                f"{type(cell).__name__} has no output feedback, but teacher forcing replaces the output that is fed back; "
                "wrap the cell in OutputFeedback"
            )
        self.cell = cell
        self.teacher = teacher
        self.input_size = cell.input_size + cell.output_size
        self.output_size = cell.output_size

    def init_state(self, batch_size: int, *, device: Any = None, dtype: Any = None) -> Any:
        """Return the initial state of the cell."""
        return self.cell.init_state(batch_size, device=device, dtype=dtype)

    def forward(self, x: Float[Tensor, "batch input"], state: Any) -> tuple[Float[Tensor, "batch output"], Any]:
        """Take one step."""
        x, target = x.tensor_split([self.cell.input_size], dim=-1)
        y, moved = self.cell(x, state)
        if self.teacher < 1:
            forced = torch.rand(len(x), 1, device=x.device) < self.teacher
            target = torch.where(forced, target, moved.fed_back)
        return y, dataclasses.replace(moved, fed_back=target)


def teacher_forced(
    cell: AnyCell,
    given: Callable[[Tensor, Tensor, Any, Tensor | None], tuple[Tensor, Any]],
    xs: Float[Tensor, "batch time input"] | Integer[Tensor, "batch time"],
    targets: Float[Tensor, "batch time output"] | Integer[Tensor, "batch time"],
    state: Any = None,
    *,
    lengths: Lengths | None = None,
    teacher: float = 1.0,
) -> tuple[Float[Tensor, "batch time output"], Any]:
    """Run a cell with output feedback over sequences with teacher forcing.

    Args:
        cell: a cell whose state has a vector `fed_back`.
        given: runs the cell when the feedback of every step is known: a function of the inputs, the feedback vectors
            (batch, time, output), the state and the lengths that returns the outputs, arbitrary beyond a row's length, and
            the final state.
        xs: the inputs, as vectors or as integer symbols.
        targets: the targets, as vectors or as integer classes, which are fed back as one-hot vectors.
        state: the state before the first step; None means the initial state.
        lengths: the number of valid steps of each row.
        teacher: the probability that the target is fed back instead of the network's own output. At 1 no step depends on
            an output, and `given` computes all steps at once; below 1 the cell runs step by step.

    Returns:
        The outputs, zero beyond a row's length, and the state after each row's last step.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: the shape, dtype or value of an argument is wrong.
    """
    checks.probabilities(teacher=teacher)
    dtype = next(cell.parameters()).dtype
    if are_symbols(xs):
        xs = zero_padding(xs.long(), lengths)
    xs = _vectors("inputs", xs, cell.input_size, dtype)
    checks.sequences(cell, xs)
    batch, time = xs.shape[:2]
    if lengths is not None:
        lengths = checks.lengths_of(xs, lengths)
        alive = padding.alive(xs, lengths)
        targets = torch.where(alive if targets.ndim == 2 else alive[..., None], targets, 0)
    targets = _vectors("targets", targets, cell.output_size, dtype)
    if targets.shape != (batch, time, cell.output_size):
        raise ValueError(
            f"the targets have shape {tuple(targets.shape)}, but the outputs have {(batch, time, cell.output_size)}; "
            "pass one target for each output"
        )
    if teacher < 1:
        forced = TeacherForced(cell, teacher=teacher)
        ys, last, _ = unroll(forced, torch.cat([xs, targets], dim=-1), state, lengths=lengths)
        return ys, last
    begin = cell.init_state(batch, device=xs.device, dtype=xs.dtype)
    state = begin if state is None else checks.state_for(cell, state, begin, batch)
    xs = padding.zero_beyond(xs, lengths)
    checks.finite(xs)
    ys, last = given(xs, torch.cat([state.fed_back[:, None], targets[:, :-1]], dim=1), state, lengths)
    fed_back = padding.last_of(targets, state.fed_back, lengths)
    return padding.zero_beyond(ys, lengths), dataclasses.replace(last, fed_back=fed_back)


def _vectors(name: str, values: Tensor, size: int, dtype: torch.dtype) -> Tensor:
    """Return vectors unchanged, and symbols as one-hot vectors."""
    if not are_symbols(values):
        return values
    values = values.long()
    if values.numel() and not 0 <= int(values.min()) <= int(values.max()) < size:
        wrong = next(value for value in values.flatten().tolist() if not 0 <= value < size)
        raise ValueError(
            f"the {name} contain the symbol {wrong}, but there are {size} symbols; give integers in 0..{size - 1}"
        )
    return one_hot(values, size, dtype)
