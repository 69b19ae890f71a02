"""RNN: `torch.nn.RNN` in memtape's kernels, with further options."""

from typing import Any, Literal

from memtape.cells import ElmanCell, Zoneout
from memtape.cells.elman import HiddenState
from memtape.core import checks
from memtape.core.cell import AnyCell
from memtape.nn.recurrent_layers import RecurrentLayers


class RNN(RecurrentLayers):
    r"""Run layers of plain recurrent units over sequences, in place of `torch.nn.RNN`.

    $$h_t = f(W x_t + b + U h_{t-1} + b')$$

    Arguments, parameters, initial values, states and results are those of torch; the keyword arguments after `dtype` are
    further options, all off by default. $W$, $U$, $b$ and $b'$ of the first layer are `weight_ih_l0`, `weight_hh_l0`,
    `bias_ih_l0` and `bias_hh_l0`.

    Args:
        input_size: size of $x_t$.
        hidden_size: size of $h_t$.
        num_layers: number of layers.
        nonlinearity: the function $f$.
        bias: use the biases $b$ and $b'$.
        batch_first: inputs and outputs have the shape (batch, time, ...) instead of (time, batch, ...).
        dropout: in training, the probability that an entry passed from one layer to the next is dropped, drawn anew at
            each step.
        bidirectional: run a second set of units backwards in time, and concatenate both outputs.
        device: device of the parameters.
        dtype: dtype of the parameters.
        zoneout: probability that an entry of $h_t$ keeps its previous value; in evaluation, its mean.
        variational_dropout: in training, the probability that an entry of the input of a layer is dropped, the same
            entries at all steps of a sequence, drawn anew in each call.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: a size is below 1, a probability is outside 0..1, or the nonlinearity is unknown.

    References:
        Elman (1990), "Finding structure in time", Cognitive Science 14, doi:10.1207/s15516709cog1402_1; zoneout:
        `memtape.cells.Zoneout`; Gal & Ghahramani (2016), "A theoretically grounded application of dropout in recurrent
        neural networks", arXiv:1512.05287.
    """

    state_record = HiddenState
    fewest_steps = 24

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: Literal["tanh", "relu"] = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        zoneout: float = 0.0,
        variational_dropout: float = 0.0,
    ):
        checks.one_of(("tanh", "relu"), nonlinearity=nonlinearity)
        super().__init__(
            f"RNN_{nonlinearity.upper()}",
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
            zoneout=zoneout,
            variational_dropout=variational_dropout,
        )
        self.nonlinearity = nonlinearity

    def _cell(self, input_size: int) -> AnyCell:
        cell = ElmanCell(input_size, self.hidden_size, activation="relu" if self.mode == "RNN_RELU" else "tanh")
        return Zoneout(cell, hidden=self.options["zoneout"]) if self.options["zoneout"] else cell
