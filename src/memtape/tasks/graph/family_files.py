"""Family files: the two families of Hinton from a public list of facts."""

from memtape.tasks.data_folder import DataSet
from memtape.tasks.graph.families import RELATIONS, Fact, family
from memtape.tasks.graph.named_graph import NamedGraph

FILE = "hinton1986_triples.tsv"

KINSHIP = DataSet(
    name="Hinton's families",
    folder="kinship_hinton",
    source="the repository TeamCohen/TensorLog on GitHub, whose facts it lists",
    counts={FILE: 112},
)

PASSED_OVER = ("aunt", "nephew", "niece", "uncle")
"""Words that somebody can have two of, and that follow from the others."""


def read(data_dir: str) -> tuple[NamedGraph, ...]:
    """Return the families, in the order of the first of their people.

    Raises:
        DataError: the file is missing, or is not what it should be.
    """
    path = KINSHIP.path(data_dir, FILE)
    lines = KINSHIP.text(data_dir, FILE).splitlines()
    KINSHIP.check_count(path, len(lines), "facts")
    facts: list[Fact] = []
    for number, line in enumerate(lines):
        parts = line.split("\t")
        if len(parts) != 3 or parts[1] not in (*RELATIONS, *PASSED_OVER) or not all(parts):
            raise KINSHIP.damaged(path, f"has in line {number + 1} no person, word and person, but {line[:60]!r}")
        person, word, other = parts
        if word in RELATIONS:
            facts.append((person, word, other))
    calls = [(person, word) for person, word, _ in facts]
    if len(set(calls)) < len(calls):
        person, word = next(call for call in calls if calls.count(call) > 1)
        raise KINSHIP.damaged(path, f"says twice who is the {word} of {person[:40]}")
    pairs = {(person, other) for person, _, other in facts}
    for person, other in sorted(pairs):
        if (other, person) not in pairs:
            raise KINSHIP.damaged(path, f"says who {other[:40]} is to {person[:40]}, but not the other way round")
    return tuple(family("family", part) for part in _apart(facts))


def _apart(facts: list[Fact]) -> list[list[Fact]]:
    """Return the facts of people who have to do with one another, family by family."""
    left, parts = sorted(facts), []
    while left:
        people, before = {left[0][0]}, 0
        while len(people) > before:
            before = len(people)
            people |= {name for person, _, other in left for name in (person, other) if {person, other} & people}
        parts.append([fact for fact in left if fact[0] in people])
        left = [fact for fact in left if fact[0] not in people]
    return parts
