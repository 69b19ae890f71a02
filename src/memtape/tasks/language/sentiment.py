"""Sentiment: classify the sentiment of sentences and phrases of film reviews."""

from collections.abc import Mapping
from functools import cache

import torch
from jaxtyping import Float
from torch import Tensor

from memtape.core import checks
from memtape.core.batch import SequenceBatch
from memtape.core.card import TaskCard
from memtape.core.inputs.trees import NONE, TREES, Trees
from memtape.core.score import Score
from memtape.core.task import HeldTask
from memtape.tasks.classification import ClassificationTask
from memtape.tasks.data_folder import DataSet, examples_of
from memtape.tasks.language.boolean_trees import SYMBOLS, boolean_trees
from memtape.tasks.language.bracketed import BracketedTree, parse_lines
from memtape.tasks.language.labelled_trees import LabelledTrees, labelled_trees, vocabulary_of
from memtape.tasks.lengths import steps_since
from memtape.tasks.ragged import Ragged

SST = DataSet(
    name="the Stanford Sentiment Treebank",
    folder="sst_trees",
    source="trainDevTestTrees_PTB.zip at https://nlp.stanford.edu/sentiment",
    counts={"train.txt": 8_544, "dev.txt": 1_101, "test.txt": 2_210},
)

CLASSES, NEUTRAL = 5, 2
"""The number of classes, from very negative to very positive, and the neutral class."""

UNKNOWN_WORD = "<unknown>"

Parts = dict[str, LabelledTrees]


class Sentiment(ClassificationTask, HeldTask):
    """Classify the sentiment of a sentence of a film review, from 0 (very negative) to 4 (very positive).

    As trees, the class of each phrase is a target. As sequences of words, the class of the sentence is the target at the last
    word. Both scores refer to whole sentences: `accuracy` is that of the five classes; `binary_accuracy` leaves out neutral
    sentences, and counts a prediction as positive if classes 3 and 4 together have a larger probability than 0 and 1.

    Symbols are words; symbol 0 is any word that is not in the `vocabulary`.

    Args:
        data_dir: data folder with `sst_trees/train.txt`, `dev.txt` and `test.txt`; without it the sentences are Boolean
            expressions: true ones are positive, false ones negative, operators neutral.
        least_count: minimum number of occurrences in the training sentences for a word to be in the vocabulary.
        phrases: use each phrase of the training sentences, including single words, as a separate training example, so that a
            sequence model learns from the same labels as a tree model.

    Attributes:
        vocabulary: the words of the symbols: the unknown word, and then the words by descending frequency.

    Raises:
        ValueError: the count is below 1, or a file is missing or invalid.

    Example:
        >>> task = Sentiment()
        >>> print(task.show(task.batch(0, 1, input_kind="sequences")))
        Sentiment, 16 steps
        input  true and true and false and false or false and true or not false or false
        target 3

    References:
        Socher et al. (2013), "Recursive deep models for semantic compositionality over a sentiment treebank", EMNLP, for the
        trees. Tai, Socher & Manning (2015), "Improved semantic representations from tree-structured long short-term memory
        networks", arXiv:1503.00075, section 5.1, for the scores.
    """

    scored = (
        Score(name="accuracy", label="accuracy of five classes", short="right", higher_is_better=True),
        Score(name="binary_accuracy", label="accuracy of two classes", short="right of 2", higher_is_better=True),
    )
    input_kinds = ("trees", "sequences")
    vocabulary: tuple[str, ...]

    def __init__(self, *, data_dir: str | None = None, least_count: int = 1, phrases: bool = False):
        checks.at_least(1, least_count=least_count)
        (self.vocabulary, self._parts), self.data = examples_of(
            data_dir,
            SST,
            read=lambda folder: read(folder, least_count),
            otherwise=synthetic_sentences,
            name="Boolean expressions as sentences",
        )
        self.input_size, self.output_size = len(self.vocabulary), CLASSES
        self._sizes = {part: data.sizes() for part, data in self._parts.items()}
        self._roots = {
            part: (data.labels != NONE).nonzero()
            if phrases and part == "train"
            else torch.stack([torch.arange(len(data.lengths)), data.lengths - 1], dim=1)
            for part, data in self._parts.items()
        }
        learned = self._sizes["train"][tuple(self._roots["train"].T)]
        self.lengths = (int(learned.min()), int(learned.max()))

    def available(self, split: str) -> int:
        """Return the number of examples of a split: sentences, or with `phrases` the phrases of the training split."""
        return len(self._roots[_part(split)])

    def examples(self, split: str, rows: Tensor, input_kind: str) -> SequenceBatch:
        """Return the examples of a split with the given indices."""
        part = _part(split)
        sentences, nodes = self._roots[part][rows].unbind(1)
        taken = self._parts[part].below(sentences, nodes, self._sizes[part])
        if input_kind == "trees":
            mask = taken.labels != NONE
            return SequenceBatch(inputs=taken.trees, targets=taken.labels * mask, mask=mask, lengths=taken.lengths)
        leaves = taken.trees.words != NONE
        inputs, steps = Ragged(taken.trees.words[leaves], leaves.sum(1)).padded(torch.arange(len(rows)))
        last = steps_since(torch.zeros_like(steps), inputs.shape[1]) == steps[:, None] - 1
        whole = taken.labels[torch.arange(len(rows)), taken.lengths - 1]
        return SequenceBatch(inputs=inputs, targets=whole[:, None] * last, mask=last, lengths=steps)

    def tally(self, outputs: Float[Tensor, "batch time output"], batch: SequenceBatch) -> dict[str, float]:
        """Return the numbers of correct and of all sentences, for five classes and for two."""
        rows, last = torch.arange(len(batch), device=outputs.device), (batch.lengths - 1).to(outputs.device)
        answer, target = outputs.detach()[rows, last], batch.targets[rows, last]
        shares = answer.softmax(-1)
        positive = shares[:, NEUTRAL + 1 :].sum(-1) > shares[:, :NEUTRAL].sum(-1)
        polar = target != NEUTRAL
        return {
            "right": float((answer.argmax(-1) == target).sum()),
            "sentences": float(len(batch)),
            "right_of_two": float(((positive == (target > NEUTRAL)) & polar).sum()),
            "polar": float(polar.sum()),
        }

    def scores_of(self, tally: Mapping[str, float]) -> dict[str, float]:
        """Return `accuracy` and `binary_accuracy`."""
        return {
            "accuracy": tally["right"] / tally["sentences"],
            "binary_accuracy": tally["right_of_two"] / max(tally["polar"], 1),
        }

    def chance(self, lengths: tuple[int, int]) -> dict[str, float]:
        """Return the accuracies of uniform random predictions."""
        return {"accuracy": 1 / CLASSES, "binary_accuracy": 1 / 2}

    def show(self, batch: SequenceBatch, outputs: Tensor | None = None, row: int = 0) -> str:
        """Return one example as text: the words, or a tree in bracket notation, and the class of the sentence.

        With `outputs` the most likely class follows.
        """
        steps = int(batch.lengths[row])
        if batch.kind is TREES:
            text = self._bracketed(batch.inputs, batch.targets[row], row, steps)
        else:
            text = " ".join(self.vocabulary[word] for word in batch.inputs[row, :steps].tolist())
        lines = [
            f"{type(self).__name__}, {steps} steps",
            f"input  {text}",
            f"target {int(batch.targets[row, steps - 1])}",
        ]
        if outputs is not None:
            lines.append(f"output {int(outputs[row, steps - 1].argmax())}")
        return "\n".join(lines)

    def _bracketed(self, trees: Trees, labels: Tensor, row: int, nodes: int) -> str:
        written: list[str] = []
        for node in range(nodes):
            word, children = int(trees.words[row, node]), trees.children[row, node].tolist()
            inside = [self.vocabulary[word]] if word != NONE else [written[child] for child in children]
            written.append(f"({' '.join([str(int(labels[node])), *inside])})")
        return written[-1]


def _part(split: str) -> str:
    return {"train": "train", "validation": "dev"}.get(split, "test")


@cache
def synthetic_sentences() -> tuple[tuple[str, ...], Parts]:
    """Return a vocabulary, and Boolean expressions with sentiment classes for each part."""
    parts, counts = {}, {"train": 1_500, "dev": 250, "test": 250}
    for seed, (part, count) in enumerate(counts.items()):
        drawn = boolean_trees(count, (1, 4), torch.Generator().manual_seed(seed))
        inside = steps_since(torch.zeros_like(drawn.lengths), drawn.labels.shape[1]) < drawn.lengths[:, None]
        meant = torch.where(drawn.labels == NONE, NEUTRAL, 2 * drawn.labels + 1)
        words = torch.where(drawn.trees.words == NONE, NONE, drawn.trees.words + 1)
        parts[part] = LabelledTrees(
            trees=Trees(words=words, children=drawn.trees.children),
            labels=torch.where(inside, meant, NONE),
            lengths=drawn.lengths,
        )
    return (UNKNOWN_WORD, *SYMBOLS), parts


def read(data_dir: str, least_count: int) -> tuple[tuple[str, ...], Parts]:
    """Read the sentences of all parts, and return the vocabulary of the training part and the sentences.

    Raises:
        DataError: a file is missing or has the wrong number of trees.
        BracketedError: a line is not a binary tree with classes.
    """
    trees = {part: _trees(data_dir, f"{part}.txt") for part in ("train", "dev", "test")}
    places = vocabulary_of(trees["train"], least=least_count)
    return (UNKNOWN_WORD, *places), {part: labelled_trees(each, places) for part, each in trees.items()}


def _trees(data_dir: str, file: str) -> list[BracketedTree]:
    path, text = SST.path(data_dir, file), SST.text(data_dir, file)
    trees = parse_lines(text, classes=CLASSES, place=str(path))
    SST.check_count(path, len(trees), "trees")
    return trees


CARD = TaskCard(
    name="sentiment",
    summary="Classify the sentiment of a sentence, from its tree or its words.",
    paper=("socher2013",),
    inputs=("trees", "sequences"),
    unit="nodes",
)
