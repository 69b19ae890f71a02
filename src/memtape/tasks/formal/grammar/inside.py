"""Inside: the summed weight of all derivations of a string."""

from typing import Any

import numpy as np
import numpy.typing as npt

from memtape.tasks.formal.grammar.layout import Layout

Array = npt.NDArray[Any]

SPARSE = 1 / 8
"""Share of the spans with the terminals of a rule below which only these are computed; otherwise slices are faster."""


def inside_weights(layout: Layout, strings: Array, lengths: Array) -> Array:
    r"""Return the weight of each string: the sum over its derivations of the product of the weights of their rules.

    $$W_A(i, j) = \sum_{A \to u B v C w} \mathrm{weight} \sum_k W_B(i + |u|, k) \, W_C(k + |v|, j - |w|)$$

    over the rules whose terminals u, v, w are at these places; spans of one length are computed together, for all strings.

    Args:
        layout: the rules.
        strings: symbols, padded at the end.
        lengths: length of each string.
    """
    rows, longest = strings.shape
    chart = _Chart(layout, strings)
    for length in range(1, longest + 1):
        for head, rules in enumerate(layout.rules_of):
            total = np.zeros((rows, longest - length + 1))
            for rule in rules:
                total += chart.spans(rule, length)
            chart.keep(head, length, total)
    return chart.by_begin[0, np.arange(rows), 0, lengths]


class _Chart:
    """The weights of all spans of strings, by their first or by their last symbol, and by their length."""

    def __init__(self, layout: Layout, strings: Array):
        rows, longest = strings.shape
        self.layout, self.longest = layout, longest
        self.same = np.stack([strings == symbol for symbol in range(int(layout.symbols.max()) + 1)])
        self.by_begin = np.zeros((layout.heads, rows, longest + 1, longest + 1))
        self.by_end = np.zeros_like(self.by_begin)
        self.found = np.zeros((layout.heads, longest + 1), dtype=bool)

    def keep(self, head: int, length: int, total: Array) -> None:
        """Keep the weights of all spans of one length."""
        self.by_begin[head, :, : total.shape[1], length] = total
        self.by_end[head, :, length:, length] = total
        self.found[head, length] = total.any()

    def spans(self, rule: int, length: int) -> Array | float:
        """Return the weights of one rule for all spans of one length."""
        layout, count = self.layout, self.longest - length + 1
        inner = length - int(layout.terminal_count[rule])
        first, second = layout.children[rule].tolist()
        if inner < (first >= 0) + (second >= 0) or (first < 0 and inner):
            return 0.0
        symbols = layout.symbols[rule, : layout.terminal_count[rule]].tolist()
        before, between = layout.after[rule].tolist()
        fixed = np.full((self.same.shape[1], count), float(layout.weights[rule]))
        for slot, symbol in enumerate(symbols):
            place = slot + (inner if slot >= (before if second < 0 else between) else 0)
            if not before <= slot < between or second < 0:
                fixed *= self.same[symbol][:, place : place + count]
        if first < 0:
            return fixed
        if second < 0:
            return fixed * self.by_begin[first, :, before : before + count, inner]
        splits = 1 + np.flatnonzero(self.found[first, 1:inner] & self.found[second, inner - 1 : 0 : -1])
        if not len(splits):
            return 0.0
        rows, begins = fixed.nonzero()
        if between == before and len(rows) > SPARSE * fixed.size:
            low, high = int(splits[0]), int(splits[-1])
            left = self.by_begin[first, :, before : before + count, low : high + 1]
            ends = slice(between + inner, between + inner + count)
            right = self.by_end[second, :, ends, inner - high : inner - low + 1][..., ::-1]
            return fixed * np.einsum("bik,bik->bi", left, right)
        rows, begins = rows[:, None], begins[:, None]
        product = self.by_begin[first, rows, begins + before, splits]
        product *= self.by_end[second, rows, begins + between + inner, inner - splits]
        for slot in range(before, between):
            product *= self.same[symbols[slot]][rows, begins + splits + slot]
        fixed[rows[:, 0], begins[:, 0]] *= product.sum(1)
        return fixed
