"""Day: moves at the times of a day, given out of order; task 14."""

from random import Random

from memtape.tasks.stories.generator.draft import Draft, recent
from memtape.tasks.stories.generator.statements import TOWN_PEOPLE, TOWN_PLACES
from memtape.tasks.stories.generator.wording import moved
from memtape.tasks.stories.story import Story

TIMES = ("yesterday", "this morning", "this afternoon", "this evening")
BLOCK = 4
"""Number of successive moves whose order is random."""
LATEST = 6
"""Most sentences before the first question."""
QUESTIONS = 5

Move = tuple[str, int, str]
"""A person, the index of a time, and a place."""


def where_before(random: Random) -> Story:
    """Generate a story of task 14: where was a person before a place?"""
    while True:
        draft, moves = Draft(), _moves(random)
        for index, (person, time, place) in enumerate(moves):
            draft.state(_stated(random, person, TIMES[time], place))
            if index % 2 == 1:
                _ask(random, draft, moves[: index + 1])
            if len(draft.questions) == QUESTIONS:
                return draft.story()
            if index + 1 == LATEST and not draft.questions:
                break


def _moves(random: Random) -> list[Move]:
    """Return all moves: those of each person in order of time, but shuffled in blocks."""
    left = [person for person in TOWN_PEOPLE for _ in TIMES]
    moves: list[Move] = []
    place_of: dict[str, str] = {}
    while left:
        person = random.choice(sorted(set(left)))
        place = random.choice([place for place in TOWN_PLACES if place != place_of.get(person)])
        place_of[person] = place
        moves.append((person, len(TIMES) - left.count(person), place))
        left.remove(person)
    blocks = [moves[start : start + BLOCK] for start in range(0, len(moves), BLOCK)]
    return [move for block in blocks for move in random.sample(block, len(block))]


def _stated(random: Random, person: str, time: str, place: str) -> str:
    if random.random() < 0.5:
        return f"{time.capitalize()} {person} {moved(random, place)}"
    return f"{person} {moved(random, place)} {time}"


def _ask(random: Random, draft: Draft, moves: list[Move]) -> None:
    """Ask about a recent move, or, after the first question, about any, whose place is known before it."""
    indices = recent(random, range(len(moves)))
    if draft.questions:
        indices += range(len(moves))
    for index in indices:
        person, time, place = moves[index]
        index_at = {other[1]: position for position, other in enumerate(moves) if other[0] == person}
        is_last_visit = all(moves[position][2] != place for later, position in index_at.items() if later > time)
        if time - 1 in index_at and is_last_visit:
            before = index_at[time - 1]
            draft.ask(f"Where was {person} before the {place}", moves[before][2], (index, before))
            return
