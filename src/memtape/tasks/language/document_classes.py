"""Document classes: classify long texts, such as news by topic, after their last word."""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from io import StringIO

import torch
from jaxtyping import Float
from torch import Tensor

from memtape.core import checks
from memtape.core.batch import SequenceBatch
from memtape.core.card import TaskCard
from memtape.core.score import Score
from memtape.core.task import HeldTask
from memtape.tasks.classification import ClassificationTask, class_sums
from memtape.tasks.data_folder import DataSet, examples_of
from memtape.tasks.language.topics import topical_documents
from memtape.tasks.language.words import vocabulary_of
from memtape.tasks.lengths import steps_since
from memtape.tasks.ragged import Ragged

VALIDATION = 12
"""Every twelfth document for training is in the validation split instead; files may be sorted by class."""

Documents = tuple[list[list[str]], list[int]]
"""The words and the class of each document, from 0."""


class DocumentClasses(ClassificationTask, HeldTask):
    """Classify a document, such as a piece of news by its topic, at its last word.

    The files have the layout of Zhang, Zhao & LeCun: `train.csv` and `test.csv`, with the class of a document, an integer from
    1, in the first column and its title and text in the others. AG News and DBPedia are published so. Words are lower-case;
    punctuation marks are words, too. Symbols are words; symbol 0 is any word that is not in the `vocabulary`.

    Args:
        data_dir: data folder with `FOLDER/train.csv` and `FOLDER/test.csv`; without it documents of 100 words are generated,
            with few words of the topic, which is the class.
        folder: subfolder of the data folder.
        longest: maximum number of words of a document; later words are left out.
        least_count: minimum number of occurrences in the training documents for a word to be in the vocabulary.

    Attributes:
        vocabulary: the words of the symbols: the unknown word, and then the words by descending frequency.

    Raises:
        ValueError: a number is below 1, or a file is missing or invalid.

    Example:
        >>> task = DocumentClasses(longest=12)
        >>> print(task.show(task.batch(0, 1)))
        DocumentClasses, 12 steps
        input  words which its did have its more use been do with other
        target 1

    References:
        Zhang, Zhao & LeCun (2015), "Character-level convolutional networks for text classification", arXiv:1509.01626, for the
        data. Le, Tran & Venkatesh (2019), "Learning to remember more with less memorization", arXiv:1901.01347,
        for documents as a task of memories that write rarely.
    """

    scored = (Score(name="accuracy", label="accuracy", short="right", higher_is_better=True),)
    vocabulary: tuple[str, ...]

    def __init__(
        self, *, data_dir: str | None = None, folder: str = "ag_news_csv", longest: int = 200, least_count: int = 2
    ):
        checks.at_least(1, longest=longest, least_count=least_count)
        (learned, tested), self.data = examples_of(
            data_dir,
            data_set(folder),
            read=lambda place: read(place, folder),
            otherwise=synthetic_documents,
            name="documents of words about four topics",
        )
        held = [row % VALIDATION == VALIDATION - 1 for row in range(len(learned[0]))]
        parts = {
            "train": _where(learned, (not each for each in held)),
            "validation": _where(learned, held),
            "test": tested,
        }
        self.vocabulary = vocabulary_of(
            (word for document in parts["train"][0] for word in document[:longest]), least=least_count
        )
        places = {word: place for place, word in enumerate(self.vocabulary)}
        self._parts = {
            split: (
                Ragged.of([[places.get(word, 0) for word in document[:longest]] for document in documents]),
                torch.tensor(classes),
            )
            for split, (documents, classes) in parts.items()
        }
        self.input_size, self.output_size = len(self.vocabulary), 1 + max(learned[1])
        sizes = self._parts["train"][0].lengths
        self.lengths = (int(sizes.min()), int(sizes.max()))

    def available(self, split: str) -> int:
        """Return the number of documents of a split."""
        return len(self._split(split)[0])

    def examples(self, split: str, rows: Tensor, input_kind: str) -> SequenceBatch:
        """Return the documents of a split with the given indices."""
        documents, classes = self._split(split)
        inputs, steps = documents.padded(rows)
        last = steps_since(torch.zeros_like(steps), inputs.shape[1]) == steps[:, None] - 1
        return SequenceBatch(inputs=inputs, targets=classes[rows][:, None] * last, mask=last, lengths=steps)

    def _split(self, split: str) -> tuple[Ragged, Tensor]:
        return self._parts.get(split, self._parts["test"])

    def tally(self, outputs: Float[Tensor, "batch time output"], batch: SequenceBatch) -> dict[str, float]:
        """Return the summed cross-entropy, and the numbers of correct and of all documents."""
        return class_sums(outputs, batch)

    def scores_of(self, tally: Mapping[str, float]) -> dict[str, float]:
        """Return `accuracy`, the share of correct predictions."""
        return {"accuracy": tally["right"] / tally["scored"]}

    def chance(self, lengths: tuple[int, int]) -> dict[str, float]:
        """Return the accuracy of uniform random predictions."""
        return {"accuracy": 1 / self.output_size}

    def show(self, batch: SequenceBatch, outputs: Tensor | None = None, row: int = 0) -> str:
        """Return one example as text: the words and the class; with `outputs` the most likely class follows."""
        steps = int(batch.lengths[row])
        words = " ".join(self.vocabulary[word] for word in batch.inputs[row, :steps].tolist())
        lines = [
            f"{type(self).__name__}, {steps} steps",
            f"input  {words}",
            f"target {int(batch.targets[row, steps - 1])}",
        ]
        if outputs is not None:
            lines.append(f"output {int(outputs[row, steps - 1].argmax())}")
        return "\n".join(lines)


def data_set(folder: str) -> DataSet:
    """Return the data set in a subfolder."""
    return DataSet(
        name="a document data set",
        folder=folder,
        source="the data sets of Zhang, Zhao & LeCun (2015), such as ag_news_csv.tgz",
        counts={},
    )


@cache
def synthetic_documents() -> tuple[Documents, Documents]:
    """Return synthetic documents, for training and for testing."""
    documents, topics = topical_documents(3_000, torch.Generator().manual_seed(0))
    return (documents[:2_400], topics[:2_400]), (documents[2_400:], topics[2_400:])


def read(data_dir: str, folder: str) -> tuple[Documents, Documents]:
    """Read the documents for training and for testing.

    Raises:
        DataError: a file is missing or invalid, or has too few classes.
    """
    files = data_set(folder)
    learned, tested = (_read(files, data_dir, file) for file in ("train.csv", "test.csv"))
    classes = 1 + max(learned[1])
    if classes < 2 or len(learned[1]) < VALIDATION:
        raise files.damaged(
            files.path(data_dir, "train.csv"),
            f"has {len(learned[1])} documents and {classes} class, but needs at least {VALIDATION} documents of 2 classes",
        )
    if max(tested[1]) >= classes:
        reason = f"has the class {1 + max(tested[1])}, but the classes of train.csv are 1..{classes}"
        raise files.damaged(files.path(data_dir, "test.csv"), reason)
    return learned, tested


def _read(files: DataSet, data_dir: str, file: str) -> Documents:
    path, documents, classes = files.path(data_dir, file), list[list[str]](), list[int]()
    try:
        for number, row in enumerate(csv.reader(StringIO(files.text(data_dir, file)), strict=True), start=1):
            if not row:
                continue
            words = words_of(" ".join(row[1:]))
            if not (row[0].isascii() and row[0].isdigit() and 1 <= int(row[0]) <= 1_000):
                raise files.damaged(
                    path, f"has {row[0][:20]!r} as the class of document {number}, not an integer from 1"
                )
            if not words:
                raise files.damaged(path, f"has no words in document {number}")
            documents.append(words)
            classes.append(int(row[0]) - 1)
    except csv.Error as error:
        raise files.damaged(path, f"is not a CSV file ({error})") from None
    return documents, classes


def words_of(text: str) -> list[str]:
    """Return the words and punctuation marks of a text, in lower case; backslashes, which mark line ends, are spaces."""
    return re.findall(r"\w+|[^\w\s]", re.sub(r"\\n|\\", " ", text).lower())


def _where(documents: Documents, wanted: Iterable[bool]) -> Documents:
    kept: Iterator[tuple[list[str], int]] = (
        pair for pair, keep in zip(zip(*documents, strict=True), wanted, strict=True) if keep
    )
    words, classes = zip(*kept, strict=True)
    return list(words), list(classes)


CARD = TaskCard(
    name="documents",
    summary="Classify a document, such as a piece of news by its topic.",
    paper=("zhang2015", "le2019"),
    inputs=("sequences",),
    small={"longest": 12},
    unit="words",
)
