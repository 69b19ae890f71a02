"""Rules: a weighted context-free grammar without empty and unary rules, from any rules."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

NULL_ITERATIONS = 200
"""Number of iterations for the weights of the empty string; each rule set here converges within 100."""

Body = tuple[str, ...]


@dataclass(frozen=True)
class Rule:
    """A rule A -> body with at most two nonterminals, at least one terminal or both of them.

    Attributes:
        weight: weight of the rule.
        body: terminals and nonterminals.
        inverted: whether the translation of the body is in reverse order.
    """

    weight: float
    body: Body
    inverted: bool = False


@dataclass(frozen=True)
class RuleSet:
    """The rules of each nonterminal, the first of which is the start symbol, and the terminals in order."""

    rules: Mapping[str, tuple[Rule, ...]]
    terminals: tuple[str, ...]

    @property
    def start(self) -> str:
        """The start symbol."""
        return next(iter(self.rules))


def rule_set(
    rules: Mapping[str, Sequence[tuple[str, float]]],
    terminals: Sequence[str],
    inverted: Sequence[str] = (),
) -> RuleSet:
    """Return rules in the form that sampling and inside weights need; the weight of each nonempty string is unchanged.

    Empty bodies are removed by adding each body without the nonterminals that can be empty, times the weight of their empty
    strings. Bodies of one nonterminal are removed by adding its bodies: with the matrix U of the weights of these rules, by
    $(1 - U)^{-1}$. Bodies with more than two nonterminals are split.

    Args:
        rules: for each nonterminal its bodies, symbols with spaces between them, and their weights; the first is the start.
        terminals: the terminals.
        inverted: bodies whose translation is in reverse order.

    Raises:
        ValueError: a symbol is neither a terminal nor a nonterminal.
    """
    unknown = {s for bodies in rules.values() for body, _ in bodies for s in body.split()} - {*rules, *terminals}
    if unknown:
        raise ValueError(
            f"the rules use {sorted(unknown)[0]!r}, which is neither a terminal nor has rules; add one of them"
        )
    marked = {tuple(body.split()) for body in inverted}
    weights = {head: [(tuple(body.split()), weight) for body, weight in bodies] for head, bodies in rules.items()}
    weights = _without_unary(_without_empty(weights))
    found: dict[str, list[Rule]] = {head: [] for head in weights}
    for head, bodies in weights.items():
        for body, weight in bodies:
            _add(found, head, Rule(weight, body, body in marked), set(rules))
    return RuleSet({head: tuple(each) for head, each in found.items()}, tuple(terminals))


Weighted = dict[str, list[tuple[Body, float]]]


def _without_empty(rules: Weighted) -> Weighted:
    empty = dict.fromkeys(rules, 0.0)
    for _ in range(NULL_ITERATIONS):
        empty = {
            head: sum(w * float(np.prod([empty.get(s, 0.0) for s in body])) for body, w in bodies)
            for head, bodies in rules.items()
        }
    result: Weighted = {}
    for head, bodies in rules.items():
        merged: dict[Body, float] = defaultdict(float)
        for body, weight in bodies:
            places = [place for place, symbol in enumerate(body) if empty.get(symbol, 0.0) > 0]
            for kept in product((True, False), repeat=len(places)):
                dropped = {place for place, keep in zip(places, kept, strict=True) if not keep}
                shorter = tuple(symbol for place, symbol in enumerate(body) if place not in dropped)
                merged[shorter] += weight * float(np.prod([empty[body[place]] for place in dropped]))
        result[head] = [(body, weight) for body, weight in merged.items() if body]
    return result


def _without_unary(rules: Weighted) -> Weighted:
    heads = list(rules)
    unary = np.zeros((len(heads), len(heads)))
    for head, bodies in rules.items():
        for body, weight in bodies:
            if len(body) == 1 and body[0] in rules:
                unary[heads.index(head), heads.index(body[0])] += weight
    closure = np.linalg.inv(np.eye(len(heads)) - unary)
    result: Weighted = {}
    for row, head in zip(closure, heads, strict=True):
        merged: dict[Body, float] = defaultdict(float)
        for factor, other in zip(row.tolist(), heads, strict=True):
            for body, weight in rules[other] if factor else []:
                if len(body) > 1 or body[0] not in rules:
                    merged[body] += factor * weight
        result[head] = list(merged.items())
    return result


def _add(found: dict[str, list[Rule]], head: str, rule: Rule, nonterminals: set[str]) -> None:
    """Add a rule; the part from its second nonterminal on becomes a nonterminal of its own if there are three."""
    places = [place for place, symbol in enumerate(rule.body) if symbol in nonterminals]
    if len(places) <= 2:
        found[head].append(rule)
        return
    rest = rule.body[places[1] :]
    name = " ".join(rest)
    found[head].append(Rule(rule.weight, (*rule.body[: places[1]], name)))
    if name not in found:
        found[name] = []
        _add(found, name, Rule(1.0, rest), nonterminals)
