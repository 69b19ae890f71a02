"""Lookup: answer questions about a collection of documents, from the sentences that share words with the question."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Literal

import torch
from jaxtyping import Int
from torch import Tensor

from memtape.core import checks
from memtape.core.batch import SequenceBatch
from memtape.core.card import TaskCard
from memtape.core.inputs.stories import NIL, NONE, Stories
from memtape.core.task import HeldTask, generator_for
from memtape.tasks.data_folder import DataError, DataSet, examples_of
from memtape.tasks.ragged import Ragged
from memtape.tasks.stories.documents.articles import collection_of_articles, names
from memtape.tasks.stories.documents.candidate_sentences import candidates, titled_sentences
from memtape.tasks.stories.documents.cloze import with_cloze_questions
from memtape.tasks.stories.documents.document import Collection, Document
from memtape.tasks.stories.documents.document_folder import documents_in
from memtape.tasks.stories.examples import NIL_WORD
from memtape.tasks.stories.story_task import StoryTask

SYNTHETIC = {"train": 100, "validation": 30, "test": 60}
"""Number of generated films, of persons and of towns in each split."""

HELD_OUT = 10
"""One of this many documents of a folder is for validation, and another one for testing."""


class DocumentLookup(StoryTask, HeldTask):
    """Answer questions about a collection of documents; the answer is a word of one of them, or a title.

    The documents are the text files of a folder, or generated articles about films, persons and towns, whose facts are
    random. Documents, and with them questions, belong to one split only, so that no fact of a test question is part of
    training.

    An input is a question and a story: those sentences of all documents of the split that share the most words with the
    question. Each sentence is preceded by the title of its document, as one word. Questions about generated articles have
    other words than these, such as "who directed ...?". Those about a folder are sentences of its documents: with one word
    left out, which is the answer, or whole, where the answer is the title, and the sentence itself is not in the story.

    In training, the rare words of each batch are exchanged with one another at random. So a network cannot memorise an
    answer, and all rare words are trained, those of the test documents too.

    Args:
        data_dir: data folder; without it the documents are generated.
        folder: the folder of the documents in it: files in UTF-8, whose names end in .txt and are the titles.
        answers: what answers the questions: words, titles, or words for some and titles for others.
        most: the largest number of sentences of a story.
        rare: the largest share of all documents that a rare word is in; a word of only one document is always rare.

    Attributes:
        vocabulary: the words of the symbols; the first is that of an absent word.
        rare_words: the words and titles that are in few documents.

    Raises:
        TypeError: a number of sentences is not an integer.
        ValueError: an option is unknown or outside its range, the folder or a file is missing or invalid, or a split has
            no question.

    Example:
        >>> task = DocumentLookup()
        >>> batch = task.batch(0, 32)
        >>> batch.inputs.sentences.shape[:2], batch.targets.shape
        (torch.Size([32, 20]), torch.Size([32, 1]))

    References:
        Miller et al. (2016), "Key-value memory networks for directly reading documents", arXiv:1606.03126.
    """

    lengths = (1, 1)

    def __init__(
        self,
        *,
        data_dir: str | None = None,
        folder: str = "documents",
        answers: Literal["both", "words", "titles"] = "both",
        most: int = 20,
        rare: float = 0.05,
    ):
        checks.one_of(("both", "words", "titles"), answers=answers)
        checks.at_least(1, most=most)
        checks.probabilities(rare=rare)
        splits, self.data = examples_of(
            data_dir,
            DataSet(name=f"the folder {folder}", folder=folder, source="", counts={}),
            read=lambda place: _of_folder(place, folder, rare),
            otherwise=_generated,
            name="articles of a simulation about films, persons and towns",
        )
        documents = [found for collection in splits.values() for found in collection.documents]
        self.rare_words = rare_words(documents, rare)
        self.vocabulary = _vocabulary_of(splits.values())
        self.input_size = self.output_size = len(self.vocabulary)
        symbols = {word: symbol for symbol, word in enumerate(self.vocabulary)}
        self._rare = torch.tensor(sorted(symbols[word] for word in self.rare_words))
        chosen = splits if answers == "both" else {split: _with(found, answers) for split, found in splits.items()}
        for split, found in chosen.items():
            if not found.questions:
                raise DataError(
                    f"the {len(found.documents)} documents of the split {split!r} in the folder {folder} have no sentence "
                    "with two rare words; give more documents or longer ones, or raise the option rare"
                )
        self._splits = {
            split: _Questions.of(found, symbols, candidates(found, self.rare_words, most))
            for split, found in chosen.items()
        }

    @property
    def longest_sentence(self) -> int:
        """The number of words of the longest sentence, its title included, or question."""
        return max(questions.longest_sentence for questions in self._splits.values())

    def available(self, split: str) -> int:
        """Return the number of questions of a split; any name except "train" and "validation" is the test split."""
        return len(self._split(split).answers)

    def examples(self, split: str, rows: Tensor, input_kind: str) -> SequenceBatch:
        """Return the questions of a split with the given indices, each with its candidate sentences."""
        questions = self._split(split)
        stories, answers = questions.stories(rows), questions.answers[rows]
        if split == "train":
            renamed = torch.arange(self.input_size)
            order = torch.randperm(len(self._rare), generator=generator_for("names", *rows.tolist()))
            renamed[self._rare] = self._rare[order]
            stories = replace(stories, sentences=renamed[stories.sentences], question=renamed[stories.question])
            answers = renamed[answers]
        return SequenceBatch(
            inputs=stories,
            targets=answers[:, None],
            mask=torch.ones(len(rows), 1, dtype=torch.bool),
            lengths=torch.ones(len(rows), dtype=torch.long),
        )

    def _split(self, split: str) -> "_Questions":
        return self._splits.get(split, self._splits["test"])


def rare_words(documents: Iterable[Document], share: float) -> frozenset[str]:
    """Return the words and titles that are in few documents.

    Args:
        documents: all documents.
        share: the largest share of the documents that a rare word is in; a word of only one document is always rare.
    """
    each = [{found.title, *(word for words in found.sentences for word in words)} for found in documents]
    counts = Counter(word for words in each for word in words)
    return frozenset(word for word, count in counts.items() if count <= max(1, share * len(each)))


@dataclass(frozen=True)
class _Questions:
    """The questions of a split as tensors."""

    sentences: Ragged
    questions: Ragged
    answers: Int[Tensor, " questions"]
    candidates: Int[Tensor, "questions most"]
    about: Int[Tensor, " questions"]

    @classmethod
    def of(cls, collection: Collection, symbols: Mapping[str, int], memory: tuple[Tensor, Tensor]) -> "_Questions":
        """Return the questions of a collection with their candidate sentences."""
        found, about = memory
        return cls(
            sentences=Ragged.of([[symbols[word] for word in words] for words in titled_sentences(collection)]),
            questions=Ragged.of([[symbols[word] for word in question.words] for question in collection.questions]),
            answers=torch.tensor([symbols[question.answer] for question in collection.questions]),
            candidates=found,
            about=about,
        )

    @property
    def longest_sentence(self) -> int:
        """The number of words of the longest sentence or question."""
        return int(torch.cat([self.sentences.lengths, self.questions.lengths]).max())

    def stories(self, rows: Int[Tensor, " rows"]) -> Stories:
        """Return the candidate sentences and the questions of some rows."""
        chosen = self.candidates[rows]
        words, _ = self.sentences.padded(chosen.clamp(min=0).flatten())
        told = torch.where((chosen == NONE)[:, :, None], NIL, words.view(*chosen.shape, -1))
        asked, _ = self.questions.padded(rows)
        return Stories(sentences=told, question=asked, supports=self.about[rows][:, None])


def _vocabulary_of(collections: Iterable[Collection]) -> tuple[str, ...]:
    """Return the words of all documents and questions, sorted, after the name of the absent word."""
    found: set[str] = set()
    for collection in collections:
        for words in (*titled_sentences(collection), *(question.words for question in collection.questions)):
            found |= {*words}
    return (NIL_WORD, *sorted(found))


def _with(collection: Collection, kind: str) -> Collection:
    return replace(collection, questions=tuple(found for found in collection.questions if found.kind == kind))


def _generated() -> dict[str, Collection]:
    """Return articles for each split, whose names are those of no other split."""
    kinds = ("film", "person", "town", "river")
    drawn = iter(names(len(kinds) * sum(SYNTHETIC.values()), Random("names of articles")))
    return {
        split: collection_of_articles({kind: [next(drawn) for _ in range(count)] for kind in kinds}, Random(split))
        for split, count in SYNTHETIC.items()
    }


def _of_folder(data_dir: str, folder: str, rare: float) -> dict[str, Collection]:
    """Return the documents of a folder, in splits by document, with questions that are made of their sentences."""
    documents = documents_in(data_dir, folder)
    if len(documents) < 3:
        raise DataError(
            f"the folder {folder} has {len(documents)} documents, but training, validation and testing need one each; "
            "give at least 3"
        )
    few = rare_words(documents, rare)
    shuffled = Random("documents").sample(documents, len(documents))
    held = max(1, len(documents) // HELD_OUT)
    chosen = {"train": shuffled[2 * held :], "validation": shuffled[held : 2 * held], "test": shuffled[:held]}
    return {split: with_cloze_questions(tuple(found), few, Random(split)) for split, found in chosen.items()}


CARD = TaskCard(
    name="lookup",
    summary="Answer questions about a collection of documents, from those sentences that share words with the question.",
    paper=("miller2016",),
    inputs=("stories",),
    unit="answers",
)
