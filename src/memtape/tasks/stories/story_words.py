"""Story words: whole stories with all their questions as sequences of words, with a marker where an answer is due."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch

from memtape.tasks.ragged import Ragged
from memtape.tasks.stories.numbered_task import NumberedExamples
from memtape.tasks.stories.story import Story

ANSWER, STOP, ASK = "-", ".", "?"
"""The word in place of each word of an answer, and those that end a sentence and a question."""

Step = tuple[str, str]
"""The word of a step, and the word of an answer that is due there; `ANSWER` for none."""


def steps_of(story: Story) -> Iterator[Step]:
    """Yield the steps of a story: its sentences and questions in order, each question followed by its answer.

    Words are in lower case. An answer of several words, such as "milk,apple", takes a step for each.
    """
    questions = list(story.questions)
    for position in range(len(story.sentences) + 1):
        while questions and questions[0].position == position:
            asked = questions.pop(0)
            yield from ((word, ANSWER) for word in (*map(str.lower, asked.words), ASK))
            yield from ((ANSWER, word) for word in asked.answer.lower().split(","))
        if position < len(story.sentences):
            yield from ((word, ANSWER) for word in (*map(str.lower, story.sentences[position]), STOP))


def vocabulary_of(stories: Iterable[Story]) -> tuple[str, ...]:
    """Return the name of each symbol: `ANSWER`, `STOP` and `ASK`, then all words of stories and answers, sorted."""
    found = {word for story in stories for step in steps_of(story) for word in step}
    return (ANSWER, STOP, ASK, *sorted(found - {ANSWER, STOP, ASK}))


@dataclass(frozen=True)
class StoryWords(NumberedExamples):
    """Stories as sequences of symbols."""

    words: Ragged
    """The symbol of each step."""
    answers: Ragged
    """The symbol of the word of an answer at each step; that of `ANSWER`, which is 0, where none is due."""

    @classmethod
    def of(cls, stories: Mapping[int, Sequence[Story]], symbols: Mapping[str, int]) -> "StoryWords":
        """Return stories as symbols.

        Args:
            stories: the stories of each task.
            symbols: the symbol of each word.
        """
        laid_out = [(number, tuple(steps_of(story))) for number, told in stories.items() for story in told]
        return cls(
            origins=torch.tensor([number for number, _ in laid_out]),
            words=Ragged.of([[symbols[word] for word, _ in steps] for _, steps in laid_out]),
            answers=Ragged.of([[symbols[answer] for _, answer in steps] for _, steps in laid_out]),
        )
