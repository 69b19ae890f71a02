"""Jordan: a recurrent cell whose only state is its previous output."""

from functools import partial
from typing import Any

import torch
from jaxtyping import Float, Integer
from torch import Tensor, nn

from memtape.cells.activation import ACTIVATIONS, Activation
from memtape.cells.feedback import FEEDBACKS, Feedback, fed_back
from memtape.cells.fused_recurrence import recurrence_here
from memtape.cells.teacher_forcing import teacher_forced
from memtape.cells.weight_gain import gain_by_hidden_size
from memtape.core import checks
from memtape.core.cell import Cell, FusedRun
from memtape.core.integers import Lengths
from memtape.core.known_parts import are_linear
from memtape.core.state import state
from memtape.kernels.recurrence import Recurrence, RecurrenceForm, RecurrenceParameters, RecurrenceState


@state
class JordanState:
    """The vector fed back from the last output."""

    fed_back: Float[Tensor, "*batch output"]


class JordanCell(Cell[JordanState]):
    r"""Feed the previous output back through one layer of plain units; there is no other state.

    $$h_t = f(W x_t + R \phi(y_{t-1}) + b), \qquad y_t = V h_t + c$$

    With teacher forcing no step depends on another, and all steps are computed at once.

    Args:
        input_size: size of $x_t$.
        hidden_size: size of $h_t$.
        output_size: size of $y_t$.
        activation: the activation function $f$.
        feedback: the function $\phi$; at the first step $\phi(y_0) = 0$.
        gain: scale of the initial weights $W$ and $R$, in units of $1/\sqrt{\text{hidden}}$.

    Raises:
        ValueError: a size is below 1, or the activation or feedback is unknown.

    References:
        Jordan (1986), "Serial order: a parallel distributed processing approach", ICS report 8604, University of
        California, San Diego; Goodfellow, Bengio & Courville (2016), "Deep Learning", section 10.2.1.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        output_size: int,
        *,
        activation: Activation = "tanh",
        feedback: Feedback = "outputs",
        gain: float = 1.0,
    ):
        super().__init__()
        checks.module_sizes(self, input_size=input_size, hidden_size=hidden_size, output_size=output_size)
        checks.one_of(tuple(ACTIVATIONS), activation=activation)
        checks.one_of(FEEDBACKS, feedback=feedback)
        self.input_size = input_size
        self.output_size = output_size
        self.activation: Activation = activation
        self.feedback: Feedback = feedback
        self.from_input = nn.Linear(input_size, hidden_size)
        self.from_output = nn.Linear(output_size, hidden_size, bias=False)
        gain_by_hidden_size(self, hidden_size, gain)
        self.to_output = nn.Linear(hidden_size, output_size)
        nn.init.xavier_uniform_(self.to_output.weight)
        nn.init.zeros_(self.to_output.bias)

    def init_state(self, batch_size: int, *, device: Any = None, dtype: Any = None) -> JordanState:
        """Return a feedback vector of zeros."""
        return JordanState(fed_back=torch.zeros(batch_size, self.output_size, device=device, dtype=dtype))

    def forward(
        self, x: Float[Tensor, "batch input"], state: JordanState
    ) -> tuple[Float[Tensor, "batch output"], JordanState]:
        """Take one step."""
        y = self._outputs(x, state.fed_back)
        return y, JordanState(fed_back=fed_back(y, self.feedback))

    def teacher_forced(
        self,
        xs: Float[Tensor, "batch time input"] | Integer[Tensor, "batch time"],
        targets: Float[Tensor, "batch time output"] | Integer[Tensor, "batch time"],
        state: JordanState | None = None,
        *,
        lengths: Lengths | None = None,
        teacher: float = 1.0,
    ) -> tuple[Float[Tensor, "batch time output"], JordanState]:
        """Run over sequences with teacher forcing: feed the targets back instead of the outputs.

        With `teacher=1` all steps are computed at once. Arguments and results are those of
        `memtape.cells.teacher_forcing.teacher_forced`.
        """

        def given(xs: Tensor, previous: Tensor, state: Any, lengths: Tensor | None) -> tuple[Tensor, Any]:
            return self._outputs(xs, previous), state

        return teacher_forced(self, given, xs, targets, state, lengths=lengths, teacher=teacher)

    def fused(self, backend: str) -> FusedRun[JordanState] | None:
        """Return memtape's fused CPU kernel."""
        run = recurrence_here(backend)
        known = are_linear(self.from_input, self.to_output) and are_linear(self.from_output, bias=False)
        return partial(self._whole, run) if run is not None and known and type(self) is JordanCell else None

    def _whole(
        self, run: Recurrence, xs: Tensor, state: JordanState, lengths: Tensor | None
    ) -> tuple[Tensor, JordanState]:
        parameters = RecurrenceParameters(
            weight=self.from_output.weight, output_weight=self.to_output.weight, output_bias=self.to_output.bias
        )
        form = RecurrenceForm(kind="output", activation=self.activation, feedback=self.feedback)
        ys, last = run(form, parameters, RecurrenceState(fed=state.fed_back), self.from_input(xs), lengths)
        return ys, JordanState(fed_back=last.fed)

    def _outputs(self, x: Tensor, previous: Tensor) -> Tensor:
        return self.to_output(ACTIVATIONS[self.activation](self.from_input(x) + self.from_output(previous)))
