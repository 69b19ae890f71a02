"""Families: family trees as graphs, with edges to parents, children, spouses and siblings."""

import random
from collections.abc import Iterable, Sequence

from memtape.tasks.graph.named_graph import NamedGraph

Couple = tuple[str, str, str | None, str | None]
"""A husband, a wife, their son and their daughter; None for a child that does not exist."""

ENGLISH: tuple[Couple, ...] = (
    ("Christopher", "Penelope", "Arthur", "Victoria"),
    ("Andrew", "Christine", "James", "Jennifer"),
    ("Arthur", "Margaret", None, None),
    ("James", "Victoria", "Colin", "Charlotte"),
    ("Charles", "Jennifer", None, None),
)
ITALIAN: tuple[Couple, ...] = (
    ("Roberto", "Maria", "Emilio", "Lucia"),
    ("Pierro", "Francesca", "Marco", "Angela"),
    ("Emilio", "Gina", None, None),
    ("Marco", "Lucia", "Alfonso", "Sophia"),
    ("Tomaso", "Angela", None, None),
)
"""The two families of Hinton (1986), "Learning distributed representations of concepts"."""

RELATIONS = ("brother", "daughter", "father", "husband", "mother", "sister", "son", "wife")
"""The words of the edges; each person has at most one relative of each kind."""

NAMES = [
    "Ada",
    "Ben",
    "Cleo",
    "Dan",
    "Eva",
    "Finn",
    "Gwen",
    "Hal",
    "Iris",
    "Jon",
    "Kate",
    "Leo",
    "Mia",
    "Ned",
    "Olga",
    "Paul",
    "Quin",
    "Rolf",
    "Sara",
    "Tom",
    "Uma",
    "Vic",
    "Wilma",
    "Xaver",
    "Yara",
    "Zeno",
    "Alma",
    "Bert",
    "Cora",
    "Dirk",
    "Elsa",
    "Fred",
]
"""Names of the people of synthetic families, alternating between women and men."""

Fact = tuple[str, str, str]
"""A person, a relation, and the relative: ("Arthur", "father", "Christopher")."""


def facts_of(couples: Iterable[Couple]) -> list[Fact]:
    """Return the relations between couples and their children."""
    facts = []
    for husband, wife, son, daughter in couples:
        facts += [(husband, "wife", wife), (wife, "husband", husband)]
        for child, word in ((son, "son"), (daughter, "daughter")):
            if child is not None:
                facts += [(child, "father", husband), (child, "mother", wife)]
                facts += [(husband, word, child), (wife, word, child)]
        if son is not None and daughter is not None:
            facts += [(son, "sister", daughter), (daughter, "brother", son)]
    return facts


def family(name: str, facts: Sequence[Fact]) -> NamedGraph:
    """Build the graph of a family; in a picture, parents are above their children and couples side by side."""
    known = {(person, word): other for person, word, other in facts}
    people = sorted({person for person, _, _ in facts})
    heights = _generations(people, known)
    rows: dict[int, list[str]] = {}
    for person in people:
        row = rows.setdefault(heights[person], [])
        spouse = known.get((person, "wife"), known.get((person, "husband")))
        row += [one for one in (person, spouse) if one is not None and one not in row]
    top = max(rows)
    places = {
        person: ((number + 0.5) / len(row), 1 - height / max(top, 1))
        for height, row in rows.items()
        for number, person in enumerate(row)
    }
    edges = tuple((people.index(person), word, people.index(other)) for person, word, other in sorted(facts))
    return NamedGraph(name, tuple(people), tuple(places[person] for person in people), edges)


def _generations(people: Sequence[str], known: dict[tuple[str, str], str]) -> dict[str, int]:
    """Return the generation of each person, counted from 0 for the oldest; spouses have the same generation."""
    heights: dict[str, int] = {}
    steps = {"father": -1, "mother": -1, "son": 1, "daughter": 1}
    first = people[0]
    heights[first], new = 0, [first]
    while new:
        person = new.pop()
        for word in RELATIONS:
            other = known.get((person, word))
            if other is not None and other not in heights:
                heights[other] = heights[person] + steps.get(word, 0)
                new.append(other)
    oldest = min(heights.values())
    return {person: height - oldest for person, height in heights.items()}


def hinton_families() -> tuple[NamedGraph, ...]:
    """Return the two families of Hinton (1986), sorted by the name of their first person."""
    trees = [family("family", facts_of(couples)) for couples in (ENGLISH, ITALIAN)]
    return tuple(sorted(trees, key=lambda tree: tree.nodes[0]))


def synthetic_family(number: int) -> NamedGraph:
    """Generate a synthetic family: three generations of couples, each with a son, a daughter, or both.

    Args:
        number: the seed of the family.

    Example:
        >>> len(synthetic_family(0).nodes), len(synthetic_family(0).edges)
        (8, 24)
    """
    chance, women, men = random.Random(number), iter(NAMES[0::2]), iter(NAMES[1::2])
    couples: list[Couple] = []
    waiting = [(next(men), next(women), 0)]
    while waiting:
        husband, wife, generation = waiting.pop(0)
        drawn = chance.random()
        son = next(men) if drawn < 0.75 else None
        daughter = next(women) if not 0.5 <= drawn < 0.75 else None
        couples.append((husband, wife, son, daughter))
        if generation < 2:
            waiting += [(son, next(women), generation + 1)] if son is not None else []
            waiting += [(next(men), daughter, generation + 1)] if daughter is not None else []
    return family("synthetic family", facts_of(couples))
