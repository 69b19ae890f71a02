"""Compass and page: relations between places and between shapes; the tasks 4, 17 and 19."""

from random import Random

from memtape.tasks.stories.generator.draft import Draft
from memtape.tasks.stories.generator.world import PLACES
from memtape.tasks.stories.story import Story

OFFSETS = {"north": (0, 1), "south": (0, -1), "east": (1, 0), "west": (-1, 0)}
OPPOSITES = {"north": "south", "south": "north", "east": "west", "west": "east"}
WAYS = {"north": "above", "south": "below", "east": "to the right of", "west": "to the left of"}
"""The words for a direction on a page."""

SHAPES = ("blue square", "pink rectangle", "red sphere", "red square", "triangle", "yellow square")
QUESTIONS = 8
DECOYS = 3
OUTWARD = 2 / 3
"""Probability that a relation of the middle one of three has the outer one as its subject in task 4, as measured; and
that its subject is the middle one in task 17."""


def neighbour(random: Random) -> Story:
    """Generate a story of task 4: three places in a row; which one is a neighbour?"""
    middle, *ends = random.sample(PLACES, 3)
    direction = random.choice(tuple(OFFSETS))
    way_to = dict(zip(ends, (direction, OPPOSITES[direction]), strict=True))
    draft = Draft()
    for end, way in way_to.items():
        if random.random() < OUTWARD:
            draft.state(f"The {end} is {way} of the {middle}")
        else:
            draft.state(f"The {middle} is {OPPOSITES[way]} of the {end}")
    support = random.randrange(2)
    named, answer, way = middle, ends[support], way_to[ends[support]]
    if random.random() >= OUTWARD:
        named, answer, way = answer, named, OPPOSITES[way]
    question = f"What is {way} of the {named}" if random.random() < 0.5 else f"What is the {named} {OPPOSITES[way]} of"
    draft.ask(question, answer, (support,))
    return draft.story()


def position(random: Random) -> Story:
    """Generate a story of task 17: two shapes beside a third; is one of them above, below, left or right of the other?

    Shapes on one level are neither above nor below each other. Half of the answers are "yes".
    """
    middle, *others = random.sample(SHAPES, 3)
    ways = random.sample(tuple(OFFSETS), 2)
    draft = Draft()
    for shape, way in zip(others, ways, strict=True):
        if random.random() < OUTWARD:
            draft.state(f"The {middle} is {WAYS[OPPOSITES[way]]} the {shape}")
        else:
            draft.state(f"The {shape} is {WAYS[way]} the {middle}")
    for _ in range(QUESTIONS):
        first = random.randrange(2)
        (x, y), (other_x, other_y) = OFFSETS[ways[first]], OFFSETS[ways[1 - first]]
        is_true = {way: (x - other_x) * across + (y - other_y) * up > 0 for way, (across, up) in OFFSETS.items()}
        is_yes = random.random() < 0.5
        way = random.choice([way for way in OFFSETS if is_true[way] == is_yes])
        question = f"Is the {others[first]} {WAYS[way]} the {others[1 - first]}"
        draft.ask(question, "yes" if is_yes else "no", (first, 1 - first))
    return draft.story()


def path(random: Random) -> Story:
    """Generate a story of task 19: how does one go from a place to another, in two steps?

    Three more places are each beside a place of the path, so that the path is the only one.
    """
    places = random.sample(PLACES, len(PLACES))
    start, middle, goal = places[:3]
    first = random.choice(tuple(OFFSETS))
    second = random.choice([way for way in OFFSETS if way != OPPOSITES[first]])
    used = ((start, first), (middle, OPPOSITES[first]), (middle, second), (goal, OPPOSITES[second]))
    free = [(place, way) for place in (start, middle, goal) for way in OFFSETS if (place, way) not in used]
    relations = [(middle, first, start), (goal, second, middle)]
    relations += [
        (decoy, way, place) for decoy, (place, way) in zip(places[3:], random.sample(free, DECOYS), strict=True)
    ]
    order = _order(random, len(relations))
    draft = Draft()
    for index in order:
        place, way, origin = relations[index]
        if random.random() < 0.5:
            place, way, origin = origin, OPPOSITES[way], place
        draft.state(f"The {place} is {way} of the {origin}")
    question = f"How do you go from the {start} to the {goal}"
    draft.ask(question, f"{first[0]},{second[0]}", (order.index(0), order.index(1)))
    return draft.story()


def _order(random: Random, count: int) -> list[int]:
    """Return the relations in random order, those of the path, which are the first two, rather late."""
    left = list(range(count))
    order = []
    while left:
        order += random.choices(left, [2 if index < 2 else 3 for index in left])
        left.remove(order[-1])
    return order
