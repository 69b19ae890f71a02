"""Clockwork: groups of units that are updated at different rates."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from memtape.cells.activation import ACTIVATIONS, Activation
from memtape.cells.fused_recurrence import loop_here
from memtape.cells.weight_gain import gain_by_hidden_size
from memtape.core import checks, padding
from memtape.core.cell import Cell, FusedRun
from memtape.core.known_parts import are_linear
from memtape.core.state import state
from memtape.core.step_by_step import StepByStep


@state
class ClockworkState:
    """The hidden vector, and the number of steps taken, modulo the longest period."""

    hidden: Float[Tensor, "*batch hidden"]
    count: Float[Tensor, "*batch"]


class ClockworkCell(Cell[ClockworkState]):
    r"""Update each group of units only at multiples of its period; the output is the hidden vector of all groups.

    $$h^i_t = \begin{cases} f\bigl(W^i x_t + \sum_{j \ge i} U^{ij} h^j_{t-1} + b^i\bigr) & t \equiv 0 \pmod{T_i} \\
    h^i_{t-1} & \text{otherwise} \end{cases} \qquad T_i = \text{base}^i, \quad i = 0 \dots g - 1$$

    Groups are ordered from fast to slow. Each group receives input from itself and from the slower groups. Steps are counted
    from $t = 0$, at which all groups are updated. Over whole sequences only the groups that change are computed.

    Args:
        input_size: size of $x_t$.
        hidden_size: size of $h_t$, a multiple of the number of groups.
        groups: the number of groups $g$.
        base: the ratio of the periods of two neighbouring groups, at least 2.
        activation: the activation function $f$.
        gain: scale of the initial weights, in units of $1/\sqrt{\text{hidden}}$.

    Raises:
        ValueError: a size or the number of groups is below 1, the base is below 2, the hidden size is not a multiple of the
            number of groups, or the activation is unknown.

    References:
        Koutnik, Greff, Gomez & Schmidhuber (2014), "A clockwork RNN", arXiv:1402.3511.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        groups: int = 4,
        base: int = 2,
        activation: Activation = "tanh",
        gain: float = 1.0,
    ):
        super().__init__()
        checks.module_sizes(self, input_size=input_size, hidden_size=hidden_size, groups=groups)
        checks.at_least(2, base=base)
        checks.one_of(tuple(ACTIVATIONS), activation=activation)
        if hidden_size % groups:
            raise ValueError(
                f"hidden_size is {hidden_size}, but it must be a multiple of the {groups} groups; give a multiple of {groups}"
            )
        self.input_size = input_size
        self.output_size = hidden_size
        self.activation = activation
        self.base = base
        self.size, self.longest = hidden_size // groups, base ** (groups - 1)
        self.from_input = nn.Linear(input_size, hidden_size)
        self.from_slower = nn.ModuleList(
            nn.Linear(hidden_size - first, self.size, bias=False) for first in range(0, hidden_size, self.size)
        )
        self.periods = tuple(base**group for group in range(groups))
        gain_by_hidden_size(self, hidden_size, gain)

    def init_state(self, batch_size: int, *, device: Any = None, dtype: Any = None) -> ClockworkState:
        """Return a hidden vector of zeros and a count of 0."""
        return ClockworkState(
            hidden=torch.zeros(batch_size, self.output_size, device=device, dtype=dtype),
            count=torch.zeros(batch_size, device=device, dtype=dtype),
        )

    def forward(
        self, x: Float[Tensor, "batch input"], state: ClockworkState
    ) -> tuple[Float[Tensor, "batch hidden"], ClockworkState]:
        """Take one step; the step counts of the rows may differ."""
        own = [part(state.hidden[:, group * self.size :]) for group, part in enumerate(self.from_slower)]
        fresh = ACTIVATIONS[self.activation](self.from_input(x) + torch.cat(own, dim=-1))
        count = state.count.round()
        periods = self.base ** torch.arange(len(self.periods), device=x.device)
        moves = (torch.remainder(count[:, None], periods) == 0).repeat_interleave(self.size, dim=1)
        hidden = torch.where(moves, fresh, state.hidden)
        return hidden, ClockworkState(hidden=hidden, count=torch.remainder(count + 1, self.longest))

    def fused(self, backend: str) -> FusedRun[ClockworkState] | None:
        """Return a CPU loop over time that computes only the groups that change."""
        known = are_linear(self.from_input) and are_linear(*self.from_slower, bias=False)
        return self._whole if loop_here(backend) and known else None

    def _whole(self, xs: Tensor, state: ClockworkState, lengths: Tensor | None) -> tuple[Tensor, ClockworkState]:
        """Run over whole sequences; if the step counts of the rows differ, run the reference step by step."""
        count = state.count.round()
        counts = count.unique().tolist()
        if len(counts) != 1:
            return StepByStep(self)(xs, state, lengths)
        moving = [self._moving(int(counts[0]) + t) for t in range(xs.shape[1])]
        alive = None if lengths is None else padding.alive(xs, lengths)
        seen, recurrent = self._seen(xs, moving), self._recurrent()
        hidden, ys = state.hidden, []
        for t, rows in enumerate(moving):
            fresh = ACTIVATIONS[self.activation](functional.linear(hidden, recurrent[:rows]) + seen[t])
            fresh = fresh if alive is None else torch.where(alive[:, t, None], fresh, hidden[:, :rows])
            hidden = torch.cat([fresh, hidden[:, rows:]], dim=1)
            ys.append(hidden)
        after = torch.remainder(count + (xs.shape[1] if lengths is None else lengths), self.longest)
        after = after if lengths is None else torch.where(lengths > 0, after, state.count)
        return padding.zero_beyond(torch.stack(ys, dim=1), lengths), ClockworkState(hidden=hidden, count=after)

    def _moving(self, count: int) -> int:
        """Return the number of units that change at a count; they come first, as each period divides the longer ones."""
        return self.size * sum(count % period == 0 for period in self.periods)

    def _seen(self, xs: Tensor, moving: list[int]) -> list[Tensor]:
        """Return the input part of the pre-activations at each step, with one matrix product per number of units."""
        seen: list[Tensor] = [xs] * len(moving)
        for rows in set(moving):
            steps = [t for t, number in enumerate(moving) if number == rows]
            weight, bias = self.from_input.weight[:rows], self.from_input.bias[:rows]
            for t, part in zip(steps, functional.linear(xs[:, steps], weight, bias).unbind(dim=1), strict=True):
                seen[t] = part
        return seen

    def _recurrent(self) -> Tensor:
        """Return the recurrent weights of all groups as one matrix, with zeros from faster to slower groups."""
        parts: list[Any] = list(self.from_slower)
        return torch.cat([functional.pad(part.weight, (group * self.size, 0)) for group, part in enumerate(parts)])
