"""Inside: the summed weight of all derivations of a string."""

from typing import Any

import numpy as np
import numpy.typing as npt

from memtape.tasks.formal.grammar.layout import Layout

Array = npt.NDArray[Any]


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
    same = np.stack([strings == symbol for symbol in range(int(layout.symbols.max()) + 1)])
    by_begin = np.zeros((layout.heads, rows, longest + 1, longest + 1))
    by_end = np.zeros_like(by_begin)
    for length in range(1, longest + 1):
        count = longest - length + 1
        for head, rules in enumerate(layout.rules_of):
            total = np.zeros((rows, count))
            for rule in rules:
                total += _span(layout, rule, length, count, (same, by_begin, by_end))
            by_begin[head, :, :count, length] = total
            by_end[head, :, length:, length] = total
    return by_begin[0, np.arange(rows), 0, lengths]


def _span(layout: Layout, rule: int, length: int, count: int, chart: tuple[Array, Array, Array]) -> Array | float:
    """Return the weights of one rule for the spans of one length, which start at the places 0 to `count` - 1."""
    same, by_begin, by_end = chart
    inner = length - int(layout.terminal_count[rule])
    first, second = layout.children[rule].tolist()
    if inner < (first >= 0) + (second >= 0) or (first < 0 and inner):
        return 0.0
    symbols = layout.symbols[rule, : layout.terminal_count[rule]].tolist()
    before, between = layout.after[rule].tolist()
    fixed = np.full((same.shape[1], count), float(layout.weights[rule]))
    for slot, symbol in enumerate(symbols):
        place = slot + (inner if slot >= (before if second < 0 else between) else 0)
        if not before <= slot < between or second < 0:
            fixed *= same[symbol][:, place : place + count]
    if first < 0:
        return fixed
    if second < 0:
        return fixed * by_begin[first, :, before : before + count, inner]
    if not fixed.any():
        return 0.0
    left = by_begin[first, :, before : before + count, 1:inner]
    right = by_end[second, :, between + inner : between + inner + count, inner - 1 : 0 : -1]
    starts = np.arange(count)[:, None] + np.arange(1, inner)
    for slot, symbol in enumerate(symbols[before:between], before):
        left = left * same[symbol][:, starts + slot]
    return fixed * np.einsum("bik,bik->bi", left, right)
