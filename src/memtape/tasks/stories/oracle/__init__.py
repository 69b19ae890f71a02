"""Oracles: a program for each bAbI task that answers its questions from the words of the story."""

from collections.abc import Callable

from memtape.tasks.stories.oracle import compass, day, motive, places, possession, size, species, statements
from memtape.tasks.stories.story import Question, Sentence, Story

ORACLES: dict[int, Callable[[tuple[Sentence, ...], Sentence], str]] = {
    1: places.where_is,
    2: places.where_is,
    3: places.where_before,
    4: compass.neighbour,
    5: possession.who_gave_what,
    6: places.is_there,
    7: possession.how_many,
    8: possession.what_carried,
    9: statements.is_stated,
    10: statements.is_stated,
    11: places.where_is,
    12: places.where_is,
    13: places.where_is,
    14: day.where_before,
    15: species.what_feared,
    16: species.what_colour,
    17: compass.is_positioned,
    18: size.is_larger,
    19: compass.path,
    20: motive.where_or_why,
}
"""The answer to a question from the sentences before it, in lower case, by the number of the task."""


def is_right(task: int, story: Story, question: Question) -> bool:
    """Return whether the oracle of a task gives the answer of a question."""
    answer = ORACLES[task](story.sentences[: question.position], question.words)
    return answer == question.answer.lower()
