"""Examples: questions about stories as tensors of symbols, one question in each row of a batch."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

from memtape.core.inputs.stories import NIL, NONE, Stories
from memtape.tasks.lengths import steps_since
from memtape.tasks.ragged import Ragged
from memtape.tasks.stories.numbered_task import NumberedExamples
from memtape.tasks.stories.story import Sentence, Story

NIL_WORD = "-"
"""The name of the symbol of an absent word."""


def vocabulary_of(stories: Iterable[Story]) -> tuple[str, ...]:
    """Return the name of each symbol: `NIL_WORD`, then all words and answers of the stories, sorted, in lower case."""
    found = {word.lower() for story in stories for words in _texts(story) for word in words}
    return (NIL_WORD, *sorted(found))


@dataclass(frozen=True)
class Examples(NumberedExamples):
    """All questions about some stories, as tensors; the sentences of a story are stored once."""

    sentences: Ragged
    """The words of all sentences of all stories, one after another."""
    first: Int[Tensor, " questions"]
    """The number of the first sentence of the story of each question."""
    counts: Int[Tensor, " questions"]
    """The number of sentences before each question."""
    questions: Ragged
    answers: Int[Tensor, " questions"]
    supports: Ragged
    """The supporting sentences of each question, counted from the first of its story."""

    @classmethod
    def of(cls, stories: Mapping[int, Sequence[Story]], symbols: Mapping[str, int]) -> "Examples":
        """Return the questions of stories, by the number of their task.

        Args:
            stories: the stories of each task.
            symbols: the symbol of each word and answer, in lower case.
        """

        def coded(words: Sentence) -> list[int]:
            return [symbols[word.lower()] for word in words]

        sentences, first, counts, questions, answers, supports, origins = ([] for _ in range(7))  # type: ignore[var-annotated]
        for origin, told in stories.items():
            for story in told:
                for question in story.questions:
                    first.append(len(sentences))
                    counts.append(question.position)
                    questions.append(coded(question.words))
                    answers.append(symbols[question.answer.lower()])
                    supports.append(question.supports)
                    origins.append(origin)
                sentences += map(coded, story.sentences)
        return cls(
            sentences=Ragged.of(sentences),
            first=torch.tensor(first),
            counts=torch.tensor(counts),
            questions=Ragged.of(questions),
            answers=torch.tensor(answers),
            supports=Ragged.of(supports),
            origins=torch.tensor(origins),
        )

    def stories(self, rows: Int[Tensor, " rows"], most: int | None = None) -> Stories:
        """Return the stories and questions of some rows.

        Args:
            rows: indices of questions.
            most: the largest number of sentences before a question; older ones are left out. None for all.
        """
        counts = self.counts[rows]
        kept = counts if most is None else counts.clamp(max=most)
        skipped = counts - kept
        sentences = int(kept.max())
        inside = steps_since(torch.zeros_like(kept), sentences) < kept[:, None]
        places = torch.where(inside, (self.first[rows] + skipped)[:, None] + torch.arange(sentences), 0)
        words, _ = (
            self.sentences.padded(places.flatten()) if places.numel() else (torch.zeros(0, 1, dtype=torch.long), None)
        )
        told = torch.where(inside[:, :, None], words.view(len(rows), sentences, words.shape[1]), NIL)
        asked, _ = self.questions.padded(rows)
        found, hops = self.supports.padded(rows)
        known = (steps_since(torch.zeros_like(hops), found.shape[1]) < hops[:, None]) & (found >= skipped[:, None])
        return Stories(sentences=told, question=asked, supports=torch.where(known, found - skipped[:, None], NONE))


def _texts(story: Story) -> Iterator[Sentence]:
    """Yield the words of each sentence and question, and each answer as one word."""
    yield from story.sentences
    for question in story.questions:
        yield question.words
        yield (question.answer,)
