"""Stacked LSTM: the baseline without external memory that the Neural Turing Machine was measured against."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from memtape.cells import LearnedInitialState, LSTMCell, Readout, Stacked
from memtape.cells.lstm import LSTMState
from memtape.cells.stacked import StackedState
from memtape.core import checks, tree
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
        """Return torch's fused LSTM on the processor; under autocast there is none, as its state would not stay float32."""
        return None if backend != "cpu" or torch.is_autocast_enabled("cpu") else self._whole

    def _whole(self, xs: Tensor, state: StackedState, lengths: Tensor | None) -> tuple[Tensor, StackedState]:
        """Run over whole sequences with torch's LSTM, which has our gates in our order and two biases."""
        readout: Any = self.network.cell
        cells = readout.cell.layers
        parameters = []
        for cell in cells:
            bias = cell.from_input.bias
            parameters += [cell.from_input.weight, cell.from_hidden.weight, bias, torch.zeros_like(bias)]
        begin = [torch.stack([getattr(layer, name) for layer in state.layers]) for name in ("hidden", "cell")]
        options = (parameters, True, len(cells), 0.0, self.training, False)
        if lengths is None or bool((lengths == xs.shape[1]).all()):
            seen, hidden, memory = torch.lstm(xs, begin, *options, True)
            return readout.to_output(seen), _state(hidden, memory)
        counted = lengths.clamp(min=1)
        packed = pack_padded_sequence(xs, counted.cpu(), batch_first=True, enforce_sorted=False)
        order, back = packed.sorted_indices, packed.unsorted_indices
        data, hidden, memory = torch.lstm(packed.data, packed.batch_sizes, [part[:, order] for part in begin], *options)
        seen, _ = pad_packed_sequence(packed._replace(data=data), batch_first=True, total_length=xs.shape[1])
        alive = torch.arange(xs.shape[1], device=xs.device) < lengths[:, None]
        ys = torch.where(alive[..., None], readout.to_output(seen), 0)
        return ys, tree.select(lengths > 0, _state(hidden[:, back], memory[:, back]), state)


class StackedLSTM(Recurrent[Any], Shareable):
    """Stacked LSTM layers run over sequences; the arguments are those of `StackedLSTMCell`."""

    __init__ = runs(StackedLSTMCell)


def _state(hidden: Tensor, memory: Tensor) -> StackedState:
    layers = (LSTMState(hidden=one, cell=other) for one, other in zip(hidden, memory, strict=True))
    return StackedState(layers=tuple(layers))
