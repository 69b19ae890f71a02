"""Times of a day: moves given out of order; the answers of task 14."""

from memtape.tasks.stories.oracle.reading import lower
from memtape.tasks.stories.story import Sentence

TIMES = ("yesterday", "morning", "afternoon", "evening")


def where_before(sentences: tuple[Sentence, ...], question: Sentence) -> str:
    """Answer "Where was X before the place?": the place before the last visit, in order of time."""
    words = lower(question)
    visits = sorted((_time(sentence), _place(sentence)) for sentence in map(lower, sentences) if words[2] in sentence)
    places = [place for _, place in visits]
    last_visit = len(places) - 1 - places[::-1].index(words[-1])
    return places[last_visit - 1]


def _time(sentence: Sentence) -> int:
    return next(index for index, time in enumerate(TIMES) if time in sentence)


def _place(sentence: Sentence) -> str:
    return sentence[sentence.index("the") + 1]
