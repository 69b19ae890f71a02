"""Statements: what was last stated about where a person is, or is not; the answers of the tasks 9 and 10."""

from memtape.tasks.stories.oracle.reading import lower
from memtape.tasks.stories.story import Sentence


def is_stated(sentences: tuple[Sentence, ...], question: Sentence) -> str:
    """Answer "Is X in the place?" by the last sentence about X: yes, no, or maybe."""
    words = lower(question)
    person, place = words[1], words[-1]
    last = next(sentence for sentence in map(lower, reversed(sentences)) if sentence[0] == person)
    if "either" in last:
        return "maybe" if place in last else "no"
    is_negated = "not" in last or "no" in last
    return "yes" if last[-1] == place and not is_negated else "no"
