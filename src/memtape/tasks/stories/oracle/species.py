"""Species: what follows for an individual from its species; the answers of the tasks 15 and 16."""

from memtape.tasks.stories.oracle.reading import lower
from memtape.tasks.stories.story import Sentence

SINGULAR = {"mice": "mouse", "wolves": "wolf", "cats": "cat", "sheep": "sheep"}


def what_feared(sentences: tuple[Sentence, ...], question: Sentence) -> str:
    """Answer "What is X afraid of?": what the species of X is afraid of, in the singular."""
    name = lower(question)[2]
    stated = [lower(sentence) for sentence in sentences]
    species = next(words[-1] for words in stated if words[0] == name)
    return next(SINGULAR[words[-1]] for words in stated if SINGULAR.get(words[0]) == species)


def what_colour(sentences: tuple[Sentence, ...], question: Sentence) -> str:
    """Answer "What color is X?": the colour of the individual of the species of X whose species was stated last."""
    name = lower(question)[-1]
    stated = [lower(sentence) for sentence in sentences]
    colour_of = {words[0]: words[-1] for words in stated if "a" not in words}
    species_of = {words[0]: words[-1] for words in stated if "a" in words}
    mates = [mate for mate, species in species_of.items() if species == species_of[name] and mate in colour_of]
    return colour_of[mates[-1]]
