"""Fold: run a tree cell over batches of trees, from the leaves to the roots."""

from collections.abc import Callable
from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Tensor
from torch.utils import _pytree as pytree

from memtape.core import state_tree
from memtape.core.inputs.trees import Trees, checked
from memtape.core.integers import Lengths
from memtape.core.tree_cell import AnyTreeCell, HasHidden, TreeCell
from memtape.core.tree_levels import Levels, levels_of

S = TypeVar("S", bound=HasHidden)


def fold(
    cell: TreeCell[S],
    trees: Trees,
    look_up: Callable[[Tensor], Tensor],
    *,
    lengths: Lengths | None = None,
) -> tuple[Float[Tensor, "batch nodes output"], S]:
    r"""Compute the state of every node of a batch of trees from its word and the states of its children.

    $$s_j = f\bigl(x_j, (s_k)_{k \in C(j)}\bigr)$$

    All nodes at the same depth are computed at once over the whole batch, the deepest first. Each step needs only the
    states of the step before. Time and memory, in the backward pass too, are proportional to the number of nodes, and
    the number of steps is the height of the highest tree.

    Args:
        cell: the tree cell $f$.
        trees: the trees.
        look_up: maps symbols of shape (words,) to vectors of shape (words, input), such as an `nn.Embedding`; it is
            called once, with all words of the batch.
        lengths: number of valid nodes of each row; padding is ignored, and its outputs are zero. None means that no row
            is padded.

    Returns:
        The output of every node, and the states of the roots.

    Raises:
        TypeError: a table of the trees, or the lengths, are not integers.
        ValueError: a row is not a tree, the cell does not accept the trees, or the vectors have another size than the
            cell's inputs.

    Example:
        >>> import torch
        >>> from memtape.cells import NaryTreeLSTMCell
        >>> from memtape.core.fold import fold
        >>> from memtape.core.inputs.trees import Trees
        >>> trees = Trees(words=torch.tensor([[1, 2, -1]]), children=torch.tensor([[[-1, -1], [-1, -1], [0, 1]]]))
        >>> outputs, roots = fold(NaryTreeLSTMCell(4, 5), trees, torch.nn.Embedding(3, 4))
        >>> outputs.shape, roots.hidden.shape
        (torch.Size([1, 3, 5]), torch.Size([1, 5]))
    """
    counts = checked(trees, lengths)
    plan = levels_of(trees, counts, _room(cell, trees))
    _refuse_words_inside(cell, trees, plan)
    device = trees.words.device
    vectors = look_up(plan.words.to(device))
    if vectors.shape != (len(plan.words), cell.input_size):
        raise ValueError(
            f"{len(plan.words)} words were looked up as vectors of shape {tuple(vectors.shape)}, but {type(cell).__name__} "
            f"takes ({len(plan.words)}, {cell.input_size}); look up vectors of its input size"
        )
    read = cell.read(vectors)
    sizes = [len(level.leaves) for level in plan.levels]
    leaf_states = _wide(cell.leaf(read[: sum(sizes)]), vectors)
    if any(level.words is not None for level in plan.levels):
        read = torch.cat([read, cell.read(vectors.new_zeros(1, cell.input_size))])

    inner_states: list[S] = []
    by_level = _split(leaf_states, sizes)
    below = by_level[-1]
    # A batch of leaves only takes one step of zero nodes, so that every parameter has a gradient.
    last = max(len(plan.levels) - 1, 1)
    for level, leaves in reversed(list(zip(plan.levels[:last], by_level[:last], strict=True))):
        words = None if level.words is None else read.index_select(0, level.words.to(device))
        state = cell.node(_children(below, level.children.to(device)), words)
        inner_states.append(_wide(state, vectors))
        below = state_tree.cat([inner_states[-1], leaves], axis=0)

    hidden = torch.cat([*(state.hidden for state in inner_states), leaf_states.hidden])
    order = [level.inner for level in reversed(plan.levels[:last])] + [level.leaves for level in plan.levels]
    outputs = _placed(hidden, torch.cat(order).to(device), trees.words.shape)
    roots = plan.roots.to(device)
    return outputs, pytree.tree_map(lambda leaf: leaf.index_select(0, roots), below)


def _placed(rows: Tensor, places: Tensor, shape: torch.Size) -> Tensor:
    """Return a tensor with the rows at their indices in the flattened batch, and zeros elsewhere."""
    flat = rows.new_zeros(shape.numel(), rows.shape[1])
    return flat.index_copy(0, places, rows).unflatten(0, shape)


def _children(below: S, places: Tensor) -> S:
    """Gather the states of children, (parents, arity, ...), from the level below."""

    def take(rows: Tensor) -> Tensor:
        absent = rows.new_zeros(1, *rows.shape[1:])
        return torch.cat([rows, absent]).index_select(0, places.flatten()).unflatten(0, places.shape)

    return pytree.tree_map(take, below)


def _split(state: S, sizes: list[int]) -> list[S]:
    leaves, structure = pytree.tree_flatten(state)
    parts = zip(*(leaf.split(sizes) for leaf in leaves), strict=True)
    return [pytree.tree_unflatten(list(part), structure) for part in parts]


def _wide(state: S, vectors: Tensor) -> S:
    """Return states in the dtype of the vectors under autocast, since they are passed on over many levels."""
    return state_tree.move(state, dtype=vectors.dtype) if torch.is_autocast_enabled(vectors.device.type) else state


def _room(cell: AnyTreeCell, trees: Trees) -> int:
    arity = trees.children.shape[2]
    if cell.arity is not None and arity > cell.arity:
        raise ValueError(
            f"the trees have room for {arity} children of a node, but {type(cell).__name__} takes at most {cell.arity}; "
            "make the trees binary, or choose a cell for more children"
        )
    return arity if cell.arity is None else cell.arity


def _refuse_words_inside(cell: AnyTreeCell, trees: Trees, plan: Levels) -> None:
    level = next((level for level in plan.levels if level.words is not None), None)
    if cell.words_inside or level is None:
        return
    words = trees.words.cpu().flatten()
    row, node = divmod(int(level.inner[words[level.inner] >= 0][0]), trees.words.shape[1])
    raise ValueError(
        f"node {node} of row {row} has children and the word {int(trees.words[row, node])}, but {type(cell).__name__} reads "
        "words only at leaves; give nodes with children the word -1, or choose a cell that reads them"
    )
