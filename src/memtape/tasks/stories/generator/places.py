"""Places: where people and objects are or were; the tasks 1, 2, 3 and 6."""

from random import Random

from memtape.tasks.stories.generator.draft import Draft, interleaved, recent
from memtape.tasks.stories.generator.wording import SELDOM, sentence
from memtape.tasks.stories.generator.world import CARRYING, PLACES, World
from memtape.tasks.stories.story import Story


def where_is_person(random: Random) -> Story:
    """Generate a story of task 1: people move; where is one of them?"""
    world, draft = World(random), Draft()

    def ask() -> None:
        person = world.events[recent(random, world.facts)[0]].people
        last = world.moves(person)[-1]
        draft.ask(f"Where is {person[0]}", world.events[last].thing, (last,))

    return interleaved(draft, lambda: draft.state(sentence(random, world.step())), ask)


def where_is_object(random: Random) -> Story:
    """Generate a story of task 2: where is an object, which was dropped or is carried about?"""
    world, draft = World(random, CARRYING), Draft()

    def ask() -> None:
        for index in world.last_transfers(recent(random, world.facts)):
            event = world.events[index]
            is_dropped = event.action == "drop"
            moves = world.moves(event.people, *((0, index) if is_dropped else (index, None)))
            if moves:
                draft.ask(f"Where is the {event.thing}", world.events[moves[-1]].thing, (index, moves[-1]))
                return

    return interleaved(draft, lambda: draft.state(sentence(random, world.step())), ask)


def where_was_object(random: Random) -> Story:
    """Generate a story of task 3: where was an object before it was at a place?

    The person who carried it last moved at least twice with it.
    """
    world, draft = World(random, CARRYING), Draft()

    def ask() -> None:
        for index in world.last_transfers(recent(random, world.facts)):
            event = world.events[index]
            end = index if event.action == "drop" else None
            moves = world.moves(event.people, world.last_take(event.thing), end)
            places = [world.events[move].thing for move in moves]
            last_visits = [visit for visit in range(1, len(places)) if places[visit] not in places[visit + 1 :]]
            if last_visits:
                visit = random.choice(last_visits)
                question = f"Where was the {event.thing} before the {places[visit]}"
                draft.ask(question, places[visit - 1], (index, moves[visit], moves[visit - 1]))
                return

    return interleaved(draft, lambda: draft.state(sentence(random, world.step(), there=SELDOM)), ask)


def is_person_there(random: Random) -> Story:
    """Generate a story of task 6: is a person at a place? Half of the answers are "yes"."""
    world, draft = World(random, CARRYING), Draft()

    def ask() -> None:
        for index in recent(random, world.facts):
            event = world.events[index]
            if event.action == "move" and index == world.moves(event.people)[-1]:
                is_yes = random.random() < 0.5
                place = event.thing if is_yes else random.choice([place for place in PLACES if place != event.thing])
                draft.ask(f"Is {event.people[0]} in the {place}", "yes" if is_yes else "no", (index,))
                return

    return interleaved(draft, lambda: draft.state(sentence(random, world.step())), ask)
