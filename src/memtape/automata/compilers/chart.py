"""Chart: context-free grammars as networks with a nondeterministic stack."""

import math
from collections.abc import Iterator
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from memtape.automata.compilers.certificate import INTEGERS, Certificate, parameters_of, set_parameter
from memtape.automata.compilers.chart_parser import ChartParser
from memtape.automata.compilers.units import LARGE
from memtape.automata.definitions.grammar import Grammar, Rule
from memtape.models.stack.nsrnn import NSRNN

BOTTOM = 0
"""The bottom symbol of the stack."""


def nsrnn_of(machine: Grammar) -> ChartParser:
    r"""Compile a context-free grammar into a network with a nondeterministic stack, one step for each symbol.

    A run of the stack is a leftmost derivation. The state is the nonterminal that is replaced next, and the stack has those
    after it, the next one $Z$ on top:

    $$A \to a B C: \text{push } C \text{ and go to } B, \qquad A \to a B: \text{go to } B, \qquad
    A \to a: \text{pop } Z \text{ and go to } Z$$

    If there is no $Z$, the last rule goes to the state "done". The hidden vector is the symbol $a$, and the weights of the
    operations are those of its rules, so that $\alpha_t[\text{done}, \text{bottom}]$ is the weight of the first $t$ symbols.

    Args:
        machine: the grammar.

    Raises:
        AutomatonError: the grammar has no normal form.

    References:
        DuSell & Chiang (2023), "The surprising computational power of nondeterministic stack RNNs", arXiv:2210.01343, for the
        network; the weights are memtape's.
    """
    grammar = machine.normalised()
    symbols, done = len(machine.alphabet), len(grammar.nonterminals)
    stored = tuple(dict.fromkeys(rule.right[2] for rule in grammar.rules if len(rule.right) > 2))
    network = NSRNN(
        symbols,
        1,
        states=done + 1,
        stack_symbols=len(stored) + 1,
        controller="feedforward",
        controller_size=symbols,
        activation="relu",
        reads_to_output=True,
    )
    network.double().eval()  # the logarithms of the weights are rounded to the dtype of the parameters
    network_cell: Any = network.cell
    cell = network_cell.machine
    set_parameter(cell.controller.layer.weight, torch.eye(symbols, cell.controller.input_size))
    parameters = cell.interface.head_parameters.linear
    set_parameter(parameters.weight, _logits(grammar, machine.alphabet, stored))
    set_parameter(parameters.bias, torch.zeros_like(parameters.bias))
    share = torch.zeros(done + 1, len(stored) + 1)
    share[done, BOTTOM] = 1
    set_parameter(cell.to_output.weight, torch.cat([torch.zeros(symbols), share.flatten()])[None])
    certificate = Certificate(
        construction="A nondeterministic stack, whose runs are the leftmost derivations of the grammar.",
        units=symbols,
        parameters=parameters_of(network),
        margin=1.0,
        exact_in=INTEGERS if all(rule.weight == 1 for rule in grammar.rules) else {},
    )
    return ChartParser(network=network, alphabet=machine.alphabet, accepts_empty=False, certificate=certificate)


def _logits(
    grammar: Grammar, alphabet: tuple[str, ...], stored: tuple[str, ...]
) -> Float[Tensor, "operations symbols"]:
    """Return the logarithms of the weights of all operations for each symbol that is read."""
    done = len(grammar.nonterminals)
    size = (done + 1, len(stored) + 1)
    none = torch.full((*size, *size, len(alphabet)), -LARGE, dtype=torch.float64)
    logits = {"push": none, "replace": none.clone(), "pop": none[..., 0, :].clone()}
    # The bottom is never popped: the weight of this operation is free, and the largest one if all others are below 1.
    logits["pop"][done, BOTTOM, done] = 0
    for rule in grammar.rules:
        for name, place in _operations(rule, grammar.nonterminals, stored):
            logits[name][(*place, alphabet.index(rule.right[0]))] = math.log(rule.weight) if rule.weight else -LARGE
    return torch.cat([part.flatten(0, -2) for part in logits.values()])


def _operations(rule: Rule, states: tuple[str, ...], stored: tuple[str, ...]) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Return the operations of a rule: their kind, state and top symbol before, state and, unless popped, symbol after."""
    source, tail = states.index(rule.left), [states.index(name) for name in rule.right[1:]]
    if not tail:
        yield "replace", (source, BOTTOM, len(states), BOTTOM)
    for top in range(len(stored) + 1):
        if len(tail) == 2:
            yield "push", (source, top, tail[0], stored.index(rule.right[2]) + 1)
        elif tail:
            yield "replace", (source, top, tail[0], top)
        elif top != BOTTOM:
            yield "pop", (source, top, states.index(stored[top - 1]))
