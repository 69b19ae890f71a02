"""Stacked LSTM: the baseline without external memory that the Neural Turing Machine was measured against."""

from typing import Any

from jaxtyping import Float
from torch import Tensor

from memtape.cells import LearnedInitialState, LSTMCell, Readout, Stacked
from memtape.core import checks
from memtape.core.cell import Cell, Twin
from memtape.core.recurrent import Recurrent, runs
from memtape.models.sharing import Shareable


class StackedLSTMCell(Cell[Any]):
    """One step of several LSTM layers with a linear readout, begun from a learned state.

    Args:
        input_size: size of one input vector.
        output_size: size of one output vector; outputs are logits.
        hidden_size: number of units of each layer.
        layers: number of layers.

    Raises:
        TypeError: a size that is no whole number.
        ValueError: a size below 1.

    References:
        Graves, Wayne & Danihelka (2014), "Neural Turing Machines", arXiv:1410.5401, section 4.
    """

    def __init__(self, input_size: int, output_size: int, *, hidden_size: int = 256, layers: int = 3):
        super().__init__()
        checks.module_sizes(self, input_size=input_size, output_size=output_size)
        checks.module_sizes(self, hidden_size=hidden_size, layers=layers)
        self.input_size, self.output_size = input_size, output_size
        sizes = [input_size] + [hidden_size] * (layers - 1)
        stack = Stacked([LSTMCell(below, hidden_size) for below in sizes])
        self.network = LearnedInitialState(Readout(stack, output_size))

    def init_state(self, batch_size: int, *, device: Any = None, dtype: Any = None) -> Any:
        """Return the learned state."""
        return self.network.init_state(batch_size, device=device, dtype=dtype)

    def forward(self, x: Float[Tensor, "batch input"], state: Any) -> tuple[Float[Tensor, "batch output"], Any]:
        """Take one step."""
        return self.network(x, state)

    def twin(self, backend: str) -> Twin[Any] | None:
        """Return the twin of the layers."""
        return self.network.twin(backend)


class StackedLSTM(Recurrent[Any], Shareable):
    """Stacked LSTM layers run over sequences; the arguments are those of `StackedLSTMCell`."""

    __init__ = runs(StackedLSTMCell)
