"""Feedback: a cell whose previous output is part of its input, and its training with teacher forcing."""

from typing import Any, Literal

import torch
from jaxtyping import Float, Integer
from torch import Tensor
from torch.nn import functional

from memtape.cells.teacher_forcing import teacher_forced
from memtape.core import checks
from memtape.core.cell import AnyCell, Cell
from memtape.core.cell_contract import require_cells
from memtape.core.integers import Lengths
from memtape.core.state import state
from memtape.core.unroll import unroll

Feedback = Literal["outputs", "softmax", "sigmoid", "argmax"]
"""What is fed back: the outputs, their softmax, their elementwise sigmoid, or a one-hot vector of their argmax."""

FEEDBACKS: tuple[Feedback, ...] = ("outputs", "softmax", "sigmoid", "argmax")


def fed_back(outputs: Float[Tensor, "*batch output"], feedback: Feedback) -> Float[Tensor, "*batch output"]:
    """Return the vector that is fed back for given outputs."""
    if feedback == "softmax":
        return torch.softmax(outputs, dim=-1)
    if feedback == "sigmoid":
        return torch.sigmoid(outputs)
    if feedback == "argmax":
        return functional.one_hot(outputs.argmax(dim=-1), outputs.shape[-1]).to(outputs.dtype)
    return outputs


@state
class FeedbackState:
    """The state of the cell, and the vector fed back from its last output."""

    cell: Any
    fed_back: Float[Tensor, "*batch output"]


class OutputFeedback(Cell[FeedbackState]):
    r"""Concatenate a cell's previous output to its input.

    $$(y_t, s_t) = f([x_t; \phi(y_{t-1})], s_{t-1})$$

    Around a cell with a state, this gives a network with hidden and output recurrence; `JordanCell` has output recurrence
    alone.

    Args:
        cell: any cell whose input size is that of $x_t$ plus that of $y_t$, such as
            `Readout(LSTMCell(input_size + output_size, hidden_size), output_size)`.
        feedback: the function $\phi$; at the first step $\phi(y_0) = 0$.

    Raises:
        ValueError: the cell's inputs are not larger than its outputs, or the feedback is unknown.
    """

    def __init__(self, cell: AnyCell, *, feedback: Feedback = "outputs"):
        super().__init__()
        require_cells(type(self).__name__, cell)
        checks.one_of(FEEDBACKS, feedback=feedback)
        if cell.input_size <= cell.output_size:
            raise ValueError(
                f"the cell takes inputs of size {cell.input_size}, but they must be larger than its outputs of size "
                f"{cell.output_size}, which are part of them; build it with input_size + output_size inputs"
            )
        self.cell = cell
        self.feedback: Feedback = feedback
        self.input_size = cell.input_size - cell.output_size
        self.output_size = cell.output_size

    def init_state(self, batch_size: int, *, device: Any = None, dtype: Any = None) -> FeedbackState:
        """Return the initial state of the cell, and a feedback vector of zeros."""
        return FeedbackState(
            cell=self.cell.init_state(batch_size, device=device, dtype=dtype),
            fed_back=torch.zeros(batch_size, self.output_size, device=device, dtype=dtype),
        )

    def forward(
        self, x: Float[Tensor, "batch input"], state: FeedbackState
    ) -> tuple[Float[Tensor, "batch output"], FeedbackState]:
        """Take one step."""
        y, moved = self.cell(torch.cat([x, state.fed_back], dim=-1), state.cell)
        return y, FeedbackState(cell=moved, fed_back=fed_back(y, self.feedback))

    def teacher_forced(
        self,
        xs: Float[Tensor, "batch time input"] | Integer[Tensor, "batch time"],
        targets: Float[Tensor, "batch time output"] | Integer[Tensor, "batch time"],
        state: FeedbackState | None = None,
        *,
        lengths: Lengths | None = None,
        teacher: float = 1.0,
    ) -> tuple[Float[Tensor, "batch time output"], FeedbackState]:
        """Run over sequences with teacher forcing: feed the targets back instead of the outputs.

        With `teacher=1` all inputs are known in advance, and the cell runs over whole sequences in one call. Arguments and
        results are those of `memtape.cells.teacher_forcing.teacher_forced`.
        """

        def given(xs: Tensor, previous: Tensor, state: Any, lengths: Tensor | None) -> tuple[Tensor, Any]:
            ys, last, _ = unroll(self.cell, torch.cat([xs, previous], dim=-1), state.cell, lengths=lengths)
            return ys, FeedbackState(cell=last, fed_back=state.fed_back)

        return teacher_forced(self, given, xs, targets, state, lengths=lengths, teacher=teacher)
