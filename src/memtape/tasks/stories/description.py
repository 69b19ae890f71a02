"""Description: the numbers that describe the stories of a task."""

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass

from memtape.tasks.stories.story import Story

Shares = dict[Hashable, float]
"""The share of each value, the commonest first; all shares add up to 1."""


@dataclass(frozen=True, slots=True)
class Description:
    """Averages and shares over stories.

    Attributes:
        questions: mean number of questions of a story.
        sentences: mean number of sentences of a story.
        longest: largest number of sentences of a story.
        words: number of different words in sentences and questions, in lower case.
        answers: share of each answer.
        supports: share of each number of supports.
        gaps: share of each number of sentences between two questions.
        ages: share of each number of sentences between a question and its last support.
    """

    questions: float
    sentences: float
    longest: int
    words: int
    answers: Shares
    supports: Shares
    gaps: Shares
    ages: Shares

    @property
    def majority_error(self) -> float:
        """The share of questions that the commonest answer does not answer."""
        return 1 - max(self.answers.values())


def described(stories: tuple[Story, ...]) -> Description:
    """Describe stories, which have questions with supports."""
    questions = [question for story in stories for question in story.questions]
    lengths = [len(story.sentences) for story in stories]
    texts = [text for story in stories for text in story.sentences] + [question.words for question in questions]
    return Description(
        questions=len(questions) / len(stories),
        sentences=sum(lengths) / len(stories),
        longest=max(lengths),
        words=len({word.lower() for text in texts for word in text}),
        answers=_shares(question.answer for question in questions),
        supports=_shares(len(question.supports) for question in questions),
        gaps=_shares(gap for story in stories for gap in _gaps(story)),
        ages=_shares(question.position - 1 - max(question.supports) for question in questions),
    )


def _gaps(story: Story) -> Iterator[int]:
    before = 0
    for question in story.questions:
        yield question.position - before
        before = question.position


def _shares(values: Iterable[Hashable]) -> Shares:
    counts = Counter(values)
    total = sum(counts.values())
    return {value: count / total for value, count in counts.most_common()}
