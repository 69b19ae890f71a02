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
from memtape.core.known_parts import are_linear, are_norms
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
        after = variant == "reset_after"
        self.from_input = nn.Linear(input_size, 3 * hidden_size, bias=not layer_norm)
        self.from_hidden = nn.Linear(hidden_size, 3 * hidden_size, bias=after and not layer_norm)
        gain_by_hidden_size(self, hidden_size, gain)
        self.norms = _norms(hidden_size, own_bias=after) if layer_norm else None
        bias: Any = self.from_input.bias if self.norms is None else self.norms.get_parameter("input_gates.bias")
        nn.init.constant_(bias[hidden_size : 2 * hidden_size], update_bias)

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
            own_gates, _ = self.from_hidden(hidden).split(rows, dim=-1)
            reset, update = torch.sigmoid(gates + self._normed("hidden_gates", own_gates)).chunk(2, dim=-1)
            _, own_candidate = self.from_hidden(reset * hidden).split(rows, dim=-1)
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
        own_bias, normed = self.variant == "reset_after", self.norms is not None
        known = are_linear(self.from_input, bias=not normed)
        known = known and are_linear(self.from_hidden, bias=own_bias and not normed)
        dropped = self.training and self.recurrent_dropout > 0
        return type(self) is GRUCell and known and self._norms_known and not dropped

    @property
    def _norms_known(self) -> bool:
        if self.norms is None:
            return True
        own = self.norms["hidden_gates"], self.norms["hidden_candidate"]
        outer = are_norms(self.norms["input_gates"]) and are_norms(self.norms["input_candidate"])
        return outer and are_norms(*own, bias=self.variant == "reset_after")

    def _whole(
        self, run: Recurrence, xs: Tensor, state: HiddenState, lengths: Tensor | None
    ) -> tuple[Tensor, HiddenState]:
        norms: Any = self.norms
        gain, epsilon = None, 0.0
        bias: Tensor | None = self.from_hidden.bias
        if norms is not None:
            own = norms["hidden_gates"], norms["hidden_candidate"]
            gain = torch.cat([norm.weight for norm in own])
            bias = torch.cat([norm.bias for norm in own]) if self.variant == "reset_after" else None
            epsilon = own[0].eps
        parameters = RecurrenceParameters(weight=self.from_hidden.weight, gain=gain, bias=bias)
        kind: Literal["gru", "early_gru"] = "gru" if self.variant == "reset_after" else "early_gru"
        form = RecurrenceForm(kind=kind, activation=self.candidate, epsilon=epsilon)
        given = self._product("input", self.from_input, xs)
        ys, last = run(form, parameters, RecurrenceState(fed=state.hidden), given, lengths)
        return ys, HiddenState(hidden=last.fed)

    def _product(self, name: str, layer: nn.Linear, x: Tensor) -> Tensor:
        product = layer(x)
        if self.norms is None:
            return product
        gates, candidate = product.tensor_split([2 * self.output_size], dim=-1)
        return torch.cat([self._normed(f"{name}_gates", gates), self._normed(f"{name}_candidate", candidate)], dim=-1)

    def _normed(self, name: str, product: Tensor) -> Tensor:
        return product if self.norms is None else self.norms[name](product)


def _norms(size: int, *, own_bias: bool) -> nn.ModuleDict:
    """Return the four layer normalisations; their shifts are the biases of the gates and the candidate."""
    return nn.ModuleDict(
        {
            "input_gates": nn.LayerNorm(2 * size),
            "input_candidate": nn.LayerNorm(size),
            "hidden_gates": nn.LayerNorm(2 * size, bias=own_bias),
            "hidden_candidate": nn.LayerNorm(size, bias=own_bias),
        }
    )
