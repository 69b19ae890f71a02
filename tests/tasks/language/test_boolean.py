"""Boolean: expressions as text, evaluated by Python."""

import pytest
import torch

from memtape.core.inputs.trees import Trees, checked
from memtape.tasks.language.boolean import Boolean, written
from memtape.tasks.language.labelled_trees import LabelledTrees

PYTHON = {"false": "False", "true": "True"}


def texts(task, batch):
    """Return each expression as text."""
    for row, length in enumerate(batch.lengths.tolist()):
        yield " ".join(task.vocabulary[symbol] for symbol in batch.inputs[row, :length].tolist())


def value(text):
    """Return the value of an expression, after moving each operator out of the brackets of its operand."""
    words = [PYTHON.get(word, word) for word in text.split()]
    pythonic, depth, dropped = [], 0, set()
    for place, word in enumerate(words):
        if word == "(" and words[place + 1] in ("and", "or"):
            dropped.add(depth)
        elif word != ")" or depth - 1 not in dropped:
            pythonic.append(word)
        if word == ")":
            dropped.discard(depth - 1)
        depth += (word == "(") - (word == ")")
    return eval(" ".join(pythonic))


def test_the_parser_of_this_test_is_correct():
    assert value("( true ( and ( not ( false ( or false ) ) ) ) )") is True
    assert value("( ( true ( or false ) ) ( and false ) )") is False
    assert value("false") is False


@pytest.mark.parametrize("lengths", [(1, 1), (1, 6), (9, 9)])
def test_the_target_at_the_last_symbol_is_the_value(lengths):
    task = Boolean()
    batch = task.batch(0, 40, lengths=lengths, input_kind="sequences")
    labels = batch.targets[torch.arange(40), batch.lengths - 1]
    assert labels.tolist() == [int(value(text)) for text in texts(task, batch)]
    assert batch.mask.nonzero().tolist() == [[row, length - 1] for row, length in enumerate(batch.lengths.tolist())]
    assert set(labels.tolist()) == {0, 1}


def test_trees_and_sequences_are_the_same_expressions():
    task = Boolean()
    trees, sequences = task.batch(2, 30), task.batch(2, 30, input_kind="sequences")
    assert isinstance(trees.inputs, Trees)
    assert torch.equal(checked(trees.inputs, trees.lengths), trees.lengths)
    for row, text in enumerate(texts(task, sequences)):
        assert task.show(trees, row=row).splitlines()[1] == f"input  {text}"
        assert trees.targets[row, trees.lengths[row] - 1] == sequences.targets[row, sequences.lengths[row] - 1]


def test_nodes_with_a_value_have_a_target_and_operators_have_none():
    batch = Boolean().batch(0, 50)
    assert torch.equal(batch.mask & (batch.inputs.words >= 2), torch.zeros_like(batch.mask))
    leaf = (batch.inputs.words == 0) | (batch.inputs.words == 1)
    assert batch.mask[leaf].all()
    assert torch.equal(batch.targets[leaf], batch.inputs.words[leaf])
    assert batch.mask[torch.arange(50), batch.lengths - 1].all()


def test_a_tree_is_written_with_a_pair_of_brackets_for_each_inner_node():
    trees = Trees(  # ((0 1) (1 0)) and 1
        words=torch.tensor([[0, 1, -1, 1, 0, -1, -1], [1, -1, -1, -1, -1, -1, -1]]),
        children=torch.tensor(
            [[[-1, -1], [-1, -1], [0, 1], [-1, -1], [-1, -1], [3, 4], [2, 5]], [[-1, -1]] * 7],
        ),
    )
    text, steps = written(LabelledTrees(trees=trees, labels=trees.words, lengths=torch.tensor([7, 1])))
    assert steps.tolist() == [10, 1]
    assert text.tolist() == [[5, 5, 0, 1, 6, 5, 1, 0, 6, 6], [1] + [0] * 9]


def test_accuracy_is_over_whole_expressions():
    task = Boolean()
    for form in task.input_kinds:
        batch = task.batch(0, 10, input_kind=form)
        outputs = torch.zeros(*batch.mask.shape, 2)
        rows, last = torch.arange(10), batch.lengths - 1
        outputs[rows, last, batch.targets[rows, last]] = 1
        outputs[:3] = outputs[:3].flip(-1)
        assert task.scores(outputs, batch) == {"accuracy": 7 / 10}


def test_an_empty_range_is_refused():
    with pytest.raises(
        ValueError, match="max_length of Boolean is 2, but min_length is 3 and must not be larger; raise"
    ):
        Boolean(min_length=3, max_length=2)
