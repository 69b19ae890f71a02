"""Event: an action of people, and the verbs that state it."""

from dataclasses import dataclass

MOVED = ("moved", "went", "went back", "travelled", "journeyed")
TOOK = ("got", "grabbed", "took", "picked up")
DROPPED = ("dropped", "discarded", "left", "put down")
GAVE = ("gave", "handed", "passed")


@dataclass(frozen=True, slots=True)
class Event:
    """An action of people: a move to a place, or the transfer of an object.

    Attributes:
        action: "move", "take", "drop" or "give".
        people: who acts.
        thing: the place or the object.
        receiver: who is given the object; otherwise empty.
    """

    action: str
    people: tuple[str, ...]
    thing: str
    receiver: str = ""
