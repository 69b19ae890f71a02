"""GRU: `torch.nn.GRU` in memtape's kernels, with further options."""

from typing import Any

from memtape.cells import GRUCell, Zoneout
from memtape.cells.elman import HiddenState
from memtape.core.cell import AnyCell
from memtape.nn.recurrent_layers import RecurrentLayers


class GRU(RecurrentLayers):
    r"""Run layers of gated recurrent units over sequences, in place of `torch.nn.GRU`.

    $$(r, z) = \sigma(W_{rz} x_t + b_{rz} + U_{rz} h_{t-1} + b'_{rz}), \qquad
    n = \tanh\bigl(W_n x_t + b_n + r \odot (U_n h_{t-1} + b'_n)\bigr), \qquad h_t = (1 - z) \odot n + z \odot h_{t-1}$$

    Arguments, parameters, initial values, states and results are those of torch; the keyword arguments after `dtype` are
    further options, all off by default. $W$, $U$, $b$ and $b'$ of the first layer are `weight_ih_l0`, `weight_hh_l0`,
    `bias_ih_l0` and `bias_hh_l0`.

    Args:
        input_size: size of $x_t$.
        hidden_size: size of $h_t$.
        num_layers: number of layers.
        bias: use the biases $b$ and $b'$.
        batch_first: inputs and outputs have the shape (batch, time, ...) instead of (time, batch, ...).
        dropout: in training, the probability that an entry passed from one layer to the next is dropped, drawn anew at
            each step.
        bidirectional: run a second set of units backwards in time, and concatenate both outputs.
        device: device of the parameters.
        dtype: dtype of the parameters.
        layer_norm: apply layer normalisation to the products $W_{rz} x_t$, $U_{rz} h_{t-1}$, $W_n x_t$ and $U_n h_{t-1}$.
        zoneout: probability that an entry of $h_t$ keeps its previous value; in evaluation, its mean.
        variational_dropout: in training, the probability that an entry of the input of a layer is dropped, the same
            entries at all steps of a sequence, drawn anew in each call.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: a size is below 1, or a probability is outside 0..1.

    References:
        Cho et al. (2014), "Learning phrase representations using RNN encoder-decoder", arXiv:1406.1078, section 2.3; for
        the options, `memtape.cells.GRUCell` and `memtape.cells.Zoneout`; Gal & Ghahramani (2016), "A theoretically
        grounded application of dropout in recurrent neural networks", arXiv:1512.05287.
    """

    state_record = HiddenState
    fewest_steps = 12

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        layer_norm: bool = False,
        zoneout: float = 0.0,
        variational_dropout: float = 0.0,
    ):
        super().__init__(
            "GRU",
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            0,
            device,
            dtype,
            layer_norm=layer_norm,
            zoneout=zoneout,
            variational_dropout=variational_dropout,
        )

    def _cell(self, input_size: int) -> AnyCell:
        cell = GRUCell(input_size, self.hidden_size, layer_norm=self.options["layer_norm"])
        return Zoneout(cell, hidden=self.options["zoneout"]) if self.options["zoneout"] else cell
