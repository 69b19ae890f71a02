"""Species: what follows for an individual from its species; the tasks 15 and 16."""

from random import Random

from memtape.tasks.stories.generator.draft import Draft
from memtape.tasks.stories.story import Story

NAMES = ("Emily", "Gertrude", "Jessica", "Winona")
PLURALS = {"cat": "cats", "mouse": "mice", "sheep": "sheep", "wolf": "wolves"}
QUESTIONS = 4

INDIVIDUALS = ("Bernhard", "Brian", "Greg", "Julius", "Lily")
SPECIES = ("frog", "lion", "rhino", "swan")
COLOURS = ("gray", "green", "white", "yellow")


def deduction(random: Random) -> Story:
    """Generate a story of task 15: each species is afraid of another; of what is an individual afraid?

    The species of an individual is stated after what this species is afraid of.
    """
    draft = Draft()
    feared: dict[str, str] = {}
    species_of: dict[str, str] = {}
    index_of: dict[str, int] = {}
    while len(index_of) < len(NAMES) + len(PLURALS):
        name, species = random.choice(NAMES), random.choice(tuple(PLURALS))
        if random.random() < 0.5:
            if species not in feared:
                feared[species] = random.choice([other for other in PLURALS if other != species])
                index_of[species] = len(index_of)
                draft.state(f"{PLURALS[species].capitalize()} are afraid of {PLURALS[feared[species]]}")
        elif name not in species_of and species in feared:
            species_of[name] = species
            index_of[name] = len(index_of)
            draft.state(f"{name} is a {species}")
    for name in random.choices(NAMES, k=QUESTIONS):
        species = species_of[name]
        draft.ask(f"What is {name.lower()} afraid of", feared[species], (index_of[name], index_of[species]))
    return draft.story()


def induction(random: Random) -> Story:
    """Generate a story of task 16: which colour has an individual whose species has others with a colour?

    As in the public files, the answer is the colour of the individual of the species that was introduced last, which
    may differ from that of others: a stated colour holds for those whose species has been stated.
    """
    while True:
        species_of = {name: random.choice(SPECIES) for name in INDIVIDUALS}
        order = _steps(random)
        asked = order[-1]
        mates = [name for name in INDIVIDUALS if species_of[name] == species_of[asked] and name != asked]
        if len(mates) in (1, 3, 4):  # two never occur in the public files
            break
    draft = Draft()
    colour_of: dict[str, str] = {}
    species_at: dict[str, int] = {}
    colour_at: dict[str, int] = {}
    for index, name in enumerate(order[:-1]):
        species = species_of[name]
        if name not in species_at:
            species_at[name] = index
            draft.state(f"{name} is a {species}")
            continue
        colour = colour_of.get(name, random.choice(COLOURS))
        for other in species_at:
            if species_of[other] == species:
                colour_of.setdefault(other, colour)
        colour_at[name] = index
        draft.state(f"{name} is {colour}")
    mate = max(mates, key=species_at.__getitem__)
    supports = (species_at[asked], species_at[mate], colour_at[mate])
    draft.ask(f"What color is {asked}", colour_of[mate], supports)
    return draft.story()


def _steps(random: Random) -> list[str]:
    """Return a random order of names, each twice: for its species and for its colour."""
    left = [name for name in INDIVIDUALS for _ in range(2)]
    order = []
    while left:
        order.append(random.choice(sorted(set(left))))
        left.remove(order[-1])
    return order
