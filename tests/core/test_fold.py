"""The fold equals a loop over the nodes, for trees of all shapes."""

import pytest
import torch
from torch import nn
from torch.utils import _pytree as pytree

from memtape.cells import (
    ChildSumTreeLSTMCell,
    ConstituencyTreeLSTMCell,
    NaryTreeLSTMCell,
    RecursiveCell,
    RNTNCell,
)
from memtape.core.fold import fold
from memtape.core.inputs.trees import Trees, checked
from memtape.core.tree_levels import levels_of

F64 = torch.float64
SYMBOLS, SIZE = 6, 4

CELLS = {
    "recursive": lambda: RecursiveCell(SIZE),
    "rntn": lambda: RNTNCell(SIZE),
    "child-sum": lambda: ChildSumTreeLSTMCell(SIZE, 5),
    "nary": lambda: NaryTreeLSTMCell(SIZE, 5, arity=3),
    "constituency": lambda: ConstituencyTreeLSTMCell(SIZE, 3),
}


@pytest.fixture(params=CELLS.values(), ids=CELLS.keys())
def cell(request):
    cell = request.param().double()
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return cell


@pytest.fixture
def embedding():
    return nn.Embedding(SYMBOLS, SIZE, dtype=F64)


def random_tree(nodes, arity, words_inside, generator):
    """Join random roots until one is left; return the words and children of the tree in postorder."""
    words, children, roots = [], [], []
    while len(words) < nodes or len(roots) > 1:
        luck = torch.rand(4, generator=generator).tolist()
        if len(words) >= nodes or (roots and luck[0] < 0.6):
            count = min(len(roots), 1 + int(luck[1] * arity))
            own = [roots.pop() for _ in range(count)][::-1]
            own += [-1] * (arity - count)
            if luck[2] < 0.3:
                own.reverse()
        else:
            own = [-1] * arity
        is_leaf = own == [-1] * arity
        words.append(int(luck[3] * SYMBOLS) if is_leaf or (words_inside and luck[2] < 0.5) else -1)
        children.append(own)
        roots.append(len(words) - 1)
    return words, children


def random_trees(cell, sizes=(1, 9, 2, 30, 5), seed=0):
    generator = torch.Generator().manual_seed(seed)
    grown = [random_tree(size, cell.arity or 4, cell.words_inside, generator) for size in sizes]
    lengths = torch.tensor([len(words) for words, _ in grown])
    longest = int(lengths.max()) + 1
    words = torch.full((len(grown), longest), 99)
    children = torch.full((len(grown), longest, cell.arity or 4), 77)
    for row, (own_words, own_children) in enumerate(grown):
        words[row, : len(own_words)] = torch.tensor(own_words)
        children[row, : len(own_words)] = torch.tensor(own_children)
    return Trees(words=words, children=children), lengths


def node_by_node(cell, trees, embedding, lengths):
    """Compute the outputs node by node, and the states of the roots."""
    outputs = torch.zeros(*trees.words.shape, cell.output_size, dtype=F64)
    roots = []
    for row, length in enumerate(lengths.tolist()):
        states = []
        for node in range(length):
            word, own = int(trees.words[row, node]), trees.children[row, node].tolist()
            read = cell.read(embedding(torch.tensor([word]))) if word >= 0 else None
            if max(own) < 0:
                states.append(cell.leaf(read))
            else:
                zero = pytree.tree_map(torch.zeros_like, states[0])
                below = [states[child] if child >= 0 else zero for child in own]
                joined = pytree.tree_map(lambda *leaves: torch.stack(leaves, dim=1), *below)
                states.append(cell.node(joined, read))
            outputs[row, node] = states[-1].hidden[0]
        roots.append(states[-1])
    return outputs, pytree.tree_map(lambda *leaves: torch.cat(leaves), *roots)


def gradients(loss, *modules):
    return torch.autograd.grad(loss, [parameter for module in modules for parameter in module.parameters()])


@pytest.mark.parametrize("seed", range(3))
def test_the_fold_equals_single_nodes_in_values_and_gradients(cell, embedding, seed):
    trees, lengths = random_trees(cell, seed=seed)
    outputs, roots = fold(cell, trees, embedding, lengths=lengths)
    expected, expected_roots = node_by_node(cell, trees, embedding, lengths)
    torch.testing.assert_close(outputs, expected, rtol=1e-12, atol=1e-12)
    pytree.tree_map(
        lambda own, other: torch.testing.assert_close(own, other, rtol=1e-12, atol=1e-12), roots, expected_roots
    )
    weights = torch.randn_like(outputs)
    torch.testing.assert_close(
        gradients((outputs * weights).sum() + roots.hidden.sum(), cell, embedding),
        gradients((expected * weights).sum() + expected_roots.hidden.sum(), cell, embedding),
        rtol=1e-10,
        atol=1e-10,
    )


def test_rows_are_independent(cell, embedding):
    trees, lengths = random_trees(cell)
    outputs, _ = fold(cell, trees, embedding, lengths=lengths)
    for row, length in enumerate(lengths.tolist()):
        alone = Trees(words=trees.words[row : row + 1, :length], children=trees.children[row : row + 1, :length])
        torch.testing.assert_close(fold(cell, alone, embedding)[0], outputs[row : row + 1, :length])
        assert not outputs[row, length:].any()


def test_every_parameter_has_a_gradient_even_from_leaves_alone(cell, embedding):
    leaves = Trees(words=torch.tensor([[1], [2]]), children=torch.full((2, 1, 2), -1))
    fold(cell, leaves, embedding)[0].sum().backward()
    assert all(parameter.grad is not None for parameter in cell.parameters())


def test_an_empty_batch_has_no_outputs(cell, embedding):
    empty = Trees(words=torch.zeros(0, 3, dtype=torch.long), children=torch.zeros(0, 3, 2, dtype=torch.long))
    outputs, roots = fold(cell, empty, embedding)
    assert outputs.shape == (0, 3, cell.output_size)
    assert roots.hidden.shape == (0, cell.output_size)


def test_every_node_is_in_one_level_and_its_children_are_all_of_the_next():
    cell = ChildSumTreeLSTMCell(SIZE, 5)
    trees, lengths = random_trees(cell, sizes=(40, 3, 17))
    plan = levels_of(trees, checked(trees, lengths), 4)
    seen = torch.cat([torch.cat([level.inner, level.leaves]) for level in plan.levels])
    places = torch.arange(trees.words.shape[1])
    inside = (places < lengths[:, None]).flatten().nonzero()[:, 0]
    assert seen.sort().values.tolist() == inside.tolist()
    for level, below in zip(plan.levels[:-1], plan.levels[1:], strict=True):
        count = len(below.inner) + len(below.leaves)
        assert sorted(child for child in level.children.flatten().tolist() if child < count) == list(range(count))
    assert len(plan.levels[-1].inner) == 0


def test_the_number_of_steps_is_the_height_and_not_the_number_of_nodes(embedding):
    steps = []
    cell = NaryTreeLSTMCell(SIZE, 5).double()
    node = cell.node
    cell.node = lambda children, read: steps.append(len(children.hidden)) or node(children, read)
    words = torch.tensor([[0, 1, -1, 2, 3, -1, -1]]).repeat(8, 1)
    none = [-1, -1]
    children = torch.tensor([[none, none, [0, 1], none, none, [3, 4], [2, 5]]]).repeat(8, 1, 1)
    fold(cell, Trees(words=words, children=children), embedding)
    assert steps == [16, 8]


def test_states_stay_float32_under_autocast(cell):
    embedding = nn.Embedding(SYMBOLS, SIZE)
    trees, lengths = random_trees(cell)
    with torch.autocast("cpu", torch.bfloat16):
        outputs, roots = fold(cell.float(), trees, embedding, lengths=lengths)
    assert outputs.dtype == roots.hidden.dtype == torch.float32
    exact, _ = fold(cell, trees, embedding, lengths=lengths)
    assert 0 < (outputs - exact).abs().max() < 0.1


def test_second_derivatives_exist(embedding):
    cell = ConstituencyTreeLSTMCell(SIZE, 3).double()
    trees, lengths = random_trees(cell, sizes=(7, 3))
    weight = embedding.weight.detach().requires_grad_()
    symbols = trees.words.clamp(max=SYMBOLS - 1)
    trees = Trees(words=symbols, children=trees.children)
    assert torch.autograd.gradgradcheck(
        lambda weight: fold(cell, trees, lambda words: weight[words], lengths=lengths)[0], (weight,), fast_mode=True
    )


def test_more_children_than_the_cell_has_room_for_are_refused(embedding):
    trees, lengths = random_trees(NaryTreeLSTMCell(SIZE, 2, arity=3))
    with pytest.raises(
        ValueError, match="room for 3 children of a node, but RecursiveCell takes at most 2; make the trees"
    ):
        fold(RecursiveCell(SIZE).double(), trees, embedding, lengths=lengths)


def test_fewer_children_than_the_cell_has_room_for_are_accepted(embedding, equal_up_to_rounding):
    chain = Trees(words=torch.tensor([[1, 2]]), children=torch.tensor([[[-1], [0]]]))
    wide = Trees(words=chain.words, children=torch.tensor([[[-1, -1, -1], [0, -1, -1]]]))
    cell = NaryTreeLSTMCell(SIZE, 5, arity=3).double()
    equal_up_to_rounding(fold(cell, chain, embedding)[0], fold(cell, wide, embedding)[0])


def test_words_inside_are_refused_where_they_would_not_be_read(embedding):
    trees = Trees(words=torch.tensor([[0, 1, 5]]), children=torch.tensor([[[-1, -1], [-1, -1], [0, 1]]]))
    with pytest.raises(
        ValueError, match="node 2 of row 0 has children and the word 5, but ConstituencyTreeLSTMCell reads"
    ):
        fold(ConstituencyTreeLSTMCell(SIZE, 3).double(), trees, embedding)


def test_vectors_of_another_size_are_refused():
    trees = Trees(words=torch.tensor([[0]]), children=torch.tensor([[[-1, -1]]]))
    with pytest.raises(
        ValueError, match=r"1 words were looked up as vectors of shape \(1, 3\), but RNTNCell takes \(1, 4\)"
    ):
        fold(RNTNCell(SIZE), trees, nn.Embedding(SYMBOLS, 3))
