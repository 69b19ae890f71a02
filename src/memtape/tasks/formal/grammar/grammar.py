"""Grammar: sample strings of a given length from a weighted context-free grammar, and weigh strings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Int
from torch import Tensor

from memtape.tasks.formal.grammar.inside import inside_weights
from memtape.tasks.formal.grammar.layout import Layout, laid_out
from memtape.tasks.formal.grammar.rules import RuleSet, rule_set

Array = npt.NDArray[Any]

SHORTEST = 16
"""Length of the smallest table of choices."""

KEPT = 64
"""Number of batches whose probabilities are kept: each validation has the same strings."""

PROBE = 48
"""Longest length at which the growth of the weights is measured."""


class Grammar:
    r"""A weighted context-free grammar, which gives each string a probability among the strings of its length n.

    $$p(w \mid n) = \frac{\mathrm{weight}(w)}{\sum_{|v| = n} \mathrm{weight}(v)}$$

    The weight of a string is the sum over its derivations of the product of the weights of their rules. Weights need not be
    normalised: a factor for each terminal changes no such probability, and one is chosen so that no weight overflows.

    Args:
        rules: for each nonterminal its bodies, symbols with spaces between them, and their weights; the first is the start.
        terminals: the terminals; the symbols of strings are their indices.
        inverted: bodies whose translation is in reverse order, as in an inversion transduction grammar.
    """

    def __init__(
        self,
        rules: Mapping[str, Sequence[tuple[str, float]]],
        terminals: Sequence[str],
        inverted: Sequence[str] = (),
    ):
        self.rules: RuleSet = rule_set(rules, terminals, inverted)
        plain = laid_out(self.rules, 1.0)
        weights = _length_weights(plain, PROBE)[0]
        valid = np.flatnonzero(weights)
        first, last = valid[len(valid) // 2], valid[-1]
        growth = (weights[last] / weights[first]) ** (1 / max(last - first, 1))
        self.layout: Layout = laid_out(self.rules, 1 / growth)
        self._table = lru_cache(maxsize=None)(self._choices_to)
        self._log_probabilities = lru_cache(maxsize=KEPT)(self._weighed)

    def valid_lengths(self, longest: int) -> list[int]:
        """Return the lengths, at most `longest`, that some string has."""
        return np.flatnonzero(self._choices(longest).weights[0, : longest + 1] > 0).tolist()

    def sample(
        self, lengths: Int[Tensor, " rows"], generator: torch.Generator
    ) -> tuple[Int[Tensor, "rows time"], Int[Tensor, "rows time"]]:
        """Draw a string of each length, and return its symbols, padded with zeros, and the place of each in the translation.

        Args:
            lengths: lengths of the strings, each a valid one.
            generator: the random generator.
        """
        choices, layout = self._choices(int(lengths.max())), self.layout
        size = lengths.numpy()
        row, begin, translated = np.arange(len(size)), np.zeros_like(size), np.zeros_like(size)
        head = np.zeros_like(size)
        symbols, places = np.zeros((2, len(size), int(size.max())), dtype=np.int64)
        while len(row):
            luck = torch.rand(len(row), dtype=torch.float64, generator=generator).numpy()
            rule, first = choices.draw(head, size, luck)
            second = size - layout.terminal_count[rule] - first
            for slot in range(layout.symbols.shape[1]):
                chosen = np.flatnonzero(layout.symbols[rule, slot] >= 0)
                one = rule[chosen]
                offset = layout.offsets(one, slot, first[chosen], second[chosen])
                mirrored = np.where(layout.inverted[one], size[chosen] - 1 - offset, offset)
                symbols[row[chosen], begin[chosen] + offset] = layout.symbols[one, slot]
                places[row[chosen], begin[chosen] + offset] = translated[chosen] + mirrored
            parts = []
            for child, length in ((0, first), (1, second)):
                chosen = np.flatnonzero(layout.children[rule, child] >= 0)
                if len(chosen) or not child:
                    one, sizes = rule[chosen], length[chosen]
                    offset = layout.child_offsets(one, child, first[chosen])
                    mirrored = np.where(layout.inverted[one], size[chosen] - sizes - offset, offset)
                    heads = layout.children[one, child]
                    parts.append((row[chosen], begin[chosen] + offset, translated[chosen] + mirrored, heads, sizes))
            joined = parts[0] if len(parts) == 1 else map(np.concatenate, zip(*parts, strict=True))
            row, begin, translated, head, size = joined
        return torch.from_numpy(symbols), torch.from_numpy(places)

    def log_probabilities(self, strings: Int[Tensor, "rows time"], lengths: Int[Tensor, " rows"]) -> list[float]:
        r"""Return $\ln p(w \mid n)$ of each string; minus infinity for those that the grammar does not have.

        Args:
            strings: symbols, padded at the end.
            lengths: the length n of each string.
        """
        return list(self._log_probabilities(strings.numpy().tobytes(), strings.shape, tuple(lengths.tolist())))

    def _weighed(self, symbols: bytes, shape: tuple[int, int], lengths: tuple[int, ...]) -> list[float]:
        strings, size = np.frombuffer(symbols, dtype=np.int64).reshape(shape), np.array(lengths)
        weights = inside_weights(self.layout, strings, size)
        total = self._choices(int(size.max())).weights[0][size]
        with np.errstate(divide="ignore"):
            return (np.log(weights) - np.log(total)).tolist()

    def _choices(self, longest: int) -> "_Choices":
        """Return the choices for lengths up to at least `longest`: tables double in size, so that few are computed."""
        return self._table(max(1 << (longest - 1).bit_length(), SHORTEST))

    def _choices_to(self, longest: int) -> "_Choices":
        return _Choices.of(self.layout, longest)


def _length_weights(layout: Layout, longest: int) -> Array:
    """Return the summed weight of the strings of each length, 0 to `longest`, of each nonterminal."""
    weights = np.zeros((layout.heads, longest + 1))
    for length in range(1, longest + 1):
        for head, rules in enumerate(layout.rules_of):
            weights[head, length] = sum(split.sum() for _, _, split in layout.splits(rules, weights, length))
    return weights


@dataclass(frozen=True)
class _Choices:
    """For each nonterminal and length, all rules and lengths of the first child with their cumulative probabilities.

    The entries of all nonterminals and lengths are in one sorted array: an integer for the nonterminal and the length, plus the
    cumulative probability. So one search finds the choices of many spans.
    """

    weights: Array
    edges: Array
    rules: Array
    firsts: Array

    @classmethod
    def of(cls, layout: Layout, longest: int) -> "_Choices":
        """Return the choices for all lengths up to `longest`."""
        weights = _length_weights(layout, longest)
        edges, rules, firsts = [], [], []
        for head, own in enumerate(layout.rules_of):
            for length in range(longest + 1):
                if not weights[head, length]:
                    continue
                found = layout.splits(own, weights, length)
                cumulative = np.concatenate([split for _, _, split in found]).cumsum()
                cumulative /= cumulative[-1]
                edges.append(head * (longest + 1) + length + cumulative)
                rules.append(np.concatenate([np.full(len(split), rule) for rule, _, split in found]))
                firsts.append(np.concatenate([least + np.arange(len(split)) for _, least, split in found]))
        return cls(weights, *(np.concatenate(each) for each in (edges, rules, firsts)))

    def draw(self, heads: Array, lengths: Array, luck: Array) -> tuple[Array, Array]:
        """Return a rule and the length of the first child for each span."""
        state = heads * self.weights.shape[1] + lengths
        found = np.minimum(
            np.searchsorted(self.edges, state + luck, side="right"), np.searchsorted(self.edges, state + 1.0)
        )
        return self.rules[found], self.firsts[found]
