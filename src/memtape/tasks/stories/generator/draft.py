"""Draft: a story while it is generated."""

from collections.abc import Callable, Iterable, Sequence
from random import Random
from typing import TypeVar

from memtape.tasks.stories.story import Question, Sentence, Story

Fact = TypeVar("Fact")

WINDOW = 5
"""Number of facts, the last ones, that questions are about."""


class Draft:
    """The sentences and questions of a story so far."""

    def __init__(self) -> None:
        self.sentences: list[Sentence] = []
        self.questions: list[Question] = []

    def state(self, text: str) -> None:
        """Add a sentence."""
        self.sentences.append(tuple(text.split()))

    def ask(self, text: str, answer: str, supports: Iterable[int]) -> None:
        """Add a question about the sentences so far."""
        self.questions.append(Question(tuple(text.split()), answer, tuple(supports), len(self.sentences)))

    def story(self) -> Story:
        """Return the story."""
        return Story(tuple(self.sentences), tuple(self.questions))


def interleaved(draft: Draft, state: Callable[[], None], ask: Callable[[], None], *, questions: int = 5) -> Story:
    """Return a story of pairs of sentences, each followed by a question if there is one.

    Args:
        draft: what `state` and `ask` add to.
        state: adds a sentence.
        ask: adds a question, or nothing if no question is possible.
        questions: number of questions of the story.
    """
    while len(draft.questions) < questions:
        state()
        state()
        ask()
    return draft.story()


def recent(random: Random, facts: Sequence[Fact]) -> list[Fact]:
    """Return the last facts in random order.

    Args:
        random: source of all draws.
        facts: what the sentences state, in order; a sentence about two people has two facts.
    """
    last = facts[-WINDOW:]
    return random.sample(last, len(last))
