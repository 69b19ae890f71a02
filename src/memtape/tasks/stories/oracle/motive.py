"""Motives: why people act; the answers of task 20."""

from memtape.tasks.stories.oracle.reading import lower
from memtape.tasks.stories.story import Sentence

PLACES = {"hungry": "kitchen", "thirsty": "kitchen", "bored": "garden", "tired": "bedroom"}


def where_or_why(sentences: tuple[Sentence, ...], question: Sentence) -> str:
    """Answer "Where will X go?" and "Why did X go to the place?" or "Why did X get the object?"."""
    words = lower(question)
    state = next(last for name, *_, last in map(lower, sentences) if name == words[2] and last in PLACES)
    return PLACES[state] if words[0] == "where" else state
