"""World: people who move, and take, drop and give objects, all at random."""

from random import Random

from memtape.tasks.stories.event import Event

PEOPLE = ("Daniel", "John", "Mary", "Sandra")
PLACES = ("bathroom", "bedroom", "garden", "hallway", "kitchen", "office")
OBJECTS = ("apple", "football", "milk")

OFTEN = {"move": 5, "take": 6, "drop": 6, "give": 20}
"""How often each action is drawn, as measured in the public files where it is possible."""


class World:
    """People and objects at places, which are not stated at the start.

    Args:
        random: source of all draws.
        people: the names of the people.
        actions: what they do: "move", "take", "drop" and "give".
    """

    def __init__(self, random: Random, people: tuple[str, ...] = PEOPLE, actions: tuple[str, ...] = ("move",)) -> None:
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

    def _possible(self, action: str, person: str) -> list[str]:
        """Return the places or objects of an action."""
        if action == "move":
            return [place for place in PLACES if place != self._place_of[person]]
        if action == "take":
            return [thing for thing in OBJECTS if thing not in self._holder_of and self._together(person, thing)]
        return [thing for thing in OBJECTS if self._holder_of.get(thing) == person]

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
