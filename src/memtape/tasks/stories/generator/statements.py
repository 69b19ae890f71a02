"""Statements: where a person is, is not, or may be; the tasks 9 and 10."""

from random import Random

from memtape.tasks.stories.generator.draft import Draft, interleaved, recent
from memtape.tasks.stories.generator.wording import moved
from memtape.tasks.stories.generator.world import PEOPLE, PLACES
from memtape.tasks.stories.story import Story

TOWN_PEOPLE = ("Bill", "Fred", "Julie", "Mary")
TOWN_PLACES = ("bedroom", "cinema", "kitchen", "office", "park", "school")

KINDS = ("move", "move", "is")
"""Half of the sentences are moves, and a quarter states a place; the others are negations or alternatives."""


def negation(random: Random) -> Story:
    """Generate a story of task 9: "X is not in the place" and "X is no longer in the place"."""
    draft, last = Draft(), _Last(random, PLACES)

    def state() -> None:
        person, kind = random.choice(PEOPLE), random.choice((*KINDS, "not"))
        if kind == "not":
            place = last.deny(person, len(draft.sentences))
            draft.state(f"{person} is {random.choice(('not', 'no longer'))} in the {place}")
        else:
            draft.state(f"{person} {last.place(person, kind, len(draft.sentences))}")

    return interleaved(draft, state, lambda: _ask(random, draft, last))


def alternative(random: Random) -> Story:
    """Generate a story of task 10: "X is either in the place or the other"."""
    draft, last = Draft(), _Last(random, TOWN_PLACES)

    def state() -> None:
        person, kind = random.choice(TOWN_PEOPLE), random.choice((*KINDS, "either"))
        if kind == "either":
            one, other = last.either(person, len(draft.sentences))
            draft.state(f"{person} is either in the {one} or the {other}")
        else:
            draft.state(f"{person} {last.place(person, kind, len(draft.sentences))}")

    return interleaved(draft, state, lambda: _ask(random, draft, last))


class _Last:
    """The last statement about each person, and where the person is in fact."""

    def __init__(self, random: Random, places: tuple[str, ...]) -> None:
        self.random = random
        self.places = places
        self.index_of: dict[str, int] = {}
        """The sentence of each person."""
        self.answers_of: dict[str, dict[str, str]] = {}
        """The answer for each place that the sentence decides; for others it is "no"."""
        self.place_of: dict[str, str] = {}

    def place(self, person: str, kind: str, index: int) -> str:
        """State a new place of a person; return the words."""
        place = self._move(person)
        self._note(person, index, {place: "yes"})
        return moved(self.random, place) if kind == "move" else f"is in the {place}"

    def deny(self, person: str, index: int) -> str:
        """State that a person has left the last place, or is not at some place; return the place."""
        answers, place = self.answers_of.get(person, {}), self.place_of.get(person)
        if "yes" in answers.values():
            denied = str(place)
        else:
            denied = self.random.choice([other for other in self.places if other != place and other not in answers])
        if denied == place:
            self._move(person)
        self._note(person, index, {denied: "no"})
        return denied

    def either(self, person: str, index: int) -> list[str]:
        """State two places, one of them right; return them."""
        place = self._move(person)
        pair = [place, self.random.choice([other for other in self.places if other != place])]
        self._note(person, index, dict.fromkeys(pair, "maybe"))
        self.random.shuffle(pair)
        return pair

    def _move(self, person: str) -> str:
        self.place_of[person] = self.random.choice(
            [place for place in self.places if place != self.place_of.get(person)]
        )
        return self.place_of[person]

    def _note(self, person: str, index: int, answers: dict[str, str]) -> None:
        self.index_of[person] = index
        self.answers_of[person] = answers


def _ask(random: Random, draft: Draft, last: _Last) -> None:
    """Ask about a person: half of the questions name the place of a statement, and all those about a negation do."""
    person = recent(random, draft.sentences)[0][0]
    answers = last.answers_of[person]
    named = next(iter(answers))
    if answers[named] != "no" and random.random() < 0.5:
        named = random.choice([place for place in last.places if place != named])
    draft.ask(f"Is {person} in the {named}", answers.get(named, "no"), (last.index_of[person],))
