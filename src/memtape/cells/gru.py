"""GRU: the gated recurrent unit, whose hidden vector is both memory and output."""

from functools import partial
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from memtape.cells.activation import CANDIDATES, Candidate
from memtape.cells.elman import HiddenState
from memtape.cells.fused_recurrence import recurrence_here
from memtape.cells.weight_gain import gain_by_hidden_size
from memtape.core import checks
from memtape.core.cell import Cell, FusedRun
from memtape.kernels.recurrence import Recurrence, RecurrenceForm, RecurrenceParameters, RecurrenceState


class GRUCell(Cell[HiddenState]):
    r"""Interpolate between the old hidden vector and a candidate; the output is the hidden vector.

    $$(r, z) = \sigma(W_{rz} x_t + U_{rz} h_{t-1} + b_{rz}), \qquad
    n = \tanh\bigl(W_n x_t + b_n + r \odot (U_n h_{t-1} + b'_n)\bigr), \qquad h_t = (1 - z) \odot n + z \odot h_{t-1}$$

    Here the reset gate is applied after the product with $U_n$, as in `torch.nn.GRU`. With `variant="reset_before"` the
    candidate is $n = \tanh(W_n x_t + U_n (r \odot h_{t-1}) + b_n)$; the two variants are not equivalent for any weights. The
    rows of the weights are in the order r, z, n. The textbook's unit, which receives inputs one step late, is
    `Delayed(GRUCell(..., variant="reset_before", candidate="sigmoid"))`. Layer normalisation is applied to each of the four
    products $W_{rz} x_t$, $U_{rz} h_{t-1}$, $W_n x_t$ and $U_n h_{t-1}$ (or $U_n (r \odot h_{t-1})$), each with its own scale.

    Args:
        input_size: size of $x_t$.
        hidden_size: size of $h_t$.
        variant: whether the reset gate is applied after or before the product with $U_n$.
        candidate: the activation function of $n$; the textbook prints the sigmoid, libraries compute tanh.
        layer_norm: apply layer normalisation as above.
        update_bias: initial value of the bias of $z$; the other biases are initialised to 0. A larger value makes an
            untrained unit keep its value for longer.
        recurrent_dropout: in training, the probability that an entry of $n$ is dropped, drawn anew at each step; the
            hidden vector itself is never dropped.
        gain: scale of the initial weights, in units of $1/\sqrt{\text{hidden}}$.

    Raises:
        ValueError: a size is below 1, the recurrent dropout is outside 0..1, or the variant or candidate is unknown.

    References:
        Cho et al. (2014), "Learning phrase representations using RNN encoder-decoder", arXiv:1406.1078, section 2.3, whose
        first version resets after the product and whose third version before it; Ba, Kiros & Hinton (2016), "Layer
        normalization", arXiv:1607.06450; Semeniuta, Severyn & Barth (2016), "Recurrent dropout without memory loss",
        arXiv:1603.05118.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        variant: Literal["reset_after", "reset_before"] = "reset_after",
        candidate: Candidate = "tanh",
        layer_norm: bool = False,
        update_bias: float = 0.0,
        recurrent_dropout: float = 0.0,
        gain: float = 1.0,
    ):
        super().__init__()
        checks.module_sizes(self, input_size=input_size, hidden_size=hidden_size)
        checks.one_of(("reset_after", "reset_before"), variant=variant)
        checks.one_of(tuple(CANDIDATES), candidate=candidate)
        checks.probabilities(recurrent_dropout=recurrent_dropout)
        self.input_size = input_size
        self.output_size = hidden_size
        self.variant = variant
        self.candidate: Candidate = candidate
        self.recurrent_dropout = recurrent_dropout
        self.from_input = nn.Linear(input_size, 3 * hidden_size)
        self.from_hidden = nn.Linear(hidden_size, 3 * hidden_size, bias=variant == "reset_after")
        gain_by_hidden_size(self, hidden_size, gain)
        nn.init.constant_(self.from_input.bias[hidden_size : 2 * hidden_size], update_bias)
        self.norms = _norms(hidden_size) if layer_norm else None

    @property
    def plain(self) -> bool:
        """Whether the cell currently computes the same function as `torch.nn.GRU`."""
        usual = self.variant == "reset_after" and self.candidate == "tanh" and self.norms is None
        return usual and self._fused

    def init_state(self, batch_size: int, *, device: Any = None, dtype: Any = None) -> HiddenState:
        """Return a hidden vector of zeros."""
        return HiddenState(hidden=torch.zeros(batch_size, self.output_size, device=device, dtype=dtype))

    def forward(
        self, x: Float[Tensor, "batch input"], state: HiddenState
    ) -> tuple[Float[Tensor, "batch hidden"], HiddenState]:
        """Take one step."""
        hidden, rows = state.hidden, [2 * self.output_size, self.output_size]
        gates, candidate = self._product("input", self.from_input, x).split(rows, dim=-1)
        if self.variant == "reset_after":
            own_gates, own_candidate = self._product("hidden", self.from_hidden, hidden).split(rows, dim=-1)
            reset, update = torch.sigmoid(gates + own_gates).chunk(2, dim=-1)
            candidate = candidate + reset * own_candidate
        else:
            for_gates, for_candidate = self.from_hidden.weight.split(rows)
            own_gates = self._normed("hidden_gates", functional.linear(hidden, for_gates))
            reset, update = torch.sigmoid(gates + own_gates).chunk(2, dim=-1)
            own_candidate = functional.linear(reset * hidden, for_candidate)
            candidate = candidate + self._normed("hidden_candidate", own_candidate)
        candidate = CANDIDATES[self.candidate](candidate)
        if self.recurrent_dropout:
            candidate = functional.dropout(candidate, self.recurrent_dropout, self.training)
        hidden = (1 - update) * candidate + update * hidden
        return hidden, HiddenState(hidden=hidden)

    def fused(self, backend: str) -> FusedRun[HiddenState] | None:
        """Return memtape's fused CPU kernel."""
        run = recurrence_here(backend)
        return partial(self._whole, run) if run is not None and self._fused else None

    @property
    def _fused(self) -> bool:
        return type(self) is GRUCell and not (self.training and self.recurrent_dropout > 0)

    def _whole(
        self, run: Recurrence, xs: Tensor, state: HiddenState, lengths: Tensor | None
    ) -> tuple[Tensor, HiddenState]:
        norms: Any = self.norms
        gain, epsilon = None, 0.0
        if norms is not None:
            gain = torch.cat([norms["hidden_gates"].weight, norms["hidden_candidate"].weight])
            epsilon = norms["hidden_gates"].eps
        parameters = RecurrenceParameters(weight=self.from_hidden.weight, gain=gain, bias=self.from_hidden.bias)
        kind: Literal["gru", "early_gru"] = "gru" if self.variant == "reset_after" else "early_gru"
        form = RecurrenceForm(kind=kind, activation=self.candidate, epsilon=epsilon)
        given = self._product("input", self.from_input, xs)
        ys, last = run(form, parameters, RecurrenceState(fed=state.hidden), given, lengths)
        return ys, HiddenState(hidden=last.fed)

    def _product(self, name: str, layer: nn.Linear, x: Tensor) -> Tensor:
        if self.norms is None:
            return layer(x)
        gates, candidate = functional.linear(x, layer.weight).tensor_split([2 * self.output_size], dim=-1)
        normed = [self._normed(f"{name}_gates", gates), self._normed(f"{name}_candidate", candidate)]
        return torch.cat(normed, dim=-1) + layer.bias

    def _normed(self, name: str, product: Tensor) -> Tensor:
        return product if self.norms is None else self.norms[name](product)


def _norms(size: int) -> nn.ModuleDict:
    """Return the four layer normalisations; they need no shift, since a bias is added to their outputs."""
    sizes = {"input_gates": 2 * size, "input_candidate": size, "hidden_gates": 2 * size, "hidden_candidate": size}
    return nn.ModuleDict({name: nn.LayerNorm(wide, bias=False) for name, wide in sizes.items()})
