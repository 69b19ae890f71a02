"""Compass and page: relations between places and between shapes; the answers of the tasks 4, 17 and 19."""

from collections import deque
from collections.abc import Iterator

from memtape.tasks.stories.oracle.reading import lower
from memtape.tasks.stories.story import Sentence

OPPOSITES = {"north": "south", "south": "north", "east": "west", "west": "east"}
OFFSETS = {"above": (0, 1), "below": (0, -1), "left": (-1, 0), "right": (1, 0)}


def neighbour(sentences: tuple[Sentence, ...], question: Sentence) -> str:
    """Answer "What is north of the place?" and "What is the place north of?"."""
    words = lower(question)
    if words[-1] == "of":
        place, direction = words[-3], OPPOSITES[words[-2]]
    else:
        place, direction = words[-1], words[2]
    return next(found for found, way, start in _steps(sentences) if (way, start) == (direction, place))


def path(sentences: tuple[Sentence, ...], question: Sentence) -> str:
    """Answer "How do you go from the place to another?": the directions of the shortest path."""
    words = lower(question)
    start, goal = words[words.index("from") + 2], words[-1]
    steps = list(_steps(sentences))
    ways: dict[str, tuple[str, ...]] = {start: ()}
    queue = deque([start])
    while goal not in ways:
        place = queue.popleft()
        for found, direction, origin in steps:
            if origin == place and found not in ways:
                ways[found] = (*ways[place], direction[0])
                queue.append(found)
    return ",".join(ways[goal])


def _steps(sentences: tuple[Sentence, ...]) -> Iterator[tuple[str, str, str]]:
    """Yield (place, direction, origin) for each relation, in both directions."""
    for _, place, _, direction, _, _, origin in map(lower, sentences):
        yield place, direction, origin
        yield origin, OPPOSITES[direction], place


def is_positioned(sentences: tuple[Sentence, ...], question: Sentence) -> str:
    """Answer "Is the shape above another?" by the coordinates that the sentences give; "no" on the same level."""
    first, direction, second = _compared(lower(question)[1:])
    relations = [_compared(sentence) for sentence in map(lower, sentences)]
    position = {first: (0, 0)}
    for _ in relations:
        for shape, way, other in relations:
            across, up = OFFSETS[way]
            if other in position and shape not in position:
                position[shape] = (position[other][0] + across, position[other][1] + up)
            elif shape in position and other not in position:
                position[other] = (position[shape][0] - across, position[shape][1] - up)
    across, up = OFFSETS[direction]
    apart = (position[first][0] - position[second][0]) * across + (position[first][1] - position[second][1]) * up
    return "yes" if apart > 0 else "no"


def _compared(words: Sentence) -> tuple[str, str, str]:
    """Split a relation into a shape, a direction and a shape; a colour is part of its shape."""
    at = next(index for index, word in enumerate(words) if word in OFFSETS)
    left = [word for word in words[:at] if word not in ("is", "to", "the")]
    right = [word for word in words[at + 1 :] if word not in ("of", "the")]
    return " ".join(left), words[at], " ".join(right)
