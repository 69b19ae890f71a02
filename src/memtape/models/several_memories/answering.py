"""Answering: generate an answer with a cell that receives its own last symbol, the true one, or none."""

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from memtape.core import padding, state_tree
from memtape.core.cell import AnyCell
from memtape.core.inputs.pairs import BOUNDARY
from memtape.core.single_step import single_step
from memtape.core.unroll import unroll


class Answering(nn.Module):
    r"""Generate an answer, one symbol after another.

    $$o_t, s_t = f(y_{t-1}, s_{t-1}), \qquad y_t = \arg\max o_t, \qquad y_0 = \text{boundary}$$

    With teacher forcing $y_{t-1}$ is the true symbol. Without feedback it is the boundary in every step.

    Args:
        cell: the cell $f$; it reads symbols and returns logits.
        feedback: whether the cell receives the last symbol.
    """

    def __init__(self, cell: AnyCell, *, feedback: bool):
        super().__init__()
        self.cell, self.feedback = cell, feedback

    def step(self, symbols: Int[Tensor, " batch"], state: Any) -> tuple[Float[Tensor, "batch output"], Any]:
        """Take the last symbols, and return the logits of the next ones and the next state."""
        return single_step(self.cell, symbols if self.feedback else torch.full_like(symbols, BOUNDARY), state)

    def forward(
        self, given: Int[Tensor, "batch time"], state: Any, lengths: Int[Tensor, " batch"], *, teacher: float
    ) -> tuple[Float[Tensor, "batch time output"], Any]:
        """Return the logits of all symbols, zero beyond a row's length, and the state after each row's last symbol.

        Args:
            given: the true symbols, shifted by one step.
            state: the state before the first step.
            lengths: number of symbols of each answer.
            teacher: probability that the cell receives the true symbol, not its own most likely one.
        """
        if not self.feedback:
            given, teacher = torch.full_like(given, BOUNDARY), 1.0
        if teacher == 1:
            ys, last, _ = unroll(self.cell, given, state, lengths=lengths)
            return ys, last
        outputs: list[Tensor] = []
        fed = given[:, 0]
        for t, true in enumerate(given.unbind(1)):
            if outputs:
                own = outputs[-1].detach().argmax(-1)
                fed = torch.where(torch.rand(len(true), device=true.device) < teacher, true, own)
            logits, moved = self.step(fed, state)
            state = state_tree.select(t < lengths, moved, state)
            outputs.append(logits)
        return padding.zero_beyond(torch.stack(outputs, dim=1), lengths), state
