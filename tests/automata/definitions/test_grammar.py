from itertools import product

import pytest

from memtape.automata import AutomatonError, Grammar, Rule, parse


def test_the_parses_of_a_binary_tree_are_the_catalan_numbers():
    grammar = parse("grammar\nS -> a S S\nS -> a")
    assert [grammar.weight("a" * length) for length in range(1, 14, 2)] == [1, 1, 2, 5, 14, 42, 132]
    assert [grammar.weight("a" * length) for length in range(0, 14, 2)] == [0] * 7


def test_the_inside_probabilities_are_the_published_ones():
    grammar = parse("grammar\n0.4 S -> a S S\n0.6 S -> a")
    found = [grammar.weight("a" * length) for length in (1, 3, 5, 7, 9)]
    assert found == pytest.approx([0.6, 0.144, 0.06912, 0.041472, 0.02786918], abs=1e-8)


def test_a_grammar_of_palindromes_accepts_palindromes():
    grammar = parse("grammar\nS -> a S a\nS -> b S b\nS -> a a\nS -> b b")
    assert not grammar.in_normal_form()
    assert grammar.normalised().in_normal_form()
    for length in range(9):
        for word in map("".join, product("ab", repeat=length)):
            assert grammar.accepts(word) == (word == word[::-1] and length > 0 and length % 2 == 0), word


def test_the_parts_of_a_grammar():
    grammar = parse("grammar\nS -> ( B\nB -> )\nB -> ( B B")
    assert (grammar.start, grammar.nonterminals, grammar.alphabet) == ("S", ("S", "B"), ("(", ")"))
    assert str(grammar.rules[2]) == "B -> ( B B"


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ([], r"the grammar has no rules, .* give one or more"),
        (
            [Rule(left="S", right=())],
            r"the right side of rule 1, S -> , is empty, but every rule reads at least one symbol",
        ),
        (
            [Rule(left="S", right=("a",), weight=-1.0)],
            r"the weight of rule 1, S -> a, is -1.0, but weights are not negative",
        ),
        ([Rule(left="S", right=("a",))] * 2, r"the rule S -> a is given twice; leave one out"),
    ],
)
def test_a_malformed_grammar_is_refused(rules, message):
    with pytest.raises(AutomatonError, match=message):
        Grammar(rules=rules)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("S -> S a\nS -> a", r"the rule S -> S a starts with the nonterminal S, but the normal form has"),
        ("S -> a S S S\nS -> a", r"the rule S -> a S S S has 3 symbols after the first, but .* rewrite the rule"),
    ],
)
def test_a_grammar_without_the_normal_form_is_refused(text, message):
    with pytest.raises(AutomatonError, match=message):
        parse(f"grammar\n{text}").weight("aa")
