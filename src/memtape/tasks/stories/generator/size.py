"""Sizes: what fits in what, by two steps; task 18."""

from random import Random

from memtape.tasks.stories.generator.draft import Draft
from memtape.tasks.stories.story import Story

SMALL = ("chocolate", "box of chocolates")
"""The two smallest things, which always have this order."""
LARGE = ("box", "chest", "container", "suitcase")
SENTENCES = 5
QUESTIONS = 5


def fits(random: Random) -> Story:
    """Generate a story of task 18: does one thing fit in another, by way of a third?

    Five more sentences follow until there is such a pair. Half of the answers are "yes".
    """
    sizes = (*SMALL, *random.sample(LARGE, len(LARGE)))
    draft = Draft()
    relations: list[tuple[str, str]] = []
    chains: list[tuple[int, int]] = []
    while not chains:
        for _ in range(SENTENCES):
            small, large = (sizes[rank] for rank in sorted(random.sample(range(len(sizes)), 2)))
            relations.append((large, small))
            is_fit = random.random() < 0.5
            draft.state(f"The {small} fits inside the {large}" if is_fit else f"The {large} is bigger than the {small}")
        indices = sorted({relations.index(relation) for relation in relations})
        chains = [
            (upper, lower) for upper in indices for lower in indices if relations[upper][1] == relations[lower][0]
        ]
    for _ in range(QUESTIONS):
        upper, lower = random.choice(chains)
        large, small = relations[upper][0], relations[lower][1]
        is_yes, is_fit = random.random() < 0.5, random.random() < 0.5
        if not is_yes:
            large, small, upper, lower = small, large, lower, upper
        question = f"Does the {small} fit in the {large}" if is_fit else f"Is the {large} bigger than the {small}"
        draft.ask(question, "yes" if is_yes else "no", (upper, lower))
    return draft.story()
