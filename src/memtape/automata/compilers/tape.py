"""Tape: Turing machines as tape machines, whose heads move by actions."""

from typing import Any

import torch
from torch import Tensor

from memtape import ops
from memtape.automata.compilers.certificate import Certificate, parameters_of, set_parameter
from memtape.automata.compilers.ntm import LOGIT, move_of
from memtape.automata.compilers.tape_program import TapeProgram
from memtape.automata.compilers.units import LARGE, Units
from memtape.automata.definitions.turing import TapeMove, TuringMachine
from memtape.core import checks
from memtape.memory.tape import ACTIONS, TapeState
from memtape.models.machine.augmented import AugmentedState
from memtape.models.tape.taperrnn import TapeRNN


def taperrnn_of(machine: TuringMachine, *, cells: int = 32) -> TapeProgram:
    r"""Compile a Turing machine into a tape machine, one step for each of its steps.

    A unit for state $q$ and symbol $s$ is 1 if the machine is in $q$ with $s$ under its head. $z_q$ (whether the state is $q$)
    is a sum of units, $r_s$ is the entry of the cell under the head for $s$, and the blank $\sqcup$ is the absence of others:

    $$u_{q,s} \leftarrow \operatorname{relu}(z_q + r_s - 1), \qquad
    u_{q,\sqcup} \leftarrow \operatorname{relu}\Bigl(z_q - \sum_{s \ne \sqcup} r_s\Bigr)$$

    The probabilities of the actions stay, right and left are exactly 0 or 1. A cell is the one-hot vector of its symbol,
    or zeros for the blank, as the cells of an empty tape of the network are.

    Args:
        machine: the machine.
        cells: number of cells of the tape.

    Raises:
        TypeError: the number of cells is not an integer.
        ValueError: the number of cells is below 3, so that left and right of the head are one cell.

    References:
        Deletang et al. (2023), "Neural networks and the Chomsky hierarchy", arXiv:2207.02098, for the network; the weights
        are memtape's.
    """
    checks.at_least(3, cells=cells)
    symbols = machine.alphabet
    keys = [(state, symbol) for state in machine.states for symbol in symbols]
    moves = [move_of(machine, state, symbol) for state, symbol in keys]
    network = TapeRNN(
        1,
        len(machine.states),
        slots=cells,
        width=len(symbols),
        controller="rnn",
        controller_size=len(keys) + 1,
        activation="relu",
        jump_length=1,
        write_layers=0,
    ).eval()
    recurrent, inputs, bias = _units(machine, keys, moves).of_relu()
    network_cell: Any = network.cell
    cell = network_cell.machine
    set_parameter(cell.controller.from_hidden.weight, recurrent)
    set_parameter(cell.controller.from_input.weight, inputs)
    set_parameter(cell.controller.from_input.bias, bias)

    written = [[move.write == symbol != machine.blank for move in moves] for symbol in symbols]
    layers = (
        (cell.interface.to_values, written, 1.0, 0.0),
        (cell.interface.to_actions, [[move.move == name for move in moves] for name in ACTIONS["jumps"]], LARGE, 0.0),
        (cell.to_output, [[move.state == state for move in moves] for state in machine.states], LOGIT, -LOGIT / 2),
    )
    for layer, rows, scale, constant in layers:
        set_parameter(layer.weight, scale * torch.tensor([[*row, False] for row in rows]).double())
        set_parameter(layer.bias, torch.full((len(rows),), constant))
    certificate = Certificate(
        construction="A tape machine with actions of probability 0 and 1, a rectified unit for each state and symbol.",
        units=len(keys) + 1,
        parameters=parameters_of(network),
        margin=1.0,
        exact_in={"float32": None, "float64": None},
        limit=f"at any number of steps, as long as the head stays within {cells} cells",
    )

    def loaded(tapes: Tensor) -> AugmentedState:
        state = network.init_state(len(tapes))
        contents = tapes * torch.tensor([float(symbol != machine.blank) for symbol in symbols]).to(tapes)
        memory = TapeState(
            memory=contents[:, None], head_weights=state.memory.head_weights.to(tapes.dtype), jumps=state.memory.jumps
        )
        return AugmentedState(controller=state.controller, memory=memory, reads=contents[:, 0])

    def tape(state: Any) -> tuple[Tensor, Tensor]:
        memory = state.memory
        symbols_of_cells = ops.fixed_tape(memory.memory, memory.head_weights)[:, 0].clone()
        symbols_of_cells[..., 0] = 1 - symbols_of_cells.sum(dim=-1)
        return symbols_of_cells, memory.head_weights[:, 0].argmax(dim=-1)

    return TapeProgram(network=network, machine=machine, cells=cells, certificate=certificate, loaded=loaded, tape=tape)


def _units(machine: TuringMachine, keys: list[tuple[str, str]], moves: list[TapeMove]) -> Units:
    """Return a unit for each state and symbol under the head."""
    blank = machine.blank
    follows = [[state == move.state for move in moves] for state, _ in keys]
    reads = [
        [0.0] + [-float(one != blank) if symbol == blank else float(one == symbol) for one in machine.alphabet]
        for _, symbol in keys
    ]
    return Units(
        recurrent=torch.tensor(follows).double(),
        start=torch.tensor([state == machine.start for state, _ in keys]).double(),
        inputs=torch.tensor(reads).double(),
        bias=torch.tensor([0.0 if symbol == blank else -1.0 for _, symbol in keys]).double(),
    )
