"""Layout: the rules of a grammar as arrays, with the place of each terminal and child in a span."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from memtape.tasks.formal.grammar.rules import RuleSet

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Layout:
    """Rules as arrays, one row for each; a rule has up to two children, which are nonterminals, among terminals.

    Attributes:
        heads: number of nonterminals.
        rules_of: the rules of each nonterminal.
        weights: weight of each rule.
        symbols: terminals of each rule, padded with -1.
        terminal_count: number of terminals of each rule.
        after: how many terminals precede the first and the second child of each rule.
        children: nonterminals of each rule, padded with -1.
        inverted: whether the translation of the rule is in reverse order.
    """

    heads: int
    rules_of: tuple[tuple[int, ...], ...]
    weights: Array
    symbols: Array
    terminal_count: Array
    after: Array
    children: Array
    inverted: Array

    def offsets(self, rules: Array, slot: int, first: Array, second: Array) -> Array:
        """Return the place of a terminal in each span, given the lengths of the children."""
        return (
            slot + np.where(slot >= self.after[rules, 0], first, 0) + np.where(slot >= self.after[rules, 1], second, 0)
        )

    def child_offsets(self, rules: Array, child: int, first: Array) -> Array:
        """Return the place of the first symbol of a child in each span."""
        return self.after[rules, child] + (first if child else 0)

    def splits(self, rules: Sequence[int], weights: Array, length: int) -> list[tuple[int, int, Array]]:
        """Return rules, the shortest first child, and the weights of the lengths of the first child from there on.

        Args:
            rules: rules of one nonterminal.
            weights: summed weights of shorter strings, for each nonterminal and length.
            length: length of the span.
        """
        found = []
        for rule in rules:
            first, second = self.children[rule]
            inner = length - self.terminal_count[rule]
            if second >= 0 and inner >= 2:
                split = weights[first, 1:inner] * weights[second, inner - 1 : 0 : -1]
                found.append((rule, 1, self.weights[rule] * split))
            elif first >= 0 and second < 0 and inner >= 1:
                found.append((rule, int(inner), self.weights[rule] * weights[first, inner : inner + 1]))
            elif first < 0 and inner == 0:
                found.append((rule, 0, self.weights[rule : rule + 1]))
        return found


def laid_out(rules: RuleSet, scale: float) -> Layout:
    """Return the arrays of the rules, with a factor for each terminal."""
    heads = {head: number for number, head in enumerate(rules.rules)}
    terminals = {symbol: number for number, symbol in enumerate(rules.terminals)}
    every = [rule for each in rules.rules.values() for rule in each]
    most = max(sum(symbol in terminals for symbol in rule.body) for rule in every)
    symbols, children = np.full((len(every), most), -1), np.full((len(every), 2), -1)
    after = np.full((len(every), 2), most)
    for number, rule in enumerate(every):
        seen, child = 0, 0
        for symbol in rule.body:
            if symbol in heads:
                children[number, child], after[number, child] = heads[symbol], seen
                child += 1
            else:
                symbols[number, seen] = terminals[symbol]
                seen += 1
    count = (symbols >= 0).sum(1)
    ends = np.cumsum([0, *(len(each) for each in rules.rules.values())]).tolist()
    return Layout(
        heads=len(heads),
        rules_of=tuple(tuple(range(a, b)) for a, b in pairwise(ends)),
        weights=np.array([rule.weight for rule in every]) * scale**count,
        symbols=symbols,
        terminal_count=count,
        after=after,
        children=children,
        inverted=np.array([rule.inverted for rule in every]),
    )
