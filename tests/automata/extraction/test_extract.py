import random
import re

import pytest
import torch

from memtape.automata import DFA, AutomatonError, compile, dot, extract, parse, tomita
from memtape.automata.extraction.clusters import k_means

FORMS = [("elman", {}), ("elman", {"activation": "tanh"}), ("gru", {}), ("lstm", {})]


def random_minimal_dfa(seed):
    draw = random.Random(seed)
    states, symbols = draw.randrange(2, 13), "abcd"[: draw.randrange(2, 5)]
    table = [[draw.randrange(states) for _ in symbols] for _ in range(states)]
    return DFA.from_table(table, {one for one in range(states) if draw.random() < 0.5}, alphabet=symbols).minimise()


@pytest.mark.parametrize("into", range(4))
@pytest.mark.parametrize("method", ["lstar", "clusters"])
def test_the_automaton_that_was_compiled_is_extracted(into, method):
    name, options = FORMS[into]
    for seed in range(6):
        dfa = random_minimal_dfa(seed)
        network = compile(dfa, into=name, **options).network
        found = extract(network, dfa.alphabet, empty=dfa.accepts(""), method=method, held_out=(20,))
        assert found.dfa == dfa, (seed, dfa.difference(found.dfa))
        assert found.complete
        assert found.agreement == {20: 1.0}
        assert found.states >= len(dfa.states)


@pytest.mark.parametrize("number", range(1, 8))
def test_the_languages_of_tomita_are_extracted(number):
    found = extract(compile(tomita(number), into="gru").network, "01", empty=True, held_out=(10,))
    assert found.dfa == tomita(number).minimise()
    assert found.queries > 0
    assert found.samples >= 461 + 69


@pytest.mark.slow
@pytest.mark.parametrize("into", range(4))
def test_two_hundred_random_automata_are_extracted(into):
    name, options = FORMS[into]
    for seed in range(200):
        dfa = random_minimal_dfa(seed)
        network = compile(dfa, into=name, **options).network
        assert extract(network, dfa.alphabet, empty=dfa.accepts(""), held_out=()).dfa == dfa


def test_counterexamples_refute_automata_that_are_too_small():
    found = extract(compile(tomita(7)).network, "01", empty=True, held_out=())
    assert found.counterexamples
    assert len(found.counterexamples) < 5


def test_a_language_that_is_not_regular_is_reported_as_incomplete():
    counter = parse("counter machine\nalphabet: a b\ncounters: 1\nstart: p\naccept: p\np a * -> p +\np b + -> p -\n")
    found = extract(compile(counter).network, "ab", empty=True, most_states=6, held_out=())
    assert not found.complete
    assert found.states == 6


def test_k_means_finds_separate_groups():
    centres = torch.tensor([[0.0, 0.0], [5.0, 0.0], [0.0, 5.0]])
    labels = torch.arange(3).repeat(50)
    found = k_means(centres[labels] + 0.3 * torch.randn(150, 2), 3)
    assert all(len(set(found[labels == number].tolist())) == 1 for number in range(3))
    assert len(set(found.tolist())) == 3


def test_noisy_states_are_clustered():
    network = compile(tomita(5), into="gru", gain=6.0).network
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    found = extract(network, "01", empty=True, method="clusters", most_states=32)
    assert found.dfa == tomita(5).minimise()
    assert found.states <= 32


def test_an_automaton_is_written_as_a_graph():
    text = dot(DFA.from_table([[0, 1], [1, 1]], {0}, alphabet=('"', "b")))
    assert text.startswith("digraph {\n")
    assert '  "0" [shape=doublecircle];\n  "1" [shape=circle];\n' in text
    assert '  "0" -> "0" [label="\\""];' in text
    assert '  "1" -> "1" [label="\\", b"];' in text


def test_bad_arguments_are_refused(shapes_unchecked):
    network = compile(tomita(1)).network
    with pytest.raises(
        ValueError, match=re.escape("the alphabet has 3 symbols, but the network reads 2; give a symbol for")
    ):
        extract(network, "abc", empty=True)
    with pytest.raises(ValueError, match=r"method is 'guess', but it must be one of 'lstar', 'clusters'"):
        extract(network, "01", empty=True, method="guess")
    with pytest.raises(ValueError, match=r"epsilon is 0.0, but it must be finite and above 0"):
        extract(network, "01", empty=True, epsilon=0.0)
    with pytest.raises(AutomatonError, match=r"the alphabet has the symbol '0' twice"):
        extract(network, "00", empty=True)
