"""Minimal gated unit: a recurrent cell with a single gate (Zhou et al. 2016, arXiv:1603.09420)."""

import torch
from torch import Tensor, nn

from memtape import Cell, ModelCard, Recurrent
from memtape.cells.elman import HiddenState
from memtape.core.recurrent import runs
from memtape.sharing.shareable import Shareable


class MGUCell(Cell[HiddenState]):
    """f = sigmoid(W [x, h]), n = tanh(U [x, f * h]), h = (1 - f) * h + f * n, y = V h.

    Args:
        hidden_size: number of units.
    """

    def __init__(self, input_size: int, output_size: int, *, hidden_size: int = 64):
        super().__init__()
        self.input_size, self.output_size, self.hidden_size = input_size, output_size, hidden_size
        self.to_gate = nn.Linear(input_size + hidden_size, hidden_size)
        self.to_candidate = nn.Linear(input_size + hidden_size, hidden_size)
        self.to_output = nn.Linear(hidden_size, output_size)

    def init_state(self, batch_size: int, *, device=None, dtype=None) -> HiddenState:
        return HiddenState(hidden=torch.zeros(batch_size, self.hidden_size, device=device, dtype=dtype))

    def forward(self, x: Tensor, state: HiddenState) -> tuple[Tensor, HiddenState]:
        gate = torch.sigmoid(self.to_gate(torch.cat([x, state.hidden], dim=-1)))
        candidate = torch.tanh(self.to_candidate(torch.cat([x, gate * state.hidden], dim=-1)))
        hidden = (1 - gate) * state.hidden + gate * candidate
        return self.to_output(hidden), HiddenState(hidden=hidden)


class MGU(Recurrent, Shareable):
    __init__ = runs(MGUCell)


CARD = ModelCard(name="mgu", summary="Minimal gated units: recurrent units with one gate.", small={"hidden_size": 4})
