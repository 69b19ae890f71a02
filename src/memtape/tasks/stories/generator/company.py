"""Company: people who move together, and pronouns that refer to them; the tasks 11, 12 and 13."""

from random import Random

from memtape.tasks.stories.generator.draft import Draft, interleaved, recent
from memtape.tasks.stories.generator.wording import THEN, moved
from memtape.tasks.stories.generator.world import PEOPLE, PLACES
from memtape.tasks.stories.story import Story

PRONOUNS = {"Daniel": "he", "John": "he", "Mary": "she", "Sandra": "she"}


def coreference(random: Random) -> Story:
    """Generate a story of task 11: a person moves, and then "he" or "she" moves."""
    return _moves(random, size=1, refers=True)


def conjunction(random: Random) -> Story:
    """Generate a story of task 12: two people move together."""
    return _moves(random, size=2, refers=False)


def compound_coreference(random: Random) -> Story:
    """Generate a story of task 13: two people move together, and then "they" move."""
    return _moves(random, size=2, refers=True)


def _moves(random: Random, *, size: int, refers: bool) -> Story:
    """Generate moves of groups of people.

    Args:
        random: source of all draws.
        size: number of people of a group.
        refers: whether each second sentence refers to the people of the one before.
    """
    draft, place_of = Draft(), dict.fromkeys(PEOPLE, "")
    groups: list[list[str]] = []
    supports_of: dict[str, tuple[int, ...]] = {}

    def state() -> None:
        index = len(draft.sentences)
        is_second = refers and index % 2 == 1
        group = groups[-1] if is_second else random.sample(PEOPLE, size)
        groups.append(group)
        place = random.choice([place for place in PLACES if all(place_of[person] != place for person in group)])
        place_of.update(dict.fromkeys(group, place))
        supports_of.update(dict.fromkeys(group, (index - 1, index) if is_second else (index,)))
        pronoun = PRONOUNS[group[0]] if size == 1 else "they"
        subject = f"{random.choice(THEN)} {pronoun}" if is_second else " and ".join(group)
        draft.state(f"{subject} {moved(random, place)}")

    def ask() -> None:
        (person, *_) = recent(random, [person for group in groups for person in group])
        draft.ask(f"Where is {person}", place_of[person], supports_of[person])

    return interleaved(draft, state, ask)
