"""World: people who move, and take, drop and give objects, all at random."""

from collections.abc import Iterator
from random import Random

from memtape.tasks.stories.event import Event

PEOPLE = ("Daniel", "John", "Mary", "Sandra")
PLACES = ("bathroom", "bedroom", "garden", "hallway", "kitchen", "office")
OBJECTS = ("apple", "football", "milk")

CARRYING = ("move", "take", "drop")
"""The actions of people who do not give objects to each other."""

OFTEN = {"move": 5, "take": 6, "drop": 6, "give": 20}
"""How often each action is drawn, as measured in the public files where it is possible."""


class World:
    """People and objects at places, which are not stated at the start.

    Args:
        random: source of all draws.
        actions: what people do: "move", "take", "drop" and "give".
        people: the names of the people.
    """

    def __init__(self, random: Random, actions: tuple[str, ...] = ("move",), people: tuple[str, ...] = PEOPLE) -> None:
        self.random = random
        self.people = people
        self.actions = actions
        self.events: list[Event] = []
        """What has happened."""
        self._place_of = {name: random.choice(PLACES) for name in (*people, *OBJECTS)}
        self._holder_of: dict[str, str] = {}

    def step(self) -> Event:
        """Draw a person and an action until it is possible, and carry it out."""
        while True:
            person = self.random.choice(self.people)
            (action,) = self.random.choices(self.actions, [OFTEN[action] for action in self.actions])
            things = self._possible(action, person)
            receivers = [other for other in self.people if other != person and self._together(person, other)]
            if things and (action != "give" or receivers):
                receiver = self.random.choice(receivers) if action == "give" else ""
                event = Event(action, (person,), self.random.choice(things), receiver)
                self._carry_out(event)
                self.events.append(event)
                return event

    @property
    def facts(self) -> list[int]:
        """The index of the event of each fact; a gift has two."""
        return [index for index, event in enumerate(self.events) for _ in range(2 if event.receiver else 1)]

    def moves(self, people: tuple[str, ...], start: int = 0, end: int | None = None) -> list[int]:
        """Return the indices of the moves of people among the events from `start` to `end`."""
        return [
            start + index
            for index, event in enumerate(self.events[start:end])
            if event.action == "move" and event.people == people
        ]

    def last_transfers(self, indices: list[int]) -> Iterator[int]:
        """Yield those of the indices that are the last transfer of an object."""
        for index in indices:
            event = self.events[index]
            is_last = all(other.thing != event.thing for other in self.events[index + 1 :])
            if event.action != "move" and is_last:
                yield index

    def last_take(self, thing: str) -> int:
        """Return the index of the event in which an object was last taken."""
        return max(i for i, event in enumerate(self.events) if event.action == "take" and event.thing == thing)

    def gifts(self, *, people: tuple[str, ...] = (), thing: str = "", receiver: str = "") -> list[int]:
        """Return the indices of the gifts by people, of an object, and to a receiver, as far as they are given."""
        return [
            index
            for index, event in enumerate(self.events)
            if event.action == "give"
            and people in ((), event.people)
            and thing in ("", event.thing)
            and receiver in ("", event.receiver)
        ]

    def carried(self, person: str) -> list[str]:
        """Return the objects that a person carries."""
        return [thing for thing in OBJECTS if self._holder_of.get(thing) == person]

    @staticmethod
    def is_transfer(event: Event, person: str) -> bool:
        """Return whether a person takes, drops, gives or receives an object in an event."""
        return event.action != "move" and person in (*event.people, event.receiver)

    def _possible(self, action: str, person: str) -> list[str]:
        """Return the places or objects of an action."""
        if action == "move":
            return [place for place in PLACES if place != self._place_of[person]]
        if action == "take":
            return [thing for thing in OBJECTS if thing not in self._holder_of and self._together(person, thing)]
        return self.carried(person)

    def _together(self, one: str, other: str) -> bool:
        return self._place_of[one] == self._place_of[other]

    def _carry_out(self, event: Event) -> None:
        person = event.people[0]
        if event.action == "move":
            carried = (thing for thing, holder in self._holder_of.items() if holder == person)
            self._place_of |= dict.fromkeys((person, *carried), event.thing)
        elif event.action == "drop":
            del self._holder_of[event.thing]
        else:
            self._holder_of[event.thing] = event.receiver or person
