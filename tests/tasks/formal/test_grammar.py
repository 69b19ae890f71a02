"""Grammars: weights of strings by a fixed point over the rules as they are written, and frequencies of drawn strings."""

import itertools
import math

import pytest
import torch

from memtape.core.task import generator_for
from memtape.tasks.formal.dyck import dyck_grammar
from memtape.tasks.formal.grammar.grammar import Grammar
from memtape.tasks.formal.grammar.inside import inside_weights
from memtape.tasks.formal.grammar.layout import laid_out
from memtape.tasks.formal.grammar.rules import rule_set

GRAMMARS = {
    "brackets, empty": ({"S": [("( S )", 0.5), ("S S", 0.25), ("", 0.25)]}, "()"),
    "palindromes": ({"S": [("a S a", 0.3), ("b S b", 0.5), ("", 0.2)]}, "ab"),
    "ambiguous": ({"S": [("a S", 0.4), ("S a", 0.3), ("b", 2.0)]}, "ab"),
    "unary chain": (
        {"S": [("T", 0.5), ("a", 0.1)], "T": [("S", 0.3), ("U", 0.4), ("b T", 0.2)], "U": [("b", 1)]},
        "ab",
    ),
    "three children": (
        {"S": [("T a T S T b", 0.5), ("b", 1.0)], "T": [("", 0.3), ("a", 0.2), ("a T b", 0.4)]},
        "ab",
    ),
    "terminals between": ({"S": [("a S b S a", 0.7), ("S a a S", 0.2), ("b", 0.6)]}, "ab"),
}


def weights_by_fixed_point(rules, string):
    """Return the weight of a string for the first nonterminal: weights of all spans, iterated from zero."""
    places = range(len(string) + 1)
    weight = {(head, i, j): 0.0 for head in rules for i in places for j in range(i, len(string) + 1)}

    def of_body(body, i, j):
        if not body:
            return float(i == j)
        if body[0] not in rules:
            return of_body(body[1:], i + 1, j) if i < j and string[i] == body[0] else 0.0
        return sum(weight[body[0], i, k] * of_body(body[1:], k, j) for k in range(i, j + 1))

    for _ in range(60):
        weight = {
            (head, i, j): sum(w * of_body(tuple(body.split()), i, j) for body, w in rules[head])
            for head, i, j in weight
        }
    return weight[next(iter(rules)), 0, len(string)]


@pytest.mark.parametrize("name", GRAMMARS)
@pytest.mark.parametrize("length", [1, 2, 3, 4])
def test_weights_of_strings_are_those_of_all_derivations(name, length):
    rules, terminals = GRAMMARS[name]
    strings = list(itertools.product(range(len(terminals)), repeat=length))
    layout = laid_out(rule_set(rules, tuple(terminals)), 1.0)
    found = inside_weights(layout, torch.tensor(strings).numpy(), torch.full((len(strings),), length).numpy())
    expected = [weights_by_fixed_point(rules, [terminals[s] for s in string]) for string in strings]
    assert found.tolist() == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("name", GRAMMARS)
def test_probabilities_of_one_length_add_up_to_1_and_are_the_frequencies_of_drawn_strings(name):
    rules, terminals = GRAMMARS[name]
    grammar = Grammar(rules, tuple(terminals))
    length, rows = grammar.valid_lengths(6)[-1], 4000
    every = list(itertools.product(range(len(terminals)), repeat=length))
    chances = [math.exp(p) for p in grammar.log_probabilities(torch.tensor(every), torch.full((len(every),), length))]
    assert sum(chances) == pytest.approx(1, rel=1e-9)
    drawn, _ = grammar.sample(torch.full((rows,), length), generator_for(name))
    counts = dict.fromkeys(every, 0)
    for string in drawn.tolist():
        counts[tuple(string)] += 1
    for string, chance in zip(every, chances, strict=True):
        assert abs(counts[string] / rows - chance) <= 5 * math.sqrt(chance * (1 - chance) / rows)


def test_strings_of_different_lengths_are_weighed_and_drawn_together():
    grammar = dyck_grammar(2)
    lengths = torch.tensor([2, 8, 4])
    strings, _ = grammar.sample(lengths, generator_for("together"))
    assert strings.shape == (3, 8)
    assert not strings[0, 2:].any()
    together = grammar.log_probabilities(strings, lengths)
    for row, length in enumerate(lengths.tolist()):
        alone = grammar.log_probabilities(strings[row : row + 1, :length], lengths[row : row + 1])
        assert together[row] == pytest.approx(alone[0])


def test_the_weights_of_a_string_with_catalan_many_derivations():
    layout = laid_out(rule_set({"S": [("a S S", 0.4), ("a", 0.6)]}, "a"), 1.0)
    expected = {1: 0.6, 3: 0.144, 5: 0.06912, 7: 0.041472, 9: 0.02786918}
    for length, weight in expected.items():
        strings = torch.zeros(1, length, dtype=torch.long).numpy()
        assert inside_weights(layout, strings, torch.tensor([length]).numpy())[0] == pytest.approx(weight, rel=1e-6)
    ones = laid_out(rule_set({"S": [("a S S", 1.0), ("a", 1.0)]}, "a"), 1.0)
    strings = torch.zeros(1, 13, dtype=torch.long).numpy()
    assert inside_weights(ones, strings, torch.tensor([13]).numpy())[0] == 132


def test_a_string_outside_the_language_has_no_probability():
    assert dyck_grammar(1).log_probabilities(torch.tensor([[1, 0]]), torch.tensor([2])) == [-math.inf]


def test_large_weights_and_long_strings_do_not_overflow():
    rules = {"S": [("W S", 5.0), ("W", 1e-3)], "W": [("a", 10.0), ("b", 10.0)]}
    grammar = Grammar(rules, ("a", "b"))
    strings, _ = grammar.sample(torch.tensor([500]), generator_for("long"))
    (found,) = grammar.log_probabilities(strings, torch.tensor([500]))
    assert found == pytest.approx(-500 * math.log(2))
    assert dyck_grammar(2).valid_lengths(500) == list(range(2, 501, 2))


def test_an_inverted_rule_reverses_the_translation_of_its_body():
    rules = {"A": [("S P", 1.0)], "P": [("v O", 1.0)], "S": [("s", 1.0)], "O": [("o", 1.0), ("o O", 1.0)]}
    grammar = Grammar(rules, ("s", "v", "o"), inverted=["v O"])
    symbols, places = grammar.sample(torch.tensor([5]), generator_for("inverted"))
    assert symbols.tolist() == [[0, 1, 2, 2, 2]]
    assert places.tolist() == [[0, 4, 1, 2, 3]]
    nested = Grammar({"A": [("a A b", 1.0), ("c", 1.0)]}, ("a", "b", "c"), inverted=["a A b"])
    assert nested.sample(torch.tensor([5]), generator_for(0))[1].tolist() == [[4, 3, 2, 1, 0]]


def test_a_symbol_without_rules_is_refused():
    with pytest.raises(
        ValueError, match="the rules use 'T', which is neither a terminal nor has rules; add one of them"
    ):
        Grammar({"S": [("a T", 1.0)]}, ("a",))
