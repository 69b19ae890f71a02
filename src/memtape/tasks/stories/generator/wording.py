"""Wording: events as sentences."""

from random import Random

from memtape.tasks.stories.event import DROPPED, GAVE, MOVED, TOOK, Event

THEN = ("Afterwards", "Then", "After that", "Following that")
SELDOM = 0.2
"""Probability of an optional "there"."""


def sentence(random: Random, event: Event, *, there: float = 1.0) -> str:
    """Return the sentence of an event, in one of its wordings.

    Args:
        random: source of all draws.
        event: what happens.
        there: probability that the sentence about taking an object ends in "there".
    """
    person, thing = event.people[0], event.thing
    if event.action == "move":
        return f"{person} {moved(random, thing)}"
    if event.action == "give":
        return f"{person} {random.choice(GAVE)} the {thing} to {event.receiver}"
    verbs, often = (TOOK, there) if event.action == "take" else (DROPPED, SELDOM)
    return f"{person} {random.choice(verbs)} the {thing}{' there' if random.random() < often else ''}"


def moved(random: Random, place: str) -> str:
    """Return a verb of moving and the place."""
    return f"{random.choice(MOVED)} to the {place}"
