"""Rational stacks: a machine with two stacks of bits in the hidden vector of an Elman network."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import torch
from torch import Tensor

from memtape.automata.compilers.certificate import Certificate, parameters_of, set_parameter
from memtape.automata.definitions.errors import AutomatonError
from memtape.automata.definitions.two_stacks import (
    CHANGES,
    TOPS,
    TwoStackConfiguration,
    TwoStackMachine,
    bits_of,
)
from memtape.cells.elman import HiddenState
from memtape.core import checks
from memtape.core.recurrent import Recurrent
from memtape.models.recurrent.elman import Elman

TICKS = 3
"""Steps of the network for one step of the machine."""

DEPTH: dict[torch.dtype, int] = {torch.float32: 11, torch.float64: 26}
"""The largest number of bits of a stack in each dtype: two bits of the mantissa for each."""


def rational(stack: str) -> float:
    r"""Return the number of a stack of bits, $q = \sum_i (2 a_i + 1) / 4^i$ from the top on; 0 is the empty stack."""
    return sum(((2 * int(bit) + 1) / 4**place for place, bit in enumerate(stack, 1)), 0.0)


def stack_of(number: float) -> str:
    """Return the stack of bits of a number.

    Raises:
        ValueError: the number represents no stack.
    """
    bits = ""
    rest = number
    while rest > 0:
        if not (0.25 <= rest < 0.5 or 0.75 <= rest < 1):
            raise ValueError(f"{number} represents no stack of bits")
        bits += "1" if rest >= 0.5 else "0"
        rest = 4 * rest - 2 * int(bits[-1]) - 1
    return bits


@dataclass(frozen=True, kw_only=True)
class StackProgram:
    """A network compiled from a machine with two stacks, which are two numbers of its hidden vector.

    Attributes:
        network: the network; its inputs are zeros, and its outputs after every third step are logits of the states.
        machine: the machine.
        certificate: under which conditions the network is exact.
    """

    network: Recurrent[Any]
    machine: TwoStackMachine
    certificate: Certificate

    def initial_state(self, pairs: Sequence[tuple[str, str]]) -> HiddenState:
        """Return the state of the network in which the stacks hold these bits.

        Args:
            pairs: for each row of the batch the bits of both stacks, the top first.

        Raises:
            AutomatonError: a stack holds something else than bits, or more than the dtype can represent.
        """
        layout = _Layout(self.machine)
        parameter = next(self.network.parameters())
        hidden = torch.zeros(len(pairs), layout.size, dtype=torch.float64)
        for row, stacks in enumerate(pairs):
            hidden[row, layout.state(self.machine.start)] = 1
            for number, stack in enumerate(stacks):
                self._require_room(len(bits_of(stack)), parameter.dtype)
                hidden[row, layout.branch(number, "keep")] = rational(stack)
        return HiddenState(hidden=hidden.to(parameter.dtype))

    def run(self, pairs: Sequence[tuple[str, str]], *, steps: int) -> list[tuple[TwoStackConfiguration, ...]]:
        """Return what the network computes for each pair of stacks: the configurations before and after each step.

        Args:
            pairs: the bits of both stacks, the top first.
            steps: largest number of steps of the machine; a row ends where it halts.

        Raises:
            ValueError: the number of steps is below 0.
            AutomatonError: a stack holds something else than bits, or grows beyond what the dtype can represent.
        """
        checks.at_least(0, steps=steps)
        layout = _Layout(self.machine)
        state = self.initial_state(pairs)
        dtype = state.hidden.dtype
        rows: list[list[TwoStackConfiguration]] = [[] for _ in pairs]
        ticks = torch.zeros(len(pairs), TICKS, 1, dtype=dtype)
        for _ in range(steps + 1):
            for row, hidden in zip(rows, state.hidden, strict=True):
                if not (row and row[-1].halted):
                    row.append(self._decoded(layout, hidden))
            if all(row[-1].halted for row in rows):
                break
            with torch.no_grad():
                _, state = self.network(ticks, state)
        return [tuple(row) for row in rows]

    def _decoded(self, layout: "_Layout", hidden: Tensor) -> TwoStackConfiguration:
        state = self.machine.states[int(hidden[: len(self.machine.states)].argmax())]
        numbers = [float(hidden[layout.branches(number)].double().sum()) for number in range(2)]
        stacks = stack_of(numbers[0]), stack_of(numbers[1])
        found = self.machine.transitions.get((state, _top(stacks[0]), _top(stacks[1])))
        for stack, change in zip(stacks, found[1:] if found else (), strict=False):
            self._require_room(len(stack) + change.startswith("push"), hidden.dtype)
        return TwoStackConfiguration(state=state, stacks=stacks, halted=found is None)

    def _require_room(self, bits: int, dtype: torch.dtype) -> None:
        if bits > DEPTH[dtype]:
            name = str(dtype).removeprefix("torch.")
            cure = (
                "use network.double()" if dtype == torch.float32 else "compile a machine for a tape or a stack memory"
            )
            raise AutomatonError(
                f"a stack has {bits} bits, but a {name} number holds a stack of at most {DEPTH[dtype]} bits exactly; {cure}"
            )


def elman_of_two_stacks(machine: TwoStackMachine) -> StackProgram:
    r"""Compile a machine with two stacks of bits into an Elman network of rectified units, three steps for each of its steps.

    A stack is the number $q = \sum_i (2 a_i + 1) / 4^i$. The first step computes its top, $\operatorname{sat}(4 q - 2)$, and
    whether it is not empty, $\operatorname{sat}(4 q)$, with $\operatorname{sat}(z) = \operatorname{relu}(z) -
    \operatorname{relu}(z - 1)$; the second which transition applies; the third the new stack as the sum of

    $$\operatorname{relu}(q + k - 1), \quad \operatorname{relu}(4 q - 2 t - 1 + p - 1), \quad
    \operatorname{relu}(q / 4 + (2 a + 1) / 4 + p_a - 1)$$

    for keep, pop and push. A machine that has halted keeps its state.

    Args:
        machine: the machine.

    References:
        Siegelmann & Sontag (1995), "On the computational power of neural nets", Journal of Computer and System Sciences 50,
        doi:10.1006/jcss.1995.1013.
    """
    layout = _Layout(machine)
    recurrent = torch.zeros(layout.size, layout.size, dtype=torch.float64)
    bias = torch.zeros(layout.size, dtype=torch.float64)
    for state in machine.states:
        recurrent[layout.copy(1, state), layout.state(state)] = 1
    for number in range(2):
        source, first, second = layout.branches(number), layout.copy(1, number), layout.copy(2, number)
        recurrent[first, source] = 1
        recurrent[second, first] = 1
        for unit, offset in zip(layout.tests(number), (-2, -3, 0, -1), strict=True):
            recurrent[unit, source] = 4
            bias[unit] = offset
        one, more, _, _ = layout.tests(number)
        recurrent[layout.top(number), one], recurrent[layout.top(number), more] = 1, -1

    for place, (state, *tops) in enumerate(product(machine.states, TOPS, TOPS)):
        unit = layout.case(place)
        after, *changes = machine.transitions.get((state, tops[0], tops[1]), (state, "keep", "keep"))
        recurrent[unit, layout.copy(1, state)] = 1
        bias[unit] = -2
        for number, top in enumerate(tops):
            one, more, some, further = layout.tests(number)
            if top == "empty":
                bias[unit] += 1
            sign = -1 if top == "empty" else 1 if top == "0" else 0
            recurrent[unit, some], recurrent[unit, further] = sign, -sign
            sign = {"0": -1, "1": 1, "empty": 0}[top]
            recurrent[unit, one], recurrent[unit, more] = sign, -sign
            recurrent[layout.branch(number, changes[number]), unit] = 1
        recurrent[layout.state(after), unit] = 1

    scales = {"keep": (1.0, -1.0), "pop": (4.0, -2.0), "push0": (0.25, -0.75), "push1": (0.25, -0.25)}
    for number, change in product(range(2), CHANGES):
        unit = layout.branch(number, change)
        recurrent[unit, layout.copy(2, number)], bias[unit] = scales[change]
        if change == "pop":
            recurrent[unit, layout.top(number)] = -2

    network = Elman(1, len(machine.states), hidden_size=layout.size, activation="relu").eval()
    cell: Any = network.cell
    set_parameter(cell.cell.from_hidden.weight, recurrent)
    set_parameter(cell.cell.from_input.weight, torch.zeros(layout.size, 1))
    set_parameter(cell.cell.from_input.bias, bias)
    set_parameter(cell.to_output.weight, 20 * torch.eye(layout.size)[: len(machine.states)])
    set_parameter(cell.to_output.bias, torch.full((len(machine.states),), -10.0))
    certificate = Certificate(
        construction="Two stacks as numbers in base 4, three steps of rectified units for each step of the machine.",
        units=layout.size,
        parameters=parameters_of(network),
        margin=0.25,
        exact_in={str(dtype).removeprefix("torch."): depth for dtype, depth in DEPTH.items()},
        limit="at any number of steps, as long as no stack is deeper",
    )
    return StackProgram(network=network, machine=machine, certificate=certificate)


class _Layout:
    """The places of the units: third layer (states, branches of both stacks), first (copies, tests), second (cases, copies)."""

    def __init__(self, machine: TwoStackMachine):
        self.machine = machine
        states = len(machine.states)
        self._branches = states
        self._first = self._branches + 2 * len(CHANGES)
        self._tests = self._first + states + 2
        self._second = self._tests + 2 * 4
        self._cases = self._second + 2 * 2
        self.size = self._cases + states * len(TOPS) ** 2

    def state(self, state: str) -> int:
        """Return the place of a state in the third layer."""
        return self.machine.states.index(state)

    def branch(self, number: int, change: str) -> int:
        """Return the place of the new content of a stack after a change."""
        return self._branches + number * len(CHANGES) + CHANGES.index(change)

    def branches(self, number: int) -> slice:
        """Return the places whose sum is the content of a stack."""
        first = self._branches + number * len(CHANGES)
        return slice(first, first + len(CHANGES))

    def copy(self, layer: int, what: str | int) -> int:
        """Return the place of the copy of a state or of a stack."""
        if layer == 2:
            return self._second + int(what)
        return self._first + (len(self.machine.states) + what if isinstance(what, int) else self.state(what))

    def tests(self, number: int) -> tuple[int, int, int, int]:
        """Return the units of the top (two) and of not empty (two) of a stack."""
        first = self._tests + 4 * number
        return first, first + 1, first + 2, first + 3

    def top(self, number: int) -> int:
        """Return the place of the copy of the top in the second layer."""
        return self._second + 2 + number

    def case(self, place: int) -> int:
        """Return the place of a state and two tops in the second layer."""
        return self._cases + place


def _top(stack: str) -> Any:
    return stack[0] if stack else "empty"
