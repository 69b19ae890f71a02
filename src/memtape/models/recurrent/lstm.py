"""Stacked LSTM: the baseline without external memory in the paper of the Neural Turing Machine."""

from typing import Any, Literal

from jaxtyping import Float, Int
from torch import Tensor

from memtape.cells import Embedded, LearnedInitialState, LSTMCell, Readout, Stacked, VariationalDropout
from memtape.core import checks
from memtape.core.card import ModelCard
from memtape.core.cell import AnyCell, Cell, FusedRun, fused_run
from memtape.core.recurrent import Recurrent, runs
from memtape.sharing.shareable import Shareable


class StackedLSTMCell(Cell[Any]):
    """Compute one step of several LSTM layers with a linear readout and a learned initial state.

    Args:
        input_size: size of one input vector, or number of symbols.
        output_size: size of one output vector; outputs are logits.
        hidden_size: number of units of each layer.
        layers: number of layers.
        candidate: activation function of the candidate: tanh as in libraries, or sigmoid as in the textbook.
        peepholes: connect the memory cell to the gates.
        layer_norm: apply layer normalisation to the inputs of the gates and to the memory cell before the output gate.
        forget_bias: initial bias of the forget gate.
        chrono: longest time scale of the task in steps, for chrono initialisation of the gate biases; none for
            `forget_bias`.
        embedding_size: size of the learned embeddings of symbols; none for one-hot vectors.
        dropout: in training, the probability that an entry of a layer's output is dropped, the same entries at all
            steps of a sequence.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1, or the candidate is unknown.

    References:
        Graves, Wayne & Danihelka (2014), "Neural Turing Machines", arXiv:1410.5401, section 4; for the forms of the cell,
        `memtape.cells.LSTMCell`.
    """

    def __init__(
        self,
        input_size: int,
        output_size: int,
        *,
        hidden_size: int = 256,
        layers: int = 3,
        candidate: Literal["tanh", "sigmoid"] = "tanh",
        peepholes: bool = False,
        layer_norm: bool = False,
        forget_bias: float = 1.0,
        chrono: int | None = None,
        embedding_size: int | None = None,
        dropout: float = 0.0,
    ):
        super().__init__()
        checks.module_sizes(self, input_size=input_size, output_size=output_size)
        checks.module_sizes(self, hidden_size=hidden_size, layers=layers)
        if embedding_size is not None:
            checks.module_sizes(self, embedding_size=embedding_size)
        self.input_size, self.output_size = input_size, output_size
        sizes = [embedding_size or input_size] + [hidden_size] * (layers - 1)
        cells: list[AnyCell] = [
            LSTMCell(
                below,
                hidden_size,
                candidate=candidate,
                peepholes=peepholes,
                layer_norm=layer_norm,
                forget_bias=forget_bias,
                chrono=chrono,
            )
            for below in sizes
        ]
        if dropout:
            cells = [VariationalDropout(LearnedInitialState(cell), outputs=dropout) for cell in cells]
        network: AnyCell = Readout(Stacked(cells), output_size)
        if not dropout:  # the dropout mask is part of the state and must not be learned
            network = LearnedInitialState(network)
        self.network = network if embedding_size is None else Embedded(network, input_size)

    def init_state(self, batch_size: int, *, device: Any = None, dtype: Any = None) -> Any:
        """Return the learned initial state."""
        return self.network.init_state(batch_size, device=device, dtype=dtype)

    def forward(self, x: Float[Tensor, "batch input"], state: Any) -> tuple[Float[Tensor, "batch output"], Any]:
        """Take one step."""
        return self.network(x, state)

    def read(self, symbols: Int[Tensor, "batch time"]) -> tuple[AnyCell, Float[Tensor, "batch time vector"]]:
        """Return the vectors of symbols and the cell that reads them."""
        return self.network.read(symbols)

    def fused(self, backend: str) -> FusedRun[Any] | None:
        """Return the fused kernel of the layers."""
        return fused_run(self.network, backend)


class StackedLSTM(Recurrent[Any], Shareable):
    """Run stacked LSTM layers over sequences; the arguments are those of `StackedLSTMCell`."""

    __init__ = runs(StackedLSTMCell)


CARD = ModelCard(
    name="lstm",
    summary="Stacked LSTM layers with a linear readout, in all forms of the cell.",
    paper=("hochreiter1997",),
    inputs=("sequences",),
    small={"hidden_size": 4, "layers": 2},
)
