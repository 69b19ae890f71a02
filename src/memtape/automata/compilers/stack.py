"""Stack: deterministic pushdown automata as recurrent networks with one stack."""

from typing import Any

import torch
from torch import Tensor

from memtape.automata.compilers.acceptor import Acceptor
from memtape.automata.compilers.certificate import Certificate, parameters_of, set_parameter
from memtape.automata.compilers.units import LARGE, Units
from memtape.automata.definitions.pda import PDA
from memtape.models.stack.stackrnn import StackRNN

LOGIT = 20.0
"""Difference of the logits of yes and no: a word that is accepted has the logit 10, others have at most -10."""


def stackrnn_of(machine: PDA) -> Acceptor:
    r"""Compile a deterministic pushdown automaton into a network with a superposition stack, one step for each symbol.

    A unit for state $q$, symbol $a$ and top $Z$ is 1 if the machine reads $a$ in $q$ with $Z$ on top; a unit for the empty
    stack has no $Z$. $z_q$ (whether the state is $q$) is a sum of units, and $r_Z$ is the entry of the top cell for $Z$:

    $$u_{q,a,Z} \leftarrow \operatorname{relu}(z_q + x_a + r_Z - 2), \qquad
    u_{q,a} \leftarrow \operatorname{relu}\Bigl(z_q + x_a - \sum_Z r_Z - 1\Bigr)$$

    The cells of the stack are one-hot vectors of stack symbols, and the probabilities of its actions are exactly 0 or 1. After
    a symbol for which there is no transition, no unit is active, and the stack stays as it is.

    Args:
        machine: the machine.

    References:
        Joulin & Mikolov (2015), "Inferring algorithmic patterns with stack-augmented recurrent nets", arXiv:1503.01007, for
        the network; the weights are memtape's.
    """
    keys, moves = list(machine.transitions), list(machine.transitions.values())
    symbols, size = machine.stack_alphabet, len(keys) + 1
    network = StackRNN(
        len(machine.alphabet),
        1,
        stacks=1,
        width=len(symbols),
        visible=1,
        no_op=True,
        push_activation="linear",
        empty=0.0,
        controller="rnn",
        controller_size=size,
        activation="relu",
        biases=True,
        reads_to_output=machine.empty_stack,
    ).eval()
    recurrent, inputs, bias = _units(machine).of_relu()
    network_cell: Any = network.cell
    cell = network_cell.machine
    set_parameter(cell.controller.from_hidden.weight, recurrent)
    set_parameter(cell.controller.from_input.weight, inputs)
    set_parameter(cell.controller.from_input.bias, bias)

    actions = torch.zeros(3, size)
    for number, move in enumerate(moves):
        actions[0, number], actions[1, number] = move.push is not None, move.pop
    pushed = torch.tensor([[move.push == symbol for move in moves] + [False] for symbol in symbols]).float()
    parameters = cell.interface.head_parameters.linear
    set_parameter(parameters.weight, torch.cat([2 * LARGE * actions, pushed]))
    set_parameter(parameters.bias, torch.tensor([0.0, 0.0, LARGE] + [0.0] * len(symbols)))

    accept = [move.state in machine.accepting for move in moves] + [False]
    full = [-1.0] * len(symbols) if machine.empty_stack else []
    set_parameter(cell.to_output.weight, LOGIT * torch.tensor([*map(float, accept), *full])[None])
    set_parameter(cell.to_output.bias, torch.tensor([-LOGIT / 2]))
    certificate = Certificate(
        construction="A stack with actions of probability 0 and 1, a rectified unit for each state, symbol and top.",
        units=size,
        parameters=parameters_of(network),
        margin=1.0,
        exact_in={"float32": None, "float64": None},
    )
    return Acceptor(
        network=network,
        alphabet=tuple(machine.alphabet),
        accepts_empty=machine.accepts(()),
        certificate=certificate,
    )


def _units(machine: PDA) -> Units:
    """Return a unit for each transition: a state, a symbol, and the top of the stack or none."""
    keys, moves = list(machine.transitions), machine.transitions.values()
    follows = [[state == move.state for move in moves] for state, _, _ in keys]
    start = [state == machine.start for state, _, _ in keys]
    reads = [[float(symbol == one) for one in machine.alphabet] for _, symbol, _ in keys]
    tops = [[-1.0 if top is None else float(top == one) for one in machine.stack_alphabet] for _, _, top in keys]
    return Units(
        recurrent=_double(follows),
        start=_double(start),
        inputs=torch.cat([_double(reads), _double(tops)], dim=1),
        bias=_double([-1.0 if top is None else -2.0 for _, _, top in keys]),
    )


def _double(rows: Any) -> Tensor:
    return torch.tensor(rows, dtype=torch.float64)
