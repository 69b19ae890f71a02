"""Compile: build the network that computes what a machine computes."""

import inspect
from collections.abc import Callable
from typing import Any, overload

from memtape.automata.compilers.acceptor import Acceptor
from memtape.automata.compilers.chart import nsrnn_of
from memtape.automata.compilers.chart_parser import ChartParser
from memtape.automata.compilers.counting import elman_of_counters
from memtape.automata.compilers.ntm import ntm_of
from memtape.automata.compilers.rational_stacks import StackProgram, elman_of_two_stacks
from memtape.automata.compilers.recurrent import elman_of, gru_of, lstm_of
from memtape.automata.compilers.stack import stackrnn_of
from memtape.automata.compilers.tape import taperrnn_of
from memtape.automata.compilers.tape_program import TapeProgram
from memtape.automata.definitions.counters import CounterMachine
from memtape.automata.definitions.dfa import DFA
from memtape.automata.definitions.errors import AutomatonError
from memtape.automata.definitions.grammar import Grammar
from memtape.automata.definitions.pda import PDA
from memtape.automata.definitions.text_format import Machine
from memtape.automata.definitions.turing import TuringMachine
from memtape.automata.definitions.two_stacks import TwoStackMachine

TARGETS: dict[type, dict[str, Callable[..., Any]]] = {
    DFA: {"elman": elman_of, "gru": gru_of, "lstm": lstm_of},
    PDA: {"stackrnn": stackrnn_of},
    Grammar: {"nsrnn": nsrnn_of},
    CounterMachine: {"elman": elman_of_counters},
    TwoStackMachine: {"elman": elman_of_two_stacks},
    TuringMachine: {"ntm": ntm_of, "taperrnn": taperrnn_of},
}
"""The constructions, by the class of the machine and the name of the network; the first one is the default."""


@overload
def compile(machine: DFA | PDA | CounterMachine, into: str | None = None, **options: Any) -> Acceptor: ...


@overload
def compile(machine: Grammar, into: str | None = None, **options: Any) -> ChartParser: ...


@overload
def compile(machine: TuringMachine, into: str | None = None, **options: Any) -> TapeProgram: ...


@overload
def compile(machine: TwoStackMachine, into: str | None = None, **options: Any) -> StackProgram: ...


def compile(machine: Machine, into: str | None = None, **options: Any) -> Any:
    """Compile a machine into a network that computes the same, and can be trained further.

    Nothing is trained: the weights follow from the transitions. The result holds the network, an ordinary network of memtape,
    and a certificate, which states in which dtypes and up to which size it is exact.

    Args:
        machine: the machine.
        into: name of the network, as on the command line; None for the first one that fits the machine.
        options: options of the construction: `activation` ("relu" or "tanh", for "elman"), `gain` (steepness of tanh units) and
            `outputs` ("accept" or "state") for a `DFA`; `cells`, the size of the tape, for a `TuringMachine`.

    Returns:
        An `Acceptor` for machines that read words, a `ChartParser` for a `Grammar`, a `TapeProgram` for a `TuringMachine`, a
        `StackProgram` for a `TwoStackMachine`.

    Raises:
        TypeError: an option has the wrong type.
        ValueError: an option has the wrong value.
        AutomatonError: the machine has no construction for this network, the construction does not have an option, or a
            grammar has no normal form.

    Example:
        >>> from memtape.automata import compile, tomita
        >>> even = compile(tomita(5), into="gru")
        >>> even.accepts(["0011", "01"])
        [True, False]
        >>> even.network.configuration["hidden_size"]
        9
    """
    kind = type(machine).__name__
    targets = TARGETS.get(type(machine))
    if targets is None:
        raise AutomatonError(f"the machine is a {kind}, which has no construction; give one of {_names(TARGETS)}")
    if into is None:
        into = next(iter(targets))
    if into not in targets:
        raise AutomatonError(
            f"into is {into!r}, but a {kind} compiles into {' or '.join(map(repr, targets))}; choose one of them"
        )
    known = list(inspect.signature(targets[into]).parameters)[1:]
    for name in options:
        if name not in known:
            raise AutomatonError(
                f"{name} was given, but a {kind} compiled into {into!r} has {_listed(known)}; leave it out"
            )
    return targets[into](machine, **options)


def _names(classes: Any) -> str:
    return ", ".join(one.__name__ for one in classes)


def _listed(options: list[str]) -> str:
    return f"the options {', '.join(options)}" if options else "no options"
