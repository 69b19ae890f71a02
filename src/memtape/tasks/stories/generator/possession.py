"""Possession: who carries what, and who gave it; the tasks 5, 7 and 8."""

from random import Random

from memtape.tasks.stories.generator.draft import Draft, interleaved, recent
from memtape.tasks.stories.generator.wording import sentence
from memtape.tasks.stories.generator.world import CARRYING, World
from memtape.tasks.stories.story import Story

NUMBERS = ("none", "one", "two", "three")
GIVERS = ("Bill", "Fred", "Jeff", "Mary")
RECEIVED = 0.2
"""Probability that a question about a gift is about the receiver."""


def who_gave_what(random: Random) -> Story:
    """Generate a story of task 5: who gave what to whom?

    A question has one answer, unlike about 0.2% of the questions in the public files, which ask what a person gave to
    another who received several objects.
    """
    world, draft = World(random, (*CARRYING, "give"), GIVERS), Draft()

    def ask() -> None:
        for index in recent(random, world.facts):
            event = world.events[index]
            if event.action != "give" or index != world.gifts(thing=event.thing)[-1]:
                continue
            giver, thing, receiver = event.people[0], event.thing, event.receiver
            questions = [
                (f"Who gave the {thing}", giver),
                (f"Who gave the {thing} to {receiver}", giver),
                (f"Who received the {thing}", receiver),
                (f"Who did {giver} give the {thing} to", receiver),
            ]
            if index == world.gifts(people=event.people, receiver=receiver)[-1]:
                questions += [(f"What did {giver} give to {receiver}", thing)] * 2
            draft.ask(*random.choice(questions), (index,))
            return

    return interleaved(draft, lambda: draft.state(sentence(random, world.step())), ask)


def how_many(random: Random) -> Story:
    """Generate a story of task 7: how many objects does a person carry?"""
    world, draft = World(random, (*CARRYING, "give")), Draft()

    def ask() -> None:
        person = _person(random, world)
        if person:
            things = world.carried(person)
            supports = [index for index, event in enumerate(world.events) if world.is_transfer(event, person)]
            draft.ask(f"How many objects is {person} carrying", NUMBERS[len(things)], supports)

    return interleaved(draft, lambda: draft.state(sentence(random, world.step())), ask)


def what_carried(random: Random) -> Story:
    """Generate a story of task 8: which objects does a person carry?

    The answer has them in the order in which the person first took them, as in the public files.
    """
    world, draft = World(random, CARRYING), Draft()

    def ask() -> None:
        person = _person(random, world)
        if person:
            indices = [index for index, event in enumerate(world.events) if world.is_transfer(event, person)]
            taken = list(dict.fromkeys(world.events[index].thing for index in indices))
            held = world.carried(person)
            answer = ",".join(thing for thing in taken if thing in held) or "nothing"
            supports = [index for thing in taken for index in indices if world.events[index].thing == thing]
            draft.ask(f"What is {person} carrying", answer, supports)

    return interleaved(draft, lambda: draft.state(sentence(random, world.step())), ask)


def _person(random: Random, world: World) -> str:
    """Return a person whose last transfer is recent, or an empty name."""
    for index in recent(random, world.facts):
        event = world.events[index]
        person = event.receiver if event.receiver and random.random() < RECEIVED else event.people[0]
        later = world.events[index + 1 :]
        if event.action != "move" and not any(world.is_transfer(other, person) for other in later):
            return person
    return ""
