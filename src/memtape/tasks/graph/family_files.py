"""Family files: the two families of Hinton, read from a public list of facts."""

from memtape.core.text_file import lines_of
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

IGNORED = ("aunt", "nephew", "niece", "uncle")
"""Relations of which a person can have several, and which follow from the others."""


def read(data_dir: str) -> tuple[NamedGraph, ...]:
    """Read the families, sorted by the name of their first person.

    Raises:
        DataError: the file is missing or invalid.
    """
    path = KINSHIP.path(data_dir, FILE)
    lines = lines_of(KINSHIP.text(data_dir, FILE))
    KINSHIP.check_count(path, len(lines), "facts")
    facts: list[Fact] = []
    for number, line in enumerate(lines):
        parts = line.split("\t")
        if len(parts) != 3 or parts[1] not in (*RELATIONS, *IGNORED) or not all(parts):
            raise KINSHIP.damaged(
                path, f"has {line[:60]!r} on line {number + 1}, which is not a person, a relation and a person"
            )
        person, word, other = parts
        if word in RELATIONS:
            facts.append((person, word, other))
    calls = [(person, word) for person, word, _ in facts]
    if len(set(calls)) < len(calls):
        person, word = next(call for call in calls if calls.count(call) > 1)
        raise KINSHIP.damaged(path, f"names the {word} of {person[:40]} twice")
    pairs = {(person, other) for person, _, other in facts}
    for person, other in sorted(pairs):
        if (other, person) not in pairs:
            raise KINSHIP.damaged(path, f"relates {person[:40]} to {other[:40]}, but not {other[:40]} to {person[:40]}")
    return tuple(family("family", part) for part in _apart(facts))


def _apart(facts: list[Fact]) -> list[list[Fact]]:
    """Group the facts by family: the connected components of the people."""
    left, parts = sorted(facts), []
    while left:
        people, before = {left[0][0]}, 0
        while len(people) > before:
            before = len(people)
            people |= {name for person, _, other in left for name in (person, other) if {person, other} & people}
        parts.append([fact for fact in left if fact[0] in people])
        left = [fact for fact in left if fact[0] not in people]
    return parts
