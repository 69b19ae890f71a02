"""Teacher: feed the targets back to a network in the place of its own outputs."""

import dataclasses
from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from memtape.core import checks, padding
from memtape.core.cell import AnyCell, Cell
from memtape.core.symbols import one_hot
from memtape.core.unroll import unroll


class TeacherForced(Cell[Any]):
    r"""Take steps of a cell whose output is fed back, with a teacher who puts the true output in its place.

    $$(y_t, s_t) = f(x_t, s_{t-1}), \qquad \text{then what is fed back becomes the target, with the teacher's
    probability}$$

    An input is $[x_t; \text{target}_t]$. A draw of its own decides each row and step: a probability that falls from 1 to 0
    while the network learns is scheduled sampling.

    Args:
        cell: a cell whose state has a vector `fed_back`, such as `JordanCell` or `OutputFeedback`.
        teacher: the probability that the target is fed back, in 0..1.

    Raises:
        ValueError: a probability outside 0..1, or a cell that feeds nothing back.

    References:
        Williams & Zipser (1989), "A learning algorithm for continually running fully recurrent neural networks", Neural
        Computation 1, doi:10.1162/neco.1989.1.2.270; Bengio, Vinyals, Jaitly & Shazeer (2015), "Scheduled sampling for
        sequence prediction with recurrent neural networks", arXiv:1506.03099.
    """

    def __init__(self, cell: AnyCell, *, teacher: float = 1.0):
        super().__init__()
        checks.probabilities(teacher=teacher)
        if not hasattr(cell.init_state(1), "fed_back"):
            raise ValueError(
                f"{type(cell).__name__} feeds no output back, so that a teacher has nothing to replace; wrap it into "
                "OutputFeedback"
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
            told = torch.rand(len(x), 1, device=x.device) < self.teacher
            target = torch.where(told, target, moved.fed_back)
        return y, dataclasses.replace(moved, fed_back=target)


def teacher_forced(
    cell: AnyCell,
    given: Callable[[Tensor, Tensor, Any, Tensor | None], tuple[Tensor, Any]],
    xs: Float[Tensor, "batch time input"] | Int[Tensor, "batch time"],
    targets: Float[Tensor, "batch time output"] | Int[Tensor, "batch time"],
    state: Any = None,
    *,
    lengths: Int[Tensor, " batch"] | None = None,
    teacher: float = 1.0,
) -> tuple[Float[Tensor, "batch time output"], Any]:
    """Run a cell whose output is fed back over sequences whose targets are known.

    Args:
        cell: a cell whose state has a vector `fed_back`.
        given: runs the cell over inputs and what was fed back before each of them, all of it known: takes inputs, that,
            the state and the lengths, and returns the outputs, not looked at beyond a row's length, and the last state.
        xs: the inputs, or the symbols that they stand for.
        targets: what is fed back after each step, as vectors or as the classes that one-hot vectors stand for.
        state: the state before the first step; None means the initial state.
        lengths: how many steps of each row count.
        teacher: the probability that the target is fed back and not the network's own output. At 1 nothing waits for
            the step before, and all steps are taken by `given`; below 1 they are taken one by one.

    Returns:
        The outputs, zero beyond a row's length, and the state after each row's last step.

    Raises:
        TypeError: an argument of the wrong type.
        ValueError: an argument that does not fit, in shape, dtype or value.
    """
    checks.probabilities(teacher=teacher)
    dtype = next(cell.parameters()).dtype
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
            f"the targets have shape {tuple(targets.shape)}, but what is fed back has {(batch, time, cell.output_size)}; "
            "pass one target for each output"
        )
    if teacher < 1:
        told = TeacherForced(cell, teacher=teacher)
        ys, last, _ = unroll(told, torch.cat([xs, targets], dim=-1), state, lengths=lengths)
        return ys, last
    begin = cell.init_state(batch, device=xs.device, dtype=xs.dtype)
    if state is None:
        state = begin
    else:
        checks.state_for(cell, state, begin, batch)
    xs = padding.zero_beyond(xs, lengths)
    checks.finite(xs)
    ys, last = given(xs, torch.cat([state.fed_back[:, None], targets[:, :-1]], dim=1), state, lengths)
    fed_back = padding.last_of(targets, state.fed_back, lengths)
    return padding.zero_beyond(ys, lengths), dataclasses.replace(last, fed_back=fed_back)


def _vectors(name: str, values: Tensor, size: int, dtype: torch.dtype) -> Tensor:
    """Return vectors as they are, and one-hot vectors in the place of symbols."""
    if values.is_floating_point() or values.ndim != 2:
        return values
    if values.numel() and not 0 <= int(values.min()) <= int(values.max()) < size:
        wrong = next(value for value in values.flatten().tolist() if not 0 <= value < size)
        raise ValueError(
            f"the {name} hold the symbol {wrong}, but there are {size} of them; give numbers in 0..{size - 1}"
        )
    return one_hot(values.long(), size, dtype)
