"""Boolean trees: expressions of true, false, and, or, not, with the truth value of each part."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from memtape.core.inputs.trees import NONE, Trees
from memtape.tasks.language.labelled_trees import LabelledTrees

SYMBOLS = ("false", "true", "and", "or", "not")
FALSE, TRUE, AND, OR, NOT = range(5)

EXPRESSION, PHRASE, WORD = range(3)
"""Kinds of nodes: what has a value, an operator with its second operand, and a single symbol."""


def boolean_trees(batch_size: int, depths: tuple[int, int], generator: torch.Generator) -> LabelledTrees:
    """Draw Boolean expressions as binary trees, with nothing but the generator.

    A constant is a leaf, a negation the pair `(not a)`, a conjunction `(a (and b))`, a disjunction `(a (or b))`; the words are
    the places in `SYMBOLS`. The depth of an expression is the number of operators that stand in one another at its deepest. It
    is drawn for each tree; operators and constants are drawn evenly, and of the operands of an operator one, either of them,
    goes all the way down, the other to any depth that is left. An expression is labelled 1 or 0 as it is true or false, and
    operators and the pairs that begin with `and` or `or` are not labelled.

    Args:
        batch_size: number of trees.
        depths: least and greatest depth, ends included.
        generator: where chance comes from.

    Raises:
        ValueError: no range of depths.
    """
    least, most = depths
    if not 0 <= least <= most:
        raise ValueError(
            f"depths are {least}..{most}, but expressions have 0 <= least <= most; give a range that is not empty"
        )
    levels = [_roots(batch_size, depths, generator)]
    while len(levels[-1].inner):
        levels.append(_grown(levels[-1], generator))
    return _tables(levels, batch_size)


@dataclass(frozen=True)
class _Level:
    """Nodes at one distance from their roots, over all trees; the pairs of the next level are the children of `inner`."""

    rows: Tensor
    """The tree of each node."""
    kinds: Tensor
    symbols: Tensor
    """The symbol of a word, the operator of other nodes."""
    depths: Tensor
    """The depth of an expression, or of the operand of a phrase."""

    @cached_property
    def inner(self) -> Tensor:
        """The nodes that have children."""
        return (self.kinds != WORD).nonzero()[:, 0]


def _roots(batch_size: int, depths: tuple[int, int], generator: torch.Generator) -> _Level:
    drawn = torch.randint(depths[0], depths[1] + 1, (batch_size,), generator=generator)
    return _level(torch.arange(batch_size), torch.full((batch_size,), EXPRESSION), drawn * 0, drawn, generator)


def _level(rows: Tensor, kinds: Tensor, symbols: Tensor, depths: Tensor, generator: torch.Generator) -> _Level:
    """Draw the operators of expressions, and the constants where they have none."""
    constants = torch.randint(FALSE, TRUE + 1, rows.shape, generator=generator)
    operators = torch.randint(AND, NOT + 1, rows.shape, generator=generator)
    is_expression = kinds == EXPRESSION
    is_constant = is_expression & (depths == 0)
    symbols = torch.where(is_expression, torch.where(is_constant, constants, operators), symbols)
    return _Level(rows, torch.where(is_constant, WORD, kinds), symbols, depths)


def _grown(level: _Level, generator: torch.Generator) -> _Level:
    """Return the children of a level, two for each of its nodes that are no words."""
    kinds, symbols, depths = (values[level.inner] for values in (level.kinds, level.symbols, level.depths))
    left = depths - 1
    right = (torch.rand(depths.shape, generator=generator) * depths).long()
    swapped = torch.rand(depths.shape, generator=generator) < 1 / 2
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
    """Return how many nodes are under each node, itself among them, and its value; that of a phrase is its operand's."""
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
