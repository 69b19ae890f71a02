"""LSTM: `torch.nn.LSTM` in memtape's kernels, with further options."""

import math
from typing import Any

from memtape.cells import LSTMCell, Zoneout
from memtape.cells.lstm import LSTMState
from memtape.core.cell import AnyCell
from memtape.nn.recurrent_layers import RecurrentLayers


class LSTM(RecurrentLayers):
    r"""Run layers of long short-term memory over sequences, in place of `torch.nn.LSTM`.

    $$(i, f, g, o) = W x_t + b + U h_{t-1} + b', \qquad c_t = \sigma(f) \odot c_{t-1} + \sigma(i) \odot \tanh(g), \qquad
    h_t = \sigma(o) \odot \tanh(c_t)$$

    Arguments, parameters, initial values, states and results are those of torch; the keyword arguments after `dtype` are
    further options, all off by default. $W$, $U$, $b$ and $b'$ of the first layer are `weight_ih_l0`, `weight_hh_l0`,
    `bias_ih_l0` and `bias_hh_l0`.

    Args:
        input_size: size of $x_t$.
        hidden_size: size of $h_t$ and $c_t$.
        num_layers: number of layers.
        bias: use the biases $b$ and $b'$.
        batch_first: inputs and outputs have the shape (batch, time, ...) instead of (time, batch, ...).
        dropout: in training, the probability that an entry passed from one layer to the next is dropped, drawn anew at
            each step.
        bidirectional: run a second set of units backwards in time, and concatenate both outputs.
        proj_size: size to which $h_t$ is projected; 0 for no projection.
        device: device of the parameters.
        dtype: dtype of the parameters.
        layer_norm: apply layer normalisation to $W x_t$, to $U h_{t-1}$, and to $c_t$ inside the last tanh.
        peepholes: connect the memory cell to the gates, with weights initialised to 0.
        zoneout: probability that an entry of $h_t$ keeps its previous value; in evaluation, its mean.
        zoneout_cell: the same for $c_t$.
        variational_dropout: in training, the probability that an entry of the input of a layer is dropped, the same
            entries at all steps of a sequence, drawn anew in each call.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: a size is below 1, a probability is outside 0..1, or `proj_size` is given with a further option.

    References:
        Hochreiter & Schmidhuber (1997), "Long short-term memory", Neural Computation 9,
        doi:10.1162/neco.1997.9.8.1735; for the options, `memtape.cells.LSTMCell` and `memtape.cells.Zoneout`; Gal &
        Ghahramani (2016), "A theoretically grounded application of dropout in recurrent neural networks",
        arXiv:1512.05287.
    """

    state_record = LSTMState
    fewest_steps = math.inf

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
        *,
        layer_norm: bool = False,
        peepholes: bool = False,
        zoneout: float = 0.0,
        zoneout_cell: float = 0.0,
        variational_dropout: float = 0.0,
    ):
        super().__init__(
            "LSTM",
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            proj_size,
            device,
            dtype,
            layer_norm=layer_norm,
            peepholes=peepholes,
            zoneout=zoneout,
            zoneout_cell=zoneout_cell,
            variational_dropout=variational_dropout,
        )

    def _cell(self, input_size: int) -> AnyCell:
        names = ("layer_norm", "peepholes", "zoneout", "zoneout_cell")
        norm, peepholes, hidden, memory = (self.options[name] for name in names)
        cell = LSTMCell(input_size, self.hidden_size, layer_norm=norm, peepholes=peepholes)
        return Zoneout(cell, hidden=hidden, memory=memory) if hidden or memory else cell
