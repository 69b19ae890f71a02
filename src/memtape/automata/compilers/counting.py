"""Counting: counter machines as Elman networks of rectified units."""

from collections import defaultdict
from itertools import chain, combinations
from typing import Any

import torch

from memtape.automata.compilers.acceptor import Acceptor
from memtape.automata.compilers.certificate import INTEGERS, Certificate, parameters_of, set_parameter
from memtape.automata.definitions.counters import CounterMachine
from memtape.models.recurrent.elman import Elman

LOGIT = 20.0
"""Difference of the logits of yes and no."""


def elman_of_counters(machine: CounterMachine) -> Acceptor:
    r"""Compile a counter machine into an Elman network of rectified units, one step for each symbol.

    A unit for state $q$, symbol $a$ and a set $S$ of counters is 1 if the machine reads $a$ in $q$ and the counters of $S$
    are 0, and a unit for each counter holds its value, one step late:

    $$u_{q,a,S} \leftarrow \operatorname{relu}\Bigl(z_q + x_a - \sum_{i \in S} (c_i + \Delta_i) - 1\Bigr), \qquad
    c_i \leftarrow \operatorname{relu}(c_i + \Delta_i)$$

    Here $z_q$ (whether the state is $q$) and $\Delta_i$ (the change of a counter) are sums of units: that the counters of a set
    are 0 and those of another set $P$ are not is $\sum_{T \subseteq P} (-1)^{|T|} u_{q,a,S \cup T}$. All numbers are integers.

    Args:
        machine: the machine.

    References:
        Siegelmann & Sontag (1995), "On the computational power of neural nets", Journal of Computer and System Sciences 50,
        doi:10.1006/jcss.1995.1013, for rectified units as counters; inclusion and exclusion is memtape's.
    """
    pairs = dict.fromkeys((state, symbol) for state, symbol, _ in machine.transitions)
    subsets = [
        frozenset(one) for size in range(machine.counters + 1) for one in combinations(range(machine.counters), size)
    ]
    place = {key: number for number, key in enumerate((*pair, zeros) for pair in pairs for zeros in subsets)}
    counts = len(place)
    started = counts + machine.counters
    size = started + 1

    in_state: dict[str, Any] = defaultdict(lambda: torch.zeros(size, dtype=torch.float64))
    change = torch.zeros(machine.counters, size, dtype=torch.float64)
    for (state, symbol, tests), (after, changes) in machine.transitions.items():
        case = torch.zeros(size, dtype=torch.float64)
        zeros = frozenset(number for number, positive in enumerate(tests) if not positive)
        positive = [number for number, positive in enumerate(tests) if positive]
        for subset in chain.from_iterable(combinations(positive, size) for size in range(len(positive) + 1)):
            case[place[state, symbol, zeros | frozenset(subset)]] = (-1.0) ** len(subset)
        in_state[after] = in_state[after] + case
        change += torch.tensor(changes, dtype=torch.float64)[:, None] * case
    values = change.clone()
    values[:, counts:started] += torch.eye(machine.counters, dtype=torch.float64)

    recurrent, bias = torch.zeros(size, size, dtype=torch.float64), torch.zeros(size, dtype=torch.float64)
    inputs = torch.zeros(size, len(machine.alphabet), dtype=torch.float64)
    for (state, symbol, zeros), number in place.items():
        recurrent[number] = in_state[state] - values[sorted(zeros)].sum(dim=0)
        inputs[number, machine.alphabet.index(symbol)] = 1
        bias[number] = -1
        if state == machine.start:
            bias[number] += 1
            recurrent[number, started] -= 1
    recurrent[counts:started] = values
    bias[started] = 1

    accept = sum((in_state[state] for state in machine.accepting), torch.zeros(size, dtype=torch.float64))
    if machine.zero_counters:
        accept = accept - values.sum(dim=0)
    network = Elman(len(machine.alphabet), 1, hidden_size=size, activation="relu").eval()
    cell: Any = network.cell
    set_parameter(cell.cell.from_hidden.weight, recurrent)
    set_parameter(cell.cell.from_input.weight, inputs)
    set_parameter(cell.cell.from_input.bias, bias)
    set_parameter(cell.to_output.weight, LOGIT * accept[None])
    set_parameter(cell.to_output.bias, torch.tensor([-LOGIT / 2]))
    certificate = Certificate(
        construction="Rectified units for each state, symbol and set of empty counters, and one for each counter.",
        units=size,
        parameters=parameters_of(network),
        margin=1.0,
        exact_in=INTEGERS,
        limit="at any length, as long as the counters stay below",
    )
    return Acceptor(
        network=network,
        alphabet=tuple(machine.alphabet),
        accepts_empty=machine.accepts(()),
        certificate=certificate,
    )
