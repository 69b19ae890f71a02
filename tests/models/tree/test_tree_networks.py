"""Networks that label every node of a tree."""

import inspect

import pytest
import torch
from torch.nn import functional

from memtape.core.inputs.trees import Trees
from memtape.models.tree.recursive import Recursive
from memtape.models.tree.rntn import RNTN
from memtape.models.tree.treelstm import TreeLSTM
from memtape.tasks.language.boolean_trees import SYMBOLS, boolean_trees

KINDS = [TreeLSTM, Recursive, RNTN]
OTHER = {
    "kind": "nary",
    "hidden_size": 7,
    "embedding_size": 5,
    "embedding_spread": 0.5,
    "dropout": 0.4,
    "forget_bias": 0.0,
    "gain": 0.5,
}
SMALL = {"hidden_size": 4}


def drawn(count=5, depths=(0, 4), seed=0):
    return boolean_trees(count, depths, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("kind", KINDS)
def test_it_stores_its_arguments_and_names_its_kind_of_input(kind):
    network = kind(len(SYMBOLS), 2)
    assert list(network.configuration) == list(inspect.signature(kind).parameters)
    changed = kind(len(SYMBOLS), 2, **{name: OTHER[name] for name in list(network.configuration)[2:]})
    assert all(changed.configuration[name] == OTHER[name] for name in list(network.configuration)[2:])
    assert network.input_kind == "trees"


@pytest.mark.parametrize("kind", KINDS)
def test_every_option_matters(kind):
    data = drawn()

    def run(**changes):
        torch.manual_seed(0)
        return kind(len(SYMBOLS), 2, **(SMALL | changes))(data.trees, lengths=data.lengths)[0]

    options = [name for name, p in inspect.signature(kind).parameters.items() if p.kind is p.KEYWORD_ONLY]
    assert torch.equal(run(), run())
    for name in options:
        assert not torch.allclose(run(), run(**{name: OTHER[name]})), name


@pytest.mark.parametrize("kind", ["constituency", "nary", "child_sum"])
def test_outputs_are_a_linear_map_of_the_hidden_vectors_and_zero_in_the_padding(kind):
    data = drawn()
    network = TreeLSTM(len(SYMBOLS), 3, kind=kind, **SMALL).eval()
    torch.nn.init.normal_(network.to_output.bias)
    outputs, roots = network(data.trees, lengths=data.lengths)
    assert outputs.shape == (*data.labels.shape, 3)
    last = outputs[torch.arange(5), data.lengths - 1]
    torch.testing.assert_close(last, network.to_output(roots.hidden))
    inside = torch.arange(outputs.shape[1]) < data.lengths[:, None]
    assert not outputs[~inside].any()
    assert outputs[inside].all()


def test_dropout_is_active_in_training_only():
    data = drawn()
    network = Recursive(len(SYMBOLS), 2, dropout=0.5, **SMALL)
    one, other = (network(data.trees, lengths=data.lengths)[0] for _ in range(2))
    assert not torch.equal(one, other)
    network.eval()
    one, other = (network(data.trees, lengths=data.lengths)[0] for _ in range(2))
    assert torch.equal(one, other)


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_saved_and_loaded(kind, tmp_path):
    data = drawn()
    network = kind(len(SYMBOLS), 2, **SMALL).double().eval()
    network.save_pretrained(tmp_path / "shared")
    again = kind.from_pretrained(tmp_path / "shared")
    for own, other in zip(*(model(data.trees, lengths=data.lengths)[0] for model in (network, again)), strict=True):
        assert own.dtype == torch.float64
        assert torch.equal(own, other)


@pytest.mark.parametrize("kind", ["constituency", "nary", "child_sum"])
def test_it_learns_expressions_of_expressions(kind):
    torch.manual_seed(0)
    network = TreeLSTM(len(SYMBOLS), 2, kind=kind, hidden_size=16, embedding_size=8, embedding_spread=1.0, dropout=0.0)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.02)
    generator = torch.Generator().manual_seed(1)
    for _ in range(120):
        data = boolean_trees(32, (1, 2), generator)
        outputs, _ = network(data.trees, lengths=data.lengths)
        loss = functional.cross_entropy(outputs.flatten(0, 1), data.labels.flatten(), ignore_index=-1)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    data = boolean_trees(200, (2, 2), generator)
    outputs, _ = network(data.trees, lengths=data.lengths)
    right = outputs[torch.arange(200), data.lengths - 1].argmax(1) == data.labels[torch.arange(200), data.lengths - 1]
    assert right.float().mean() > 0.9


def test_a_batch_can_be_trained_with_sparse_gradients_of_the_words():
    data = drawn()
    dense, sparse = (TreeLSTM(9, 2, dropout=0.0, **SMALL) for _ in range(2))
    sparse.load_state_dict(dense.state_dict())
    sparse.embedding.sparse = True
    for network in (dense, sparse):
        network(data.trees, lengths=data.lengths)[0].square().sum().backward()
    assert sparse.embedding.weight.grad.is_sparse
    torch.testing.assert_close(sparse.embedding.weight.grad.to_dense(), dense.embedding.weight.grad)


def test_padding_has_no_influence(equal_up_to_rounding):
    network = TreeLSTM(5, 2, **SMALL).eval()
    words, children = torch.tensor([[4, 99]]), torch.tensor([[[-1, -1], [44, -9]]])
    outputs, _ = network(Trees(words=words, children=children), lengths=torch.tensor([1]))
    alone, _ = network(Trees(words=words[:, :1], children=children[:, :1]))
    equal_up_to_rounding(outputs[:, :1], alone)
    assert not outputs[:, 1:].any()


def test_invalid_inputs_are_refused(shapes_unchecked):
    network = TreeLSTM(5, 2, **SMALL)
    trees = Trees(words=torch.tensor([[5]]), children=torch.tensor([[[-1, -1]]]))
    with pytest.raises(
        ValueError, match=r"the trees have the word 5, but TreeLSTM reads the symbols 0\.\.4; number the"
    ):
        network(trees)
    with pytest.raises(TypeError, match="the inputs are a Tensor, but TreeLSTM reads trees; pass"):
        network(trees.words)
    with pytest.raises(ValueError, match="a state was given, but TreeLSTM has no initial state; pass None"):
        network(trees, object())


@pytest.mark.parametrize("kind", KINDS)
def test_invalid_arguments_are_refused(kind, shapes_unchecked):
    for size in ("input_size", "output_size", "hidden_size"):
        with pytest.raises(ValueError, match=f"{size} of .* is 0, but it must be at least 1"):
            kind(**({"input_size": 2, "output_size": 2} | {size: 0}))
    with pytest.raises(ValueError, match=f"dropout of {kind.__name__} is 1.0, but it is a probability below 1; give"):
        kind(2, 2, dropout=1.0)
    with pytest.raises(
        ValueError, match=f"embedding_spread of {kind.__name__} is 0.0, but words with equal embeddings"
    ):
        kind(2, 2, embedding_spread=0.0)
    with pytest.raises(
        ValueError, match="kind is 'ternary', but it must be one of 'constituency', 'nary', 'child_sum'"
    ):
        TreeLSTM(2, 2, kind="ternary")
