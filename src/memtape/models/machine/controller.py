"""Controller: the networks that can control a memory, by name."""

from typing import Any

from memtape.cells import ElmanCell, FeedforwardCell, GRUCell, LearnedInitialState, LSTMCell, Stacked
from memtape.cells.activation import Unit
from memtape.core import checks
from memtape.core.cell import AnyCell

CONTROLLERS: dict[str, type[AnyCell]] = {
    "lstm": LSTMCell,
    "gru": GRUCell,
    "rnn": ElmanCell,
    "feedforward": FeedforwardCell,
}


PLAIN = ("rnn", "feedforward")
"""The controllers of plain units, which have an activation and may have no biases."""


def controller_of(
    kind: str,
    input_size: int,
    size: int,
    layers: int,
    initial: str,
    *,
    gain: float = 1.0,
    activation: Unit = "tanh",
    bias: bool = True,
) -> AnyCell:
    """Build a controller of stacked layers.

    Args:
        kind: "lstm", "gru", "rnn" or "feedforward".
        input_size: size of the input.
        size: number of hidden units of each layer.
        layers: number of layers.
        initial: initial state, "learned" or "zeros".
        gain: scale of the initial weights, 1 by default.
        activation: activation of the units of "rnn" and "feedforward".
        bias: whether the units of "rnn" and "feedforward" have biases.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1, or a choice is unknown.
    """
    checks.one_of(tuple(CONTROLLERS), controller=kind)
    checks.one_of(("learned", "zeros"), initial_controller=initial)
    checks.at_least(1, controller_size=size, controller_layers=layers)
    plain: dict[str, Any] = {"activation": activation, "bias": bias} if kind in PLAIN else {}
    cells = [CONTROLLERS[kind](below, size, gain=gain, **plain) for below in [input_size] + [size] * (layers - 1)]
    cell = cells[0] if layers == 1 else Stacked(cells)
    return LearnedInitialState(cell) if initial == "learned" else cell
