"""Sentiment: trees from files, both forms, and both scores."""

import dataclasses

import pytest
import torch

from memtape.core.inputs.trees import Trees, checked
from memtape.tasks.data_folder import DataError
from memtape.tasks.language import sentiment
from memtape.tasks.language.bracketed import BracketedError
from memtape.tasks.language.sentiment import Sentiment

TRAIN = ["(3 (2 It) (4 (2 's) (4 fun)))", "(1 (2 It) (0 (2 's) (1 (2 not) (4 fun))))", "(2 Well)"]
DEV = ["(2 (2 Well) (3 done))"]
TEST = ["(4 (3 fun) (2 It))", "(2 It)", "(0 (1 bad) (2 (2 It) (2 's)))"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Write a tiny treebank."""
    counts = {"train.txt": len(TRAIN), "dev.txt": len(DEV), "test.txt": len(TEST)}
    monkeypatch.setattr(sentiment, "SST", dataclasses.replace(sentiment.SST, counts=counts))
    (tmp_path / "sst_trees").mkdir()
    for file, lines in (("train.txt", TRAIN), ("dev.txt", DEV), ("test.txt", TEST)):
        (tmp_path / "sst_trees" / file).write_text("\n".join(lines) + "\n\n")
    return tmp_path


def test_the_vocabulary_is_that_of_the_training_sentences(folder):
    assert Sentiment(data_dir=str(folder)).vocabulary == ("<unknown>", "'s", "It", "fun", "Well", "not")
    task = Sentiment(data_dir=str(folder), least_count=2)
    assert task.vocabulary == ("<unknown>", "'s", "It", "fun")
    assert (task.input_size, task.output_size) == (4, 5)
    with pytest.raises(ValueError, match="least_count is 0, but it must be at least 1; give a larger least_count"):
        Sentiment(least_count=0)


def test_trees_are_those_of_the_file_with_a_class_at_each_node(folder):
    task = Sentiment(data_dir=str(folder))
    assert [task.available(split) for split in ("train", "validation", "test")] == [3, 1, 3]
    batch = task.examples("test", torch.arange(3), "trees")
    assert isinstance(batch.inputs, Trees)
    assert torch.equal(checked(batch.inputs, batch.lengths), torch.tensor([3, 1, 5]))
    assert batch.targets.tolist() == [[3, 2, 4, 0, 0], [2, 0, 0, 0, 0], [1, 2, 2, 2, 0]]
    assert batch.mask.sum(1).tolist() == [3, 1, 5]
    for row, line in enumerate(TEST):
        assert task.show(batch, row=row).splitlines()[1] == f"input  {line.replace('bad', '<unknown>')}"


def test_sequences_are_the_words_in_order_with_the_class_of_the_whole_at_the_last(folder):
    batch = Sentiment(data_dir=str(folder)).examples("test", torch.arange(3), "sequences")
    assert batch.inputs.tolist() == [[3, 2, 0], [2, 0, 0], [0, 2, 1]]
    assert batch.lengths.tolist() == [2, 1, 3]
    assert batch.mask.nonzero().tolist() == [[0, 1], [1, 0], [2, 2]]
    assert batch.targets.tolist() == [[0, 4, 0], [2, 0, 0], [0, 0, 0]]


def test_every_phrase_can_be_a_separate_example(folder):
    task = Sentiment(data_dir=str(folder), phrases=True)
    assert [task.available(split) for split in ("train", "validation", "test")] == [13, 1, 3]
    assert task.lengths == (1, 7)
    words = task.examples("train", torch.arange(13), "sequences")
    examples = [
        (" ".join(task.vocabulary[word] for word in row[:length]), int(target[length - 1]))
        for row, length, target in zip(words.inputs.tolist(), words.lengths.tolist(), words.targets, strict=True)
    ]
    first = [("It", 2), ("'s", 2), ("fun", 4), ("'s fun", 4), ("It 's fun", 3)]
    second = [("It", 2), ("'s", 2), ("not", 2), ("fun", 4), ("not fun", 1), ("'s not fun", 0), ("It 's not fun", 1)]
    assert examples == [*first, *second, ("Well", 2)]
    trees = task.examples("train", torch.tensor([10, 3]), "trees")
    assert checked(trees.inputs, trees.lengths).tolist() == [5, 3]
    shown = [task.show(trees, row=row).splitlines()[1] for row in (0, 1)]
    assert shown == ["input  (0 (2 's) (1 (2 not) (4 fun)))", "input  (4 (2 's) (4 fun))"]


def test_the_loss_is_that_of_every_node(folder):
    task = Sentiment(data_dir=str(folder))
    batch = task.examples("test", torch.arange(3), "trees")
    outputs = torch.randn(3, 5, 5, dtype=torch.float64)
    nats = [
        -outputs[row, node].log_softmax(-1)[batch.targets[row, node]] for row, node in batch.mask.nonzero().tolist()
    ]
    assert len(nats) == 9
    assert task.loss(outputs, batch).item() == pytest.approx(sum(nats).item() / 9)


@pytest.mark.parametrize("form", ["trees", "sequences"])
def test_scores_are_over_whole_sentences(folder, form):
    task = Sentiment(data_dir=str(folder))
    batch = task.examples("test", torch.arange(3), form)  # whole sentences of the classes 4, 2 and 0
    outputs = torch.full((*batch.mask.shape, 5), -9.0)
    last = (torch.arange(3), batch.lengths - 1)
    outputs[last] = torch.tensor([[0.3, 0, 0.1, 0.2, 0.4], [0.1, 0.2, 0.6, 0.1, 0], [0.1, 0.2, 0.2, 0.5, 0]]).log()
    assert task.scores(outputs, batch) == {"accuracy": 2 / 3, "binary_accuracy": 1 / 2}
    outputs[last] = torch.tensor([[0.3, 0.3, 0, 0, 0.4], [0.1, 0.2, 0, 0.7, 0], [0.35, 0.05, 0.3, 0.2, 0.1]]).log()
    assert task.scores(outputs, batch) == {"accuracy": 2 / 3, "binary_accuracy": 1 / 2}


@pytest.mark.parametrize(
    ("content", "error", "sentence"),
    [
        ("(3 (2 It) (4", BracketedError, r"dev\.txt, line 1, column \d+: "),
        ("(2 a)\n(7 b)", BracketedError, r"dev\.txt, line 2, column 2: the class of a node is '7', but"),
        (
            "(2 a)\n(2 b)",
            DataError,
            r"dev\.txt has 2 trees, but that of the Stanford Sentiment Treebank has 1; get it",
        ),
        ("", DataError, r"dev\.txt is empty; get it again from trainDevTestTrees_PTB\.zip at https"),
    ],
)
def test_an_invalid_file_is_refused(folder, content, error, sentence):
    (folder / "sst_trees" / "dev.txt").write_text(content)
    with pytest.raises(error, match=sentence):
        Sentiment(data_dir=str(folder))


def test_a_missing_file_is_reported(folder):
    (folder / "sst_trees" / "test.txt").unlink()
    with pytest.raises(
        DataError, match=r"there is no .*test\.txt, which the Stanford Sentiment Treebank needs; get it from"
    ):
        Sentiment(data_dir=str(folder))


def test_a_true_expression_is_positive_and_a_false_one_negative():
    task = Sentiment()
    assert task.vocabulary == ("<unknown>", "false", "true", "and", "or", "not")
    batch = task.batch(0, 250, split="test")
    meant = {}
    for row in range(250):
        for node in range(int(batch.lengths[row])):
            word = int(batch.inputs.words[row, node])
            if word >= 0:
                meant.setdefault(task.vocabulary[word], set()).add(int(batch.targets[row, node]))
    assert meant == {"false": {1}, "true": {3}, "and": {2}, "or": {2}, "not": {2}}
    roots = batch.targets[torch.arange(250), batch.lengths - 1]
    assert set(roots.tolist()) == {1, 3}
    assert 0.35 < (roots == 1).float().mean() < 0.65


def test_files_of_another_system_are_the_same(folder, written_elsewhere):
    first = Sentiment(data_dir=str(folder))
    written_elsewhere(folder)
    second = Sentiment(data_dir=str(folder))
    assert second.vocabulary == first.vocabulary
    one, other = first.batch(0, 3, split="test"), second.batch(0, 3, split="test")
    assert torch.equal(one.inputs.words, other.inputs.words)
    assert torch.equal(one.targets, other.targets)
