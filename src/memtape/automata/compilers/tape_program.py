"""Tape program: a network with a tape that runs a Turing machine."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from memtape.automata.compilers.certificate import Certificate
from memtape.automata.definitions.errors import AutomatonError
from memtape.automata.definitions.turing import Configuration, TuringMachine
from memtape.automata.definitions.words import Word, numbers_of
from memtape.core import checks
from memtape.core.recurrent import Recurrent

Cells = Float[Tensor, "batch cells symbols"]
Heads = Int[Tensor, " batch"]


@dataclass(frozen=True, kw_only=True)
class TapeProgram:
    """A network compiled from a Turing machine; its memory is the tape, a ring of cells.

    A cell is the one-hot vector of its symbol. Cell 0 is the first one of the input, the cells before it are at the end of the
    ring. The inputs of the network are zeros, one for each step of the machine; its outputs are logits of the state after the
    step. A machine that has halted keeps its state.

    Attributes:
        network: the network.
        machine: the machine.
        cells: number of cells of the tape.
        certificate: under which conditions the network is exact.
        loaded: returns the state of the network for the one-hot tapes of a batch.
        tape: returns the tapes and the cells of the heads from a state of the network.
    """

    network: Recurrent[Any]
    machine: TuringMachine
    cells: int
    certificate: Certificate
    loaded: Callable[[Cells], Any]
    tape: Callable[[Any], tuple[Cells, Heads]]

    @property
    def first(self) -> int:
        """The leftmost position of the tape; the rightmost one is `first + cells - 1`."""
        return -(self.cells // 2)

    def initial_state(self, words: Sequence[Word]) -> Any:
        """Return the state of the network in which each word is on a tape, with the head on its first symbol.

        Args:
            words: the inputs of the machine, one for each row of the batch.

        Raises:
            AutomatonError: a symbol is outside the alphabet, or a word is longer than the tape.
        """
        number = {symbol: place for place, symbol in enumerate(self.machine.alphabet)}
        tapes = torch.zeros(len(words), self.cells, dtype=torch.long)
        room = self.cells + self.first
        for row, word in enumerate(words):
            if len(word) > room:
                raise AutomatonError(
                    f"a word has {len(word)} symbols, but the tape has {room} cells from the first one on; compile the "
                    "machine with more cells"
                )
            tapes[row, : len(word)] = torch.tensor(numbers_of(word, number), dtype=torch.long)
        dtype = next(self.network.parameters()).dtype
        return self.loaded(torch.nn.functional.one_hot(tapes, len(number)).to(dtype))

    def run(self, words: Sequence[Word], *, steps: int) -> list[tuple[Configuration, ...]]:
        """Return what the network computes on each word: the configurations before and after each step of the machine.

        Args:
            words: the inputs of the machine.
            steps: largest number of steps; a row ends where the machine halts.

        Raises:
            ValueError: the number of steps is below 0.
            AutomatonError: a symbol is outside the alphabet, a word is longer than the tape, or a head leaves the tape.
        """
        checks.at_least(0, steps=steps)
        state = self.initial_state(words)
        states = [self.machine.start] * len(words)
        blank = torch.zeros(len(words), 1, 1, dtype=next(self.network.parameters()).dtype)
        rows: list[list[Configuration]] = [[] for _ in words]
        for _ in range(steps + 1):
            contents, heads = self.tape(state)
            for row, name, cells, head in zip(
                rows, states, contents.argmax(dim=-1).tolist(), heads.tolist(), strict=True
            ):
                if not (row and row[-1].halted):
                    row.append(self._configuration(name, cells, head, row))
            if all(row[-1].halted for row in rows):
                break
            with torch.no_grad():
                outputs, state = self.network(blank, state)
            states = [self.machine.states[place] for place in outputs[:, -1].argmax(dim=-1).tolist()]
        return [tuple(row) for row in rows]

    def _configuration(self, state: str, cells: list[int], head: int, before: list[Configuration]) -> Configuration:
        """Return the configuration of one row."""
        place = self._position(head)
        if before and abs(place - before[-1].head) > 1:
            raise AutomatonError(
                f"the head leaves the tape of {self.cells} cells after {len(before)} steps; compile the machine with more cells"
            )
        symbols = {self._position(cell): self.machine.alphabet[number] for cell, number in enumerate(cells)}
        tape = {where: symbols[where] for where in sorted(symbols) if symbols[where] != self.machine.blank}
        under = symbols[place]
        return Configuration(state=state, head=place, tape=tape, halted=(state, under) not in self.machine.transitions)

    def _position(self, cell: int) -> int:
        return cell if cell < self.cells + self.first else cell - self.cells
