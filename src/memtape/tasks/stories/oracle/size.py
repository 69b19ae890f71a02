"""Sizes: what fits in what, by steps; the answers of task 18."""

from memtape.tasks.stories.oracle.reading import lower
from memtape.tasks.stories.story import Sentence


def is_larger(sentences: tuple[Sentence, ...], question: Sentence) -> str:
    """Answer "Does X fit in Y?" and "Is X bigger than Y?" by all that follows from the sentences."""
    larger_than: dict[str, list[str]] = {}
    for sentence in map(lower, sentences):
        large, small = _compared(sentence)
        larger_than.setdefault(small, []).append(large)
    large, small = _compared(lower(question)[1:])
    reached = [small]
    for thing in reached:
        reached += [larger for larger in larger_than.get(thing, ()) if larger not in reached]
    return "yes" if large in reached else "no"


def _compared(words: Sentence) -> tuple[str, str]:
    """Return the larger and the smaller of two things."""
    middle = next(index for index, word in enumerate(words) if word in ("fit", "fits", "bigger"))
    things = [word for word in words[:middle] if word not in ("is", "the")]
    others = [word for word in words[middle + 1 :] if word not in ("in", "inside", "than", "the")]
    first, second = " ".join(things), " ".join(others)
    return (first, second) if words[middle] == "bigger" else (second, first)
