"""NTM: Turing machines as Neural Turing Machines whose heads are exactly on one slot."""

from typing import Any

import torch
from torch import Tensor

from memtape.automata.compilers.certificate import Certificate, parameters_of, set_parameter
from memtape.automata.compilers.tape_program import TapeProgram
from memtape.automata.compilers.units import FLOAT64_GAIN, LARGE, Units, tanh_readout
from memtape.automata.definitions.turing import OFFSETS, TapeMove, TuringMachine
from memtape.core import checks
from memtape.memory.turing import TuringState
from memtape.models.machine.augmented import AugmentedState
from memtape.models.ntm.ntm import NTM

LOGIT = 20.0
"""Difference of the logits of yes and no."""


def move_of(machine: TuringMachine, state: str, symbol: str) -> TapeMove:
    """Return the transition of a state and a symbol; a machine that halts there stays as it is.

    Args:
        machine: the machine.
        state: the state.
        symbol: the symbol under the head.
    """
    halted = TapeMove(state=state, write=symbol, move="stay")
    return machine.transitions.get((state, symbol), halted)


def ntm_of(machine: TuringMachine, *, cells: int = 32) -> TapeProgram:
    r"""Compile a Turing machine into a Neural Turing Machine, one step for each of its steps.

    All gates are saturated: interpolation 0, erase 1, shifts one-hot, and the sharpening is so large that the weights of a head
    are exactly one-hot after every step. The read head moves to the next cell at once. The write head follows one step later,
    so that it writes where the read head was; hence the controller has a unit for each state, incoming move and symbol.

    Args:
        machine: the machine.
        cells: number of slots, which are the cells of the tape.

    Raises:
        TypeError: the number of cells is not an integer.
        ValueError: the number of cells is below 3, the number of cells that a shift reaches.

    References:
        Graves, Wayne & Danihelka (2014), "Neural Turing Machines", arXiv:1410.5401.
    """
    checks.at_least(3, cells=cells)
    symbols = machine.alphabet
    pairs = dict.fromkeys([(machine.start, "stay")])
    for state in machine.states:
        for symbol in symbols:
            move = move_of(machine, state, symbol)
            pairs[move.state, move.move] = None
    keys = [(*pair, symbol) for pair in pairs for symbol in symbols]
    moves = [move_of(machine, state, symbol) for state, _, symbol in keys]

    units = _units(machine, keys, moves)
    network = NTM(
        1,
        len(machine.states),
        slots=cells,
        width=len(symbols),
        controller="rnn",
        controller_size=len(keys) + 1,
        read_first=False,
        initial_memory="learned",
        initial_weights="one-hot",
        initial_reads="learned",
        initial_controller="zeros",
        clip=None,
    ).eval()
    machine_cell: Any = network.cell
    cell = machine_cell.machine
    recurrent, inputs, bias = units.of_tanh(FLOAT64_GAIN)
    set_parameter(cell.controller.from_hidden.weight, recurrent)
    set_parameter(cell.controller.from_input.weight, inputs)
    set_parameter(cell.controller.from_input.bias, bias)

    blank = torch.nn.functional.one_hot(torch.tensor(0), len(symbols)).double()
    set_parameter(cell.initial_reads, blank)
    set_parameter(cell.memory.initial_slots.bias, LARGE * blank.expand(cells, -1))

    weights, constant = _interface([incoming for _, incoming, _ in keys], moves, symbols)
    weights, constant = tanh_readout(weights, constant)
    set_parameter(cell.interface.head_parameters.linear.weight, weights)
    set_parameter(cell.interface.head_parameters.linear.bias, constant)

    reached = torch.tensor([[move.state == state for move in moves] for state in machine.states]).double()
    weights, constant = tanh_readout(LOGIT * reached, torch.full((len(machine.states),), -LOGIT / 2).double())
    set_parameter(cell.to_output.weight, torch.cat([weights, torch.zeros(len(weights), len(symbols))], dim=1))
    set_parameter(cell.to_output.bias, constant)
    certificate = Certificate(
        construction="A Neural Turing Machine with saturated gates, a unit for each state, incoming move and symbol.",
        units=len(keys) + 1,
        parameters=parameters_of(network),
        margin=FLOAT64_GAIN / 2,
        exact_in={"float32": None, "float64": None},
        limit=f"at any number of steps, as long as the head stays within {cells} cells",
    )

    def loaded(tapes: Tensor) -> AugmentedState:
        state = network.init_state(len(tapes))
        memory = TuringState(
            memory=tapes, read_weights=state.memory.read_weights, write_weights=state.memory.write_weights
        )
        return AugmentedState(controller=state.controller, memory=memory, reads=tapes[:, 0])

    def tape(state: Any) -> tuple[Tensor, Tensor]:
        return state.memory.memory, state.memory.read_weights[:, 0].argmax(dim=-1)

    return TapeProgram(network=network, machine=machine, cells=cells, certificate=certificate, loaded=loaded, tape=tape)


def _units(machine: TuringMachine, keys: list[tuple[str, str, str]], moves: list[TapeMove]) -> Units:
    """Return a unit for each state, incoming move and symbol under the read head."""
    follows = [[(state, incoming) == (move.state, move.move) for move in moves] for state, incoming, _ in keys]
    start = [(state, incoming) == (machine.start, "stay") for state, incoming, _ in keys]
    reads = [[symbol == one for one in machine.alphabet] for _, _, symbol in keys]
    inputs = torch.cat([torch.zeros(len(keys), 1), torch.tensor(reads).float()], dim=1)
    return Units(
        recurrent=torch.tensor(follows).double(),
        start=torch.tensor(start).double(),
        inputs=inputs.double(),
        bias=torch.full((len(keys),), -1.0, dtype=torch.float64),
    )


def _interface(incoming: list[str], moves: list[TapeMove], symbols: Any) -> tuple[Tensor, Tensor]:
    """Return the weights on the units, and the biases, of the interface vector: a read head, then a write head."""
    width, count = len(symbols), len(moves)
    shifts = [[OFFSETS[move.move] == offset for move in moves] for offset in (-1, 0, 1)]
    shifts += [[OFFSETS[before] == offset for before in incoming] for offset in (-1, 0, 1)]
    added = [[move.write == symbol for move in moves] for symbol in symbols]
    rows: list[tuple[Tensor, float]] = [
        (torch.zeros(2 * width, count), 0.0),  # keys
        (torch.zeros(2, count), 0.0),  # strengths
        (torch.zeros(2, count), -LARGE),  # interpolation gates
        (LARGE * torch.tensor(shifts).float(), 0.0),
        (torch.zeros(2, count), LARGE),  # sharpening
        (torch.zeros(width, count), LARGE),  # erase
        (LARGE * torch.tensor(added).float(), 0.0),
    ]
    weights = torch.cat([block for block, _ in rows]).double()
    return weights, torch.cat([torch.full((len(block),), constant).double() for block, constant in rows])
