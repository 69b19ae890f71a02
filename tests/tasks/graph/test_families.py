"""Families: invariants of every family tree."""

import pytest

from memtape.tasks.graph.families import (
    ENGLISH,
    ITALIAN,
    RELATIONS,
    facts_of,
    family,
    hinton_families,
    synthetic_family,
)

ALL = {
    **{tree.nodes[0]: tree for tree in hinton_families()},
    **{f"synthetic {number}": synthetic_family(number) for number in range(64)},
}


@pytest.fixture(params=ALL)
def tree(request):
    return ALL[request.param]


def test_every_relation_has_its_inverse(tree):
    words = {(source, target): word for source, word, target in tree.edges}
    back = {
        "husband": {"wife"},
        "wife": {"husband"},
        "brother": {"sister"},
        "sister": {"brother"},
        "father": {"son", "daughter"},
        "mother": {"son", "daughter"},
        "son": {"father", "mother"},
        "daughter": {"father", "mother"},
    }
    assert len(words) == len(tree.edges)
    assert all(words[target, source] in back[word] for (source, target), word in words.items())
    assert set(tree.words) <= set(RELATIONS)


def test_relations_are_unique_and_couples_share_their_children(tree):
    known = {(source, word): target for source, word, target in tree.edges}
    assert len(known) == len(tree.edges)
    for (person, word), other in known.items():
        assert person != other
        if word in ("son", "daughter"):
            spouse = known.get((person, "wife"), known.get((person, "husband")))
            assert known[spouse, word] == other
        if word in ("brother", "sister"):
            assert known[person, "mother"] == known[other, "mother"]


def test_children_are_drawn_below_their_parents_and_no_two_people_overlap(tree):
    for source, word, target in tree.edges:
        higher = {"father": 1, "mother": 1, "son": -1, "daughter": -1}.get(word, 0)
        difference = tree.places[target][1] - tree.places[source][1]
        assert (difference > 0) - (difference < 0) == higher
    assert len(set(tree.places)) == len(tree.nodes)


def test_the_families_of_hinton_are_two_of_twelve_people():
    assert [len(tree.nodes) for tree in hinton_families()] == [12, 12]
    assert [len(tree.edges) for tree in hinton_families()] == [40, 40]
    facts = set(facts_of(ENGLISH)) | set(facts_of(ITALIAN))
    assert ("Charlotte", "mother", "Victoria") in facts
    assert ("Emilio", "sister", "Lucia") in facts
    assert ("Colin", "father", "James") in facts


def test_synthetic_families_differ():
    trees = [synthetic_family(number) for number in range(64)]
    assert len({tree.edges for tree in trees}) > 20
    assert {len(tree.nodes) for tree in trees} <= set(range(7, 23))
    assert synthetic_family(3) == synthetic_family(3)


def test_a_family_can_be_a_couple():
    alone = family("two", facts_of([("Jon", "Ada", None, None)]))
    assert alone.nodes == ("Ada", "Jon")
    assert alone.edges == ((0, "husband", 1), (1, "wife", 0))
