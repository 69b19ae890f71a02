"""Generator: stories like those of each bAbI task, by simulation."""

from collections.abc import Callable, Iterator
from random import Random

from memtape.tasks.stories.generator import (
    company,
    compass,
    day,
    motive,
    places,
    possession,
    size,
    species,
    statements,
)
from memtape.tasks.stories.story import Story

GENERATORS: dict[int, Callable[[Random], Story]] = {
    1: places.where_is_person,
    2: places.where_is_object,
    3: places.where_was_object,
    4: compass.neighbour,
    5: possession.who_gave_what,
    6: places.is_person_there,
    7: possession.how_many,
    8: possession.what_carried,
    9: statements.negation,
    10: statements.alternative,
    11: company.coreference,
    12: company.conjunction,
    13: company.compound_coreference,
    14: day.where_before,
    15: species.deduction,
    16: species.induction,
    17: compass.position,
    18: size.fits,
    19: compass.path,
    20: motive.motivation,
}
"""The generator of a story, by the number of its task."""


def generated(task: int, random: Random) -> Iterator[Story]:
    """Yield stories of a task without end.

    Equal states of `random` yield equal stories, in every process.

    Args:
        task: number of the task, 1 to 20.
        random: source of all draws.
    """
    while True:
        yield GENERATORS[task](random)
