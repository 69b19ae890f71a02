"""Pushdown: the pushdown automaton that a trained network with one stack has learned."""

import copy
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from memtape.automata.compilers.acceptor import batch_of
from memtape.automata.definitions.errors import AutomatonError
from memtape.automata.definitions.pda import PDA, StackMove
from memtape.automata.definitions.words import Word
from memtape.automata.extraction.clusters import clusters_of
from memtape.automata.extraction.oracle import fitting_alphabet, positive
from memtape.automata.extraction.state_merging import merged
from memtape.core import checks
from memtape.core.backends import use_backend
from memtape.core.evaluation_mode import evaluation_mode
from memtape.memory.superposition_stack import ACTIONS, SuperpositionStackControl
from memtape.models.stack.stackrnn import StackRNN

PUSH, POP, KEEP = range(len(ACTIONS))

Read = tuple[int, int | None]
"""What an automaton reads: the number of a symbol, and that of the top of the stack."""

Move = tuple[int, int | None]
"""An action, and the number of the pushed symbol."""

Answer = Callable[[Float[Tensor, "*shape output"]], Bool[Tensor, "*shape"]]
"""Whether a network accepts, from its output."""


@dataclass(frozen=True, kw_only=True)
class PDAExtraction:
    """A pushdown automaton extracted from a network with a stack.

    Attributes:
        pda: the automaton.
        states: number of clusters of hidden vectors before states were merged.
        complete: whether the automaton answers as the network for each word on which it was observed.
        agreement: the fraction of the words that were held out on which automaton and network agree.
        held_out: number of these words.
    """

    pda: PDA
    states: int
    complete: bool
    agreement: float
    held_out: int


@dataclass(frozen=True)
class _Observed:
    """What a network with rounded actions does at each step of some words, one word after another."""

    lengths: list[int]
    symbols: list[int]
    actions: list[int]
    answers: list[bool]
    hidden: Float[Tensor, "steps hidden"]
    pushed: Float[Tensor, "steps width"]


def extract_pda(
    network: StackRNN,
    alphabet: Sequence[str],
    words: Sequence[Word],
    *,
    accepts: Answer = positive,
    most_states: int = 64,
    most_symbols: int = 8,
    seed: int = 0,
) -> PDAExtraction:
    """Extract a deterministic pushdown automaton from a network with one superposition stack.

    The network is observed on words, with the most probable action in place of probabilities. States are clusters of its
    hidden vectors, stack symbols clusters of the pushed values, and a transition is the most frequent one for a state, a
    symbol and the top of the stack. The numbers of clusters grow until the automaton answers as the network on all words.
    Then states are merged unless an observed transition or answer contradicts it.

    Args:
        network: the network, which reads symbols by their numbers.
        alphabet: the symbols, in the order of their numbers.
        words: the words on which the network is observed, of which one in four is held out for the comparison in the result.
            Give words like those of training: a network may do anything on others.
        accepts: whether the network accepts a word, from its output after the last symbol; by default if the output is a
            positive number or, of two classes, the second one.
        most_states: largest number of clusters of hidden vectors.
        most_symbols: largest number of stack symbols.
        seed: seed of the clusters and of the words that are held out.

    Raises:
        TypeError: a number is not an integer.
        ValueError: a number is below 1.
        AutomatonError: the network has several stacks, the alphabet does not fit it, or there are fewer than four words that
            are not empty.

    Example:
        >>> from itertools import product
        >>> from memtape.automata import compile, extract_pda, parse
        >>> pda = parse('''pda
        ... alphabet: a b
        ... stack: x
        ... start: up
        ... accept: up down
        ... up a empty -> up push x
        ... up a x -> up push x
        ... up b x -> down pop
        ... down b x -> down pop
        ... ''')
        >>> words = [word for length in range(1, 9) for word in product("ab", repeat=length)]
        >>> found = extract_pda(compile(pda).network, "ab", words)
        >>> found.agreement, found.pda.accepts("a" * 50 + "b" * 50)
        (1.0, True)

    References:
        Das, Giles & Sun (1992), "Learning context-free grammars: capabilities and limitations of a recurrent neural network
        with an external stack memory", Proceedings of the 14th Annual Conference of the Cognitive Science Society, for
        clusters of the states of a network with a stack.
    """
    checks.at_least(1, most_states=most_states, most_symbols=most_symbols)
    named = _checked(network, alphabet)
    given = sorted({tuple(word) for word in words if len(word)})
    if len(given) < 4:
        raise AutomatonError(
            f"{len(given)} words are not empty, but some are observed and some held out; give four or more"
        )
    random.Random(seed).shuffle(given)
    held_out, sample = given[: len(given) // 4], given[len(given) // 4 :]
    observed, expected = _observe(network, named, sample, accepts), _answers(network, named, sample, accepts)
    best: tuple[float, int, PDA] | None = None
    for symbols, states, empty_stack in _choices(observed, most_states, most_symbols, seed):
        pda = _machine(observed, states.tolist(), symbols, named, empty_stack=empty_stack)
        agreement = _agreement(pda, sample, expected)
        if best is None or agreement > best[0]:
            best = agreement, len(states.unique()), pda
        if agreement == 1:
            break
    assert best is not None
    return PDAExtraction(
        pda=best[2],
        states=best[1],
        complete=best[0] == 1,
        agreement=_agreement(best[2], held_out, _answers(network, named, held_out, accepts)),
        held_out=len(held_out),
    )


def _checked(network: StackRNN, alphabet: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the symbols, after the checks of the network and the alphabet."""
    if not isinstance(network, StackRNN):
        raise AutomatonError(
            f"the network is a {type(network).__name__}, but a pushdown automaton is extracted from a StackRNN; give one"
        )
    cell: Any = network.cell
    stacks = cell.machine.memory.stacks
    if stacks != 1:
        raise AutomatonError(
            f"the network has {stacks} stacks, but a pushdown automaton has one; give a network with stacks=1"
        )
    return fitting_alphabet(network, alphabet)


def _answers(network: StackRNN, alphabet: Sequence[str], words: Sequence[Word], accepts: Answer) -> list[bool]:
    """Return whether the network, with its probabilities, accepts each word."""
    symbols, lengths = batch_of(words, alphabet)
    with torch.no_grad(), evaluation_mode(network):
        outputs, _ = network(symbols, lengths=lengths)
    return accepts(outputs[torch.arange(len(words)), lengths - 1]).tolist()


def _observe(network: StackRNN, alphabet: Sequence[str], words: Sequence[Word], accepts: Answer) -> _Observed:
    """Return what the network does with rounded actions."""
    network = copy.deepcopy(network).eval()
    network_cell: Any = network.cell
    cell = network_cell.machine
    cell.memory.round_actions = True
    seen: list[tuple[Tensor, SuperpositionStackControl]] = []
    cell.controller.register_forward_hook(
        lambda module, given, result: seen.append((result[0], cell.interface(result[0])))
    )
    symbols, lengths = batch_of(words, alphabet)
    with torch.no_grad(), use_backend("reference"):
        outputs, _ = network(symbols)
    inside = torch.arange(symbols.shape[1]) < lengths[:, None]
    controls = [control for _, control in seen]
    return _Observed(
        lengths=lengths.tolist(),
        symbols=symbols[inside].tolist(),
        actions=torch.stack([control.actions[:, 0].argmax(-1) for control in controls], dim=1)[inside].tolist(),
        answers=accepts(outputs)[inside].tolist(),
        hidden=torch.stack([hidden for hidden, _ in seen], dim=1)[inside],
        pushed=torch.stack([control.pushed[:, 0] for control in controls], dim=1)[inside],
    )


def _choices(
    observed: _Observed, most_states: int, most_symbols: int, seed: int
) -> Iterator[tuple[list[int], Tensor, bool]]:
    """Yield the stack symbol that each step pushes, the state after each step, and whether accepted words empty the stack."""
    pushing = torch.tensor(observed.actions) == PUSH
    states = list(clusters_of(observed.hidden, most_states, seed=seed))
    for found in clusters_of(observed.pushed[pushing], most_symbols, seed=seed):
        symbols = torch.zeros(len(pushing), dtype=torch.long)
        symbols[pushing] = found
        for labels in states:
            for empty_stack in (True, False):
                yield symbols.tolist(), labels, empty_stack


def _machine(
    observed: _Observed, states: Sequence[int], pushed: Sequence[int], alphabet: Sequence[str], *, empty_stack: bool
) -> PDA:
    """Return the automaton of the most frequent transitions and answers, with merged states; state 0 is the start."""
    moves: dict[int, dict[Read, Counter[tuple[int, Move]]]] = defaultdict(lambda: defaultdict(Counter))
    votes: dict[int, Counter[bool]] = defaultdict(Counter)
    step = 0
    for length in observed.lengths:
        state, stack = 0, list[int]()
        for _ in range(length):
            action = observed.actions[step]
            if action == POP and not stack:
                action = KEEP
            read = observed.symbols[step], stack[-1] if stack else None
            if action == PUSH:
                stack.append(pushed[step])
            elif action == POP:
                stack.pop()
            after = states[step] + 1
            moves[state][read][after, (action, pushed[step] if action == PUSH else None)] += 1
            if not (empty_stack and stack):
                votes[after][observed.answers[step]] += 1
            state = after
            step += 1
    count = max(states) + 2
    steps = [{read: found.most_common(1)[0][0] for read, found in moves[state].items()} for state in range(count)]
    answers = [votes[state].most_common(1)[0][0] if votes[state] else None for state in range(count)]
    classes = merged(steps, answers)
    transitions = {}
    for state, known in enumerate(steps):
        for (symbol, top), (after, (action, symbol_pushed)) in known.items():
            move = StackMove(
                state=f"q{classes[after]}",
                push=None if symbol_pushed is None else f"Z{symbol_pushed}",
                pop=action == POP,
            )
            transitions[f"q{classes[state]}", alphabet[symbol], None if top is None else f"Z{top}"] = move
    return PDA(
        alphabet=alphabet,
        stack_alphabet=[f"Z{number}" for number in range(max(pushed) + 1)],
        transitions=transitions,
        start="q0",
        accepting={f"q{classes[state]}" for state, answer in enumerate(answers) if answer},
        empty_stack=empty_stack,
    )


def _agreement(pda: PDA, words: Sequence[Word], expected: Sequence[bool]) -> float:
    """Return the fraction of the words that the automaton answers as expected."""
    return sum(pda.accepts(word) == answer for word, answer in zip(words, expected, strict=True)) / len(words)
