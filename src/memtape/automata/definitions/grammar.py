"""Grammar: context-free grammars, with weights and the normal form in which each rule reads one symbol."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from memtape.automata.definitions.errors import AutomatonError
from memtape.automata.definitions.words import Word, alphabet_of, numbers_of

MOST_NONTERMINALS = 2
"""Most nonterminals of a rule in normal form, after its terminal."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A rule of a grammar.

    Attributes:
        left: the nonterminal that is replaced.
        right: the symbols that replace it.
        weight: the weight of the rule: 1 to count derivations, a probability in a probabilistic grammar.
    """

    left: str
    right: tuple[str, ...]
    weight: float = 1.0

    def __str__(self) -> str:
        return f"{self.left} -> {' '.join(self.right)}"


@dataclass(frozen=True, kw_only=True)
class Grammar:
    r"""A context-free grammar whose rules have weights; its nonterminals are the left sides of the rules.

    The weight of a word is the sum over its leftmost derivations of the product of the weights of their rules. With weights
    of 1 it is the number of parse trees, with probabilities it is the probability of the word.

    Attributes:
        rules: the rules; the left side of the first one is the start symbol.

    Raises:
        AutomatonError: there is no rule, a right side is empty, a symbol is empty or has spaces, a weight is negative, or a
            rule is given twice.

    Example:
        >>> catalan = Grammar(rules=[Rule(left="S", right=("a", "S", "S")), Rule(left="S", right=("a",))])
        >>> [int(catalan.weight("a" * n)) for n in (1, 3, 5, 7, 9)]
        [1, 1, 2, 5, 14]

    References:
        Hopcroft, Motwani & Ullman (2007), "Introduction to automata theory, languages, and computation", chapter 5; the
        normal form: Greibach (1965), "A new normal-form theorem for context-free phrase structure grammars", Journal of the
        ACM 12, doi:10.1145/321250.321254.
    """

    rules: Sequence[Rule]

    def __post_init__(self) -> None:
        """Check the grammar."""
        object.__setattr__(self, "rules", tuple(self.rules))
        if not self.rules:
            raise AutomatonError(
                "the grammar has no rules, but its start is the left side of the first one; give one or more"
            )
        for number, rule in enumerate(self.rules):
            if not rule.right:
                raise AutomatonError(
                    f"the right side of rule {number + 1}, {rule}, is empty, but every rule reads at least one symbol; remove "
                    "the rule, and the empty word from the language"
                )
            if rule.weight < 0:
                raise AutomatonError(
                    f"the weight of rule {number + 1}, {rule}, is {rule.weight}, but weights are not negative; correct it"
                )
            if any(one.left == rule.left and one.right == rule.right for one in self.rules[:number]):
                raise AutomatonError(f"the rule {rule} is given twice; leave one out")
        alphabet_of("nonterminals", self.nonterminals)
        alphabet_of("alphabet", self.alphabet)

    @property
    def start(self) -> str:
        """The start symbol."""
        return self.rules[0].left

    @cached_property
    def nonterminals(self) -> tuple[str, ...]:
        """The nonterminals, the start first."""
        return tuple(dict.fromkeys(rule.left for rule in self.rules))

    @cached_property
    def alphabet(self) -> tuple[str, ...]:
        """The terminals, in order of appearance."""
        used = dict.fromkeys(symbol for rule in self.rules for symbol in rule.right)
        return tuple(symbol for symbol in used if symbol not in self.nonterminals)

    def in_normal_form(self) -> bool:
        """Return whether every right side is a terminal and at most two nonterminals (2-Greibach normal form)."""
        return all(self._fault(rule) is None for rule in self.rules)

    def normalised(self) -> "Grammar":
        """Return the grammar in 2-Greibach normal form, if only terminals inside of right sides prevent it.

        Each terminal after the first symbol is replaced by a new nonterminal with a rule of weight 1, so the weight of every
        word stays the same.

        Raises:
            AutomatonError: another change is needed; the message names the rule.
        """
        rules, new = [], {}
        for rule in self.rules:
            tail = []
            for symbol in rule.right[1:]:
                if symbol in self.nonterminals:
                    tail.append(symbol)
                else:
                    name = f"<{symbol}>"
                    new[name] = Rule(left=name, right=(symbol,))
                    tail.append(name)
            rules.append(Rule(left=rule.left, right=(rule.right[0], *tail), weight=rule.weight))
        grammar = Grammar(rules=[*rules, *new.values()])
        for rule, new_rule in zip(self.rules, grammar.rules, strict=False):
            fault = grammar._fault(new_rule)
            if fault is not None:
                raise AutomatonError(
                    f"the rule {rule} {fault}, but the normal form has a terminal and at most two nonterminals (A -> a, "
                    "A -> a B, A -> a B C); rewrite the rule with further nonterminals"
                )
        return grammar

    def weight(self, word: Word) -> float:
        """Return the sum of the weights of all derivations of a word, by dynamic programming over its parts.

        Raises:
            AutomatonError: a symbol is outside the alphabet, or the grammar has no normal form.
        """
        numbers_of(word, {symbol: number for number, symbol in enumerate(self.alphabet)})
        rules = defaultdict(list)
        for rule in self.normalised().rules:
            rules[rule.right[0]].append(rule)
        length = len(word)
        inside: list[list[dict[str, float]]] = [[{} for _ in range(length + 1)] for _ in range(length + 1)]
        for first in range(length - 1, -1, -1):
            for last in range(first + 1, length + 1):
                total: dict[str, float] = defaultdict(float)
                for rule in rules[word[first]]:
                    total[rule.left] += rule.weight * _tail_weight(rule.right[1:], first + 1, last, inside)
                inside[first][last] = {left: value for left, value in total.items() if value}
        return inside[0][length].get(self.start, 0.0)

    def accepts(self, word: Word) -> bool:
        """Return whether a word has a derivation with a positive weight.

        Raises:
            AutomatonError: a symbol is outside the alphabet, or the grammar has no normal form.
        """
        return self.weight(word) > 0

    def _fault(self, rule: Rule) -> str | None:
        """Return why a rule is not in normal form, None if it is."""
        if rule.right[0] in self.nonterminals:
            return f"starts with the nonterminal {rule.right[0]}"
        if len(rule.right) > 1 + MOST_NONTERMINALS:
            return f"has {len(rule.right) - 1} symbols after the first"
        inner = [symbol for symbol in rule.right[1:] if symbol not in self.nonterminals]
        return f"has the terminal {inner[0]} after the first symbol" if inner else None


def _tail_weight(tail: tuple[str, ...], first: int, last: int, inside: list[list[dict[str, float]]]) -> float:
    """Return the weight with which at most two nonterminals derive a part of the word."""
    if not tail:
        return float(first == last)
    if len(tail) == 1:
        return inside[first][last].get(tail[0], 0.0)
    left, right = tail
    splits = range(first + 1, last)
    return sum((inside[first][split].get(left, 0.0) * inside[split][last].get(right, 0.0) for split in splits), 0.0)
