"""Boolean trees: random expressions of true, false, and, or, not as trees, with the value of each subexpression."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from memtape.core.inputs.trees import NONE, Trees
from memtape.tasks.language.labelled_trees import LabelledTrees

SYMBOLS = ("false", "true", "and", "or", "not")
FALSE, TRUE, AND, OR, NOT = range(5)

EXPRESSION, PHRASE, WORD = range(3)
"""Kinds of nodes: an expression, which has a value; an operator with its second operand; and a single symbol."""


def boolean_trees(batch_size: int, depths: tuple[int, int], generator: torch.Generator) -> LabelledTrees:
    """Draw Boolean expressions as binary trees.

    A constant is a leaf, a negation the pair `(not a)`, a conjunction `(a (and b))`, a disjunction `(a (or b))`; words are
    indices into `SYMBOLS`. The depth of an expression is its largest number of nested operators. It is drawn for each tree.
    Operators and constants are drawn uniformly. One random operand of each operator has the full remaining depth, the other one
    a random smaller or equal depth. The label of an expression is 1 if it is true, else 0; operators and pairs that start with
    `and` or `or` have no label.

    Args:
        batch_size: number of trees.
        depths: minimum and maximum depth, both included.
        generator: the random generator.

    Raises:
        ValueError: the range of depths is empty or negative.
    """
    least, most = depths
    if not 0 <= least <= most:
        raise ValueError(
            f"depths are {least}..{most}, but a range of depths needs 0 <= minimum <= maximum; give such a range"
        )
    levels = [_roots(batch_size, depths, generator)]
    while len(levels[-1].inner):
        levels.append(_grown(levels[-1], generator))
    return _tables(levels, batch_size)


@dataclass(frozen=True)
class _Level:
    """The nodes at one depth of all trees; consecutive pairs of nodes of the next level are the children of `inner`."""

    rows: Tensor
    """The tree of each node."""
    kinds: Tensor
    symbols: Tensor
    """The symbol of a word, or the operator of another node."""
    depths: Tensor
    """The depth of an expression, or of the operand of a phrase."""

    @cached_property
    def inner(self) -> Tensor:
        """The indices of the nodes that have children."""
        return (self.kinds != WORD).nonzero()[:, 0]


def _roots(batch_size: int, depths: tuple[int, int], generator: torch.Generator) -> _Level:
    drawn = torch.randint(depths[0], depths[1] + 1, (batch_size,), generator=generator)
    return _level(torch.arange(batch_size), torch.full((batch_size,), EXPRESSION), drawn * 0, drawn, generator)


def _level(rows: Tensor, kinds: Tensor, symbols: Tensor, depths: Tensor, generator: torch.Generator) -> _Level:
    """Draw the operators of expressions, and the constants of expressions of depth 0."""
    constants = torch.randint(FALSE, TRUE + 1, rows.shape, generator=generator)
    operators = torch.randint(AND, NOT + 1, rows.shape, generator=generator)
    is_expression = kinds == EXPRESSION
    is_constant = is_expression & (depths == 0)
    symbols = torch.where(is_expression, torch.where(is_constant, constants, operators), symbols)
    return _Level(rows, torch.where(is_constant, WORD, kinds), symbols, depths)


def _grown(level: _Level, generator: torch.Generator) -> _Level:
    """Return the next level: two children for each node that is not a word."""
    kinds, symbols, depths = (values[level.inner] for values in (level.kinds, level.symbols, level.depths))
    left = depths - 1
    right = (torch.rand(depths.shape, dtype=torch.float32, generator=generator) * depths).long()
    swapped = torch.rand(depths.shape, dtype=torch.float32, generator=generator) < 1 / 2
    left, right = torch.where(swapped, right, left), torch.where(swapped, left, right)
    is_binary = (kinds == EXPRESSION) & (symbols != NOT)
    operand = torch.where(kinds == PHRASE, depths, depths - 1)
    return _level(
        rows=level.rows[level.inner].repeat_interleave(2),
        kinds=_pairs(torch.where(is_binary, EXPRESSION, WORD), torch.where(is_binary, PHRASE, EXPRESSION)),
        symbols=symbols.repeat_interleave(2),
        depths=_pairs(left, torch.where(is_binary, right, operand)),
        generator=generator,
    )


def _tables(levels: list[_Level], batch_size: int) -> LabelledTrees:
    """Number the nodes in postorder, evaluate the expressions, and write both into tables."""
    sizes, values = _evaluated(levels)
    lengths = sizes[0]
    shape = (batch_size, int(lengths.max()) if batch_size else 0)
    words, labels = torch.full(shape, NONE), torch.full(shape, NONE)
    children = torch.full((*shape, 2), NONE)
    first = torch.zeros(batch_size, dtype=torch.long)
    for number, level in enumerate(levels):
        places = first + sizes[number] - 1
        is_word = level.kinds == WORD
        words[level.rows, places] = torch.where(is_word, level.symbols, NONE)
        has_value = (level.kinds == EXPRESSION) | (is_word & (level.symbols <= TRUE))
        labels[level.rows, places] = torch.where(has_value, values[number], NONE)
        if len(level.inner):
            left, right = sizes[number + 1].view(-1, 2).unbind(1)
            begin = first[level.inner]
            children[level.rows[level.inner], places[level.inner]] = torch.stack(
                [begin + left - 1, begin + left + right - 1], dim=1
            )
            first = _pairs(begin, begin + left)
    return LabelledTrees(trees=Trees(words=words, children=children), labels=labels, lengths=lengths)


def _evaluated(levels: list[_Level]) -> tuple[list[Tensor], list[Tensor]]:
    """Return the size of the subtree of each node, and its value; the value of a phrase is that of its operand."""
    sizes: list[Tensor] = []
    values: list[Tensor] = []
    for level in reversed(levels):
        size, value = torch.ones_like(level.rows), level.symbols.clone()
        if len(level.inner):
            size[level.inner] += sizes[-1].view(-1, 2).sum(1)
            left, right = values[-1].view(-1, 2).unbind(1)
            operator, is_phrase = level.symbols[level.inner], level.kinds[level.inner] == PHRASE
            result = torch.where(operator == AND, left & right, torch.where(operator == OR, left | right, 1 - right))
            value[level.inner] = torch.where(is_phrase, right, result)
        sizes.append(size)
        values.append(value)
    return sizes[::-1], values[::-1]


def _pairs(left: Tensor, right: Tensor) -> Tensor:
    return torch.stack([left, right], dim=1).flatten()
