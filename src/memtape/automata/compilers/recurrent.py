"""Recurrent: finite automata as Elman networks, GRUs and LSTMs."""

import math
from typing import Any, Literal

import torch
from torch import Tensor

from memtape.automata.compilers.acceptor import Acceptor
from memtape.automata.compilers.certificate import Certificate, parameters_of, set_parameter
from memtape.automata.compilers.units import (
    FLOAT32_GAIN,
    FLOAT64_GAIN,
    LARGE,
    Units,
    least_gain,
    relu_readout,
    tanh_readout,
)
from memtape.automata.definitions.dfa import DFA
from memtape.automata.definitions.errors import AutomatonError
from memtape.core import checks
from memtape.models.recurrent.elman import Elman
from memtape.models.recurrent.gru import GRU
from memtape.models.recurrent.lstm import StackedLSTM

Outputs = Literal["accept", "state"]

LOGIT = 20.0
"""Difference of the logits of yes and no: outputs are -10 and 10."""

LSTM_STATE = math.tanh(1.0)
"""The hidden state of an active unit of an LSTM: tanh of a memory cell of 1."""


def units_of(dfa: DFA) -> tuple[Units, list[int]]:
    """Return one unit for each pair of a state and a symbol that is read there, and the state after each unit.

    Args:
        dfa: the automaton.
    """
    states, symbols = len(dfa.table), len(dfa.alphabet)
    after = [dfa.table[state][symbol] for state in range(states) for symbol in range(symbols)]
    before = torch.arange(states).repeat_interleave(symbols)
    recurrent = (before[:, None] == torch.tensor(after)[None]).double()
    inputs = torch.eye(symbols, dtype=torch.float64).repeat(states, 1)
    bias = torch.full((states * symbols,), -1.0, dtype=torch.float64)
    return Units(recurrent=recurrent, start=(before == 0).double(), inputs=inputs, bias=bias), after


def elman_of(
    dfa: DFA,
    *,
    activation: Literal["relu", "tanh"] = "relu",
    gain: float = FLOAT64_GAIN,
    outputs: Outputs = "accept",
) -> Acceptor:
    r"""Compile an automaton into an Elman network, with a unit for each pair of state $q$ and symbol $a$.

    $$h_{q,a} \leftarrow \operatorname{relu}\Bigl(\sum_{\delta(p,b)=q} h_{p,b} + x_a - 1\Bigr)$$

    Exactly one of these units is 1. With tanh the states are -1 and 1, and inputs are multiplied by the gain.

    Args:
        dfa: the automaton.
        activation: activation function of the units.
        gain: steepness of tanh units; ignored by rectified ones.
        outputs: whether the outputs are one logit of acceptance, or logits of the state.

    Raises:
        ValueError: the gain is not positive, or the choice of outputs is unknown.
        AutomatonError: the gain is so small that tanh units lose their states.

    References:
        Minsky (1967), "Computation: finite and infinite machines", chapter 3: finite automata as networks of neurons.
    """
    units, after = units_of(dfa)
    readout = _readout(dfa, after, outputs)
    network = Elman(len(dfa.alphabet), len(readout[0]), hidden_size=len(after) + 1, activation=activation)
    if activation == "relu":
        weights, readout = units.of_relu(), relu_readout(*readout)
    else:
        weights, readout = units.of_tanh(_checked(gain, units)), tanh_readout(*readout)
    cell: Any = network.cell
    set_parameter(cell.cell.from_hidden.weight, weights[0])
    set_parameter(cell.cell.from_input.weight, weights[1])
    set_parameter(cell.cell.from_input.bias, weights[2])
    _set_readout(cell, readout)
    construction = f"An Elman network of {activation} units, one for each state and symbol."
    return _acceptor(dfa, network, construction, None if activation == "relu" else gain)


def gru_of(dfa: DFA, *, gain: float = FLOAT64_GAIN, outputs: Outputs = "accept") -> Acceptor:
    """Compile an automaton into a GRU whose gates are constant: update gate 0, reset gate 1; the candidate is a tanh unit.

    Args:
        dfa: the automaton.
        gain: steepness of the units.
        outputs: whether the outputs are one logit of acceptance, or logits of the state.

    Raises:
        ValueError: the gain is not positive, or the choice of outputs is unknown.
        AutomatonError: the gain is so small that the units lose their states.
    """
    units, after = units_of(dfa)
    readout = _readout(dfa, after, outputs)
    size = len(after) + 1
    network = GRU(len(dfa.alphabet), len(readout[0]), hidden_size=size)
    cell: Any = network.cell
    recurrent, inputs, bias = units.of_tanh(_checked(gain, units))
    gates = torch.cat([torch.full((size,), LARGE), torch.full((size,), -LARGE)]).double()
    set_parameter(cell.cell.from_hidden.weight, torch.cat([torch.zeros(2 * size, size).double(), recurrent]))
    set_parameter(cell.cell.from_hidden.bias, torch.zeros(3 * size))
    set_parameter(cell.cell.from_input.weight, torch.cat([torch.zeros(2 * size, inputs.shape[1]).double(), inputs]))
    set_parameter(cell.cell.from_input.bias, torch.cat([gates, bias]))
    _set_readout(cell, tanh_readout(*readout))
    construction = "A GRU with constant gates, one candidate for each state and symbol."
    return _acceptor(dfa, network, construction, gain)


def lstm_of(dfa: DFA, *, gain: float = FLOAT64_GAIN, outputs: Outputs = "accept") -> Acceptor:
    """Compile an automaton into an LSTM whose gates are constant: input and output gate 1, forget gate 0.

    Args:
        dfa: the automaton.
        gain: steepness of the units.
        outputs: whether the outputs are one logit of acceptance, or logits of the state.

    Raises:
        ValueError: the gain is not positive, or the choice of outputs is unknown.
        AutomatonError: the gain is so small that the units lose their states.
    """
    units, after = units_of(dfa)
    readout = _readout(dfa, after, outputs)
    size = len(after) + 1
    network = StackedLSTM(len(dfa.alphabet), len(readout[0]), hidden_size=size, layers=1)
    cell: Any = network.cell
    outer = cell.network.cell
    (layer,) = outer.cell.layers
    recurrent, inputs, bias = units.of_tanh(_checked(gain, units))
    constant = torch.full((size,), LARGE).double()

    def at_candidate(candidate: Tensor) -> Tensor:
        none = torch.zeros_like(candidate)
        return torch.cat([none, none, candidate, none])

    set_parameter(layer.from_hidden.weight, at_candidate(recurrent / LSTM_STATE))
    set_parameter(layer.from_input.weight, at_candidate(inputs))
    set_parameter(layer.from_input.bias, torch.cat([constant, -constant, bias, constant]))
    for initial in cell.network.biases:
        set_parameter(initial, torch.zeros_like(initial))
    _set_readout(outer, tanh_readout(*readout, high=LSTM_STATE))
    construction = "An LSTM with constant gates, one memory cell for each state and symbol."
    return _acceptor(dfa, network, construction, gain)


def _readout(dfa: DFA, after: list[int], outputs: Outputs) -> tuple[Tensor, Tensor]:
    """Return the weights on the units, and the biases, of the output layer."""
    checks.one_of(("accept", "state"), outputs=outputs)
    states = torch.tensor(after)
    if outputs == "state":
        chosen = states[None] == torch.arange(len(dfa.table))[:, None]
    else:
        chosen = torch.tensor(dfa.accepts_at)[states][None]
    weights = LOGIT * chosen.double()
    return weights, torch.full((len(weights),), -LOGIT / 2, dtype=torch.float64)


def _checked(gain: float, units: Units) -> float:
    checks.positive(gain=gain)
    least = least_gain(units.predecessors)
    if gain < least:
        raise AutomatonError(
            f"gain is {gain}, but units with {units.predecessors} predecessors keep their states only from {least:.2f} on; "
            "give a larger gain"
        )
    return gain


def _acceptor(dfa: DFA, network: Elman | GRU | StackedLSTM, construction: str, gain: float | None) -> Acceptor:
    least = (("float32", FLOAT32_GAIN), ("float64", FLOAT64_GAIN))
    exact = [name for name, from_gain in least if gain is None or gain >= from_gain]
    certificate = Certificate(
        construction=construction,
        units=network.configuration["hidden_size"],
        parameters=parameters_of(network),
        margin=1.0 if gain is None else gain / 2,
        exact_in=dict.fromkeys(exact),
    )
    return Acceptor(
        network=network.eval(),
        alphabet=tuple(dfa.alphabet),
        accepts_empty=dfa.accepts(()),
        certificate=certificate,
    )


def _set_readout(cell: Any, readout: tuple[Tensor, Tensor]) -> None:
    set_parameter(cell.to_output.weight, readout[0])
    set_parameter(cell.to_output.bias, readout[1])
