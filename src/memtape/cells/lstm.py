"""LSTM: long short-term memory, a linear memory cell with input, forget and output gates."""

from functools import partial
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from memtape.cells.activation import CANDIDATES, Candidate
from memtape.cells.fused_recurrence import recurrence_here
from memtape.cells.weight_gain import gain_by_hidden_size
from memtape.core import checks
from memtape.core.cell import Cell, FusedRun
from memtape.core.known_parts import are_linear, are_norms
from memtape.core.state import state
from memtape.kernels.recurrence import Recurrence, RecurrenceForm, RecurrenceParameters, RecurrenceState


@state
class LSTMState:
    """The hidden vector and the memory cell of an LSTM."""

    hidden: Float[Tensor, "*batch hidden"]
    cell: Float[Tensor, "*batch hidden"]


class LSTMCell(Cell[LSTMState]):
    r"""Update a linear memory cell through input, forget and output gates; the output is the hidden vector.

    $$(i, f, g, o) = W x_t + U h_{t-1} + b, \qquad c_t = \sigma(f) \odot c_{t-1} + \sigma(i) \odot \tanh(g), \qquad
    h_t = \sigma(o) \odot \tanh(c_t)$$

    The rows of $W$, $U$ and $b$ are in the order i, f, g, o, as in `torch.nn.LSTM`. Peepholes add $p_i \odot c_{t-1}$ to i,
    $p_f \odot c_{t-1}$ to f and $p_o \odot c_t$ to o. Layer normalisation is applied to $W x_t$ and to $U h_{t-1}$, each over
    all four parts and with its own scale, and with scale and shift to $c_t$ inside the last tanh; the memory cell that is
    passed to the next step is not normalised.

    Args:
        input_size: size of $x_t$.
        hidden_size: size of $h_t$ and $c_t$.
        candidate: the activation function of $g$; the textbook prints the sigmoid, libraries compute tanh.
        peepholes: connect the memory cell to the gates, with weights initialised to 0.
        layer_norm: apply layer normalisation as above.
        forget_bias: initial value of the bias of $f$; the other biases are initialised to 0.
        chrono: chrono initialisation for a longest time scale of $T$ steps: the bias of $f$ is initialised to
            $\log U(1, T - 1)$ instead of `forget_bias`, and the bias of $i$ to its negative.
        recurrent_dropout: in training, the probability that an entry of $\tanh(g)$ is dropped, drawn anew at each step;
            the memory cell itself is never dropped.
        gain: scale of the initial weights, in units of $1/\sqrt{\text{hidden}}$.

    Raises:
        TypeError: a size or `chrono` is not an integer.
        ValueError: a size is below 1, `chrono` is below 2, the recurrent dropout is outside 0..1, or the candidate is
            unknown.

    References:
        Hochreiter & Schmidhuber (1997), "Long short-term memory", Neural Computation 9,
        doi:10.1162/neco.1997.9.8.1735; forget gate and its bias: Gers, Schmidhuber & Cummins (2000), "Learning to
        forget", Neural Computation 12, doi:10.1162/089976600300015015; peepholes: Gers, Schraudolph & Schmidhuber (2002),
        "Learning precise timing with LSTM recurrent networks", JMLR 3; Ba, Kiros & Hinton (2016), "Layer
        normalization", arXiv:1607.06450; chrono: Tallec & Ollivier (2018), "Can recurrent neural networks warp time?",
        arXiv:1804.11188; Semeniuta, Severyn & Barth (2016), "Recurrent dropout without memory loss", arXiv:1603.05118.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        candidate: Candidate = "tanh",
        peepholes: bool = False,
        layer_norm: bool = False,
        forget_bias: float = 1.0,
        chrono: int | None = None,
        recurrent_dropout: float = 0.0,
        gain: float = 1.0,
    ):
        super().__init__()
        checks.module_sizes(self, input_size=input_size, hidden_size=hidden_size)
        checks.one_of(tuple(CANDIDATES), candidate=candidate)
        checks.probabilities(recurrent_dropout=recurrent_dropout)
        self.input_size = input_size
        self.output_size = hidden_size
        self.candidate: Candidate = candidate
        self.recurrent_dropout = recurrent_dropout
        self.from_input = nn.Linear(input_size, 4 * hidden_size, bias=not layer_norm)
        self.from_hidden = nn.Linear(hidden_size, 4 * hidden_size, bias=False)
        gain_by_hidden_size(self, hidden_size, gain)
        self.norms = _norms(hidden_size) if layer_norm else None
        bias: Tensor = self.from_input.bias if self.norms is None else self.norms.get_parameter("input.bias")
        write, keep, _, _ = bias.detach().chunk(4)
        nn.init.constant_(keep, forget_bias)
        if chrono is not None:
            checks.at_least(2, chrono=chrono)
            keep.uniform_(1, chrono - 1).log_()
            write.copy_(-keep)
        self.peepholes = nn.Parameter(torch.zeros(3, hidden_size)) if peepholes else None

    @property
    def plain(self) -> bool:
        """Whether the cell currently computes the same function as `torch.nn.LSTM`."""
        usual = self.candidate == "tanh" and self.peepholes is None and self.norms is None
        return usual and self._fused

    def init_state(self, batch_size: int, *, device: Any = None, dtype: Any = None) -> LSTMState:
        """Return a hidden vector and a memory cell of zeros."""
        zeros = torch.zeros(batch_size, self.output_size, device=device, dtype=dtype)
        return LSTMState(hidden=zeros, cell=zeros)

    def forward(
        self, x: Float[Tensor, "batch input"], state: LSTMState
    ) -> tuple[Float[Tensor, "batch hidden"], LSTMState]:
        """Take one step."""
        if self.norms is None:
            gates = self.from_input(x) + self.from_hidden(state.hidden)
        else:
            gates = self.norms["input"](self.from_input(x)) + self.norms["hidden"](self.from_hidden(state.hidden))
        write, keep, candidate, show = gates.chunk(4, dim=-1)
        if self.peepholes is not None:
            write = write + self.peepholes[0] * state.cell
            keep = keep + self.peepholes[1] * state.cell
        candidate = CANDIDATES[self.candidate](candidate)
        if self.recurrent_dropout:
            candidate = functional.dropout(candidate, self.recurrent_dropout, self.training)
        cell = torch.sigmoid(keep) * state.cell + torch.sigmoid(write) * candidate
        if self.peepholes is not None:
            show = show + self.peepholes[2] * cell
        shown = cell if self.norms is None else self.norms["cell"](cell)
        hidden = torch.sigmoid(show) * torch.tanh(shown)
        return hidden, LSTMState(hidden=hidden, cell=cell)

    def fused(self, backend: str) -> FusedRun[LSTMState] | None:
        """Return a fused CPU kernel: memtape's, or torch's where that is faster."""
        run = recurrence_here(backend)
        return partial(self._whole, run) if run is not None and self._fused else None

    @property
    def _fused(self) -> bool:
        known = are_linear(self.from_input, bias=self.norms is None) and are_linear(self.from_hidden, bias=False)
        dropped = self.training and self.recurrent_dropout > 0
        return type(self) is LSTMCell and known and self._norms_known and not dropped

    @property
    def _norms_known(self) -> bool:
        if self.norms is None:
            return True
        after, cell = self.norms["hidden"], self.norms["cell"]
        alike = are_norms(self.norms["input"]) and are_norms(after, bias=False) and are_norms(cell)
        return alike and after.eps == cell.eps

    def _whole(self, run: Recurrence, xs: Tensor, state: LSTMState, lengths: Tensor | None) -> tuple[Tensor, LSTMState]:
        if self._torch_is_faster(xs, lengths):
            return self._whole_by_torch(xs, state)
        own: dict[str, Any] = {"weight": self.from_hidden.weight, "peepholes": self.peepholes}
        norms: Any = self.norms
        given, epsilon = self.from_input(xs), 0.0
        if norms is not None:
            given, epsilon = norms["input"](given), norms["hidden"].eps
            own |= {"gain": norms["hidden"].weight, "cell_gain": norms["cell"].weight, "cell_bias": norms["cell"].bias}
        form = RecurrenceForm(kind="lstm", activation=self.candidate, epsilon=epsilon)
        before = RecurrenceState(fed=state.hidden, cell=state.cell)
        ys, last = run(form, RecurrenceParameters(**own), before, given, lengths)
        assert last.cell is not None
        return ys, LSTMState(hidden=last.fed, cell=last.cell)

    def _torch_is_faster(self, xs: Tensor, lengths: Tensor | None) -> bool:
        if not self.plain or torch.compiler.is_exporting():  # torch's kernel is exported for one number of steps
            return False
        return lengths is None or (not torch.compiler.is_compiling() and bool((lengths == xs.shape[1]).all()))

    def _whole_by_torch(self, xs: Tensor, state: LSTMState) -> tuple[Tensor, LSTMState]:
        """Run the plain form over rows of equal length with torch's kernel, which is faster."""
        bias = self.from_input.bias
        weights = [self.from_input.weight, self.from_hidden.weight, bias, torch.zeros_like(bias)]
        before = [state.hidden[None].contiguous(), state.cell[None].contiguous()]
        ys, hidden, cell = torch.lstm(xs, before, weights, True, 1, 0.0, False, False, True)
        return ys, LSTMState(hidden=hidden[0], cell=cell[0])


def _norms(hidden_size: int) -> nn.ModuleDict:
    """Return the three layer normalisations; the shift of the first is the bias of the gates."""
    return nn.ModuleDict(
        {
            "input": nn.LayerNorm(4 * hidden_size),
            "hidden": nn.LayerNorm(4 * hidden_size, bias=False),
            "cell": nn.LayerNorm(hidden_size),
        }
    )
