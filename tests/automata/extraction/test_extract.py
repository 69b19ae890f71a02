import random
import re

import pytest
import torch

import memtape
from memtape.automata import DFA, AutomatonError, compile, extract, parse, tomita
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


def marked(dfa):
    """Return an automaton that reads ^ and . as well, and accepts a word of the other between the two."""
    transitions = {("begin", symbol): "wrong" for symbol in "01."} | {("begin", "^"): dfa.start}
    transitions |= {(state, symbol): "wrong" for state in (*dfa.states, "right", "wrong") for symbol in "01^."}
    transitions |= dfa.transitions | {(state, "."): "right" for state in dfa.accepting}
    return DFA(alphabet="0^1.", transitions=transitions, start="begin", accepting={"right"})


@pytest.mark.parametrize("method", ["lstar", "clusters"])
def test_symbols_around_words_are_read_by_the_network_alone(method):
    network = compile(marked(tomita(5)), into="elman").network
    found = extract(network, "0^1.", before="^", after=".", method=method, held_out=(10, 11))
    assert found.dfa == tomita(5).minimise()
    assert found.agreement == {10: 1.0, 11: 1.0}


def test_of_two_classes_the_second_accepts():
    one = compile(tomita(4), into="elman").network
    two = memtape.Elman(**{**one.configuration, "output_size": 2}).double()
    weights = one.state_dict()
    weights["cell.to_output.weight"] = torch.cat([torch.zeros(1, 9), weights["cell.to_output.weight"]])
    weights["cell.to_output.bias"] = torch.cat([torch.zeros(1), weights["cell.to_output.bias"]]) + 30
    two.load_state_dict(weights)
    assert extract(two, "01", empty=True, held_out=()).dfa == tomita(4).minimise()


def test_agreement_counts_accepted_words_that_are_rare():
    network = compile(tomita(1), into="elman").network
    with torch.no_grad():  # 1...1 is rejected at last
        network.cell.cell.from_hidden.weight[1, 1] = 0.99
    found = extract(network, "01", empty=True, longest=10, held_out=(10, 1000))
    assert found.dfa == tomita(1).minimise()
    assert found.agreement == {10: 1.0, 1000: 0.5}


def test_bad_arguments_are_refused(shapes_unchecked):
    network = compile(tomita(1)).network
    for words, options in [
        ("the alphabet has 3 symbols, but the network reads 2; give a symbol for each", {"alphabet": "abc"}),
        ("before is '^', but the alphabet is 0 1; give one of its symbols, or None", {"before": "^"}),
        ("after is '', but the alphabet is 0 1; give", {"after": ""}),
        ("all symbols are before or after words, but words need", {"before": "0", "after": "1"}),
        ("empty is None, but the network has no output for the empty word; state whether", {"empty": None}),
        (
            "the network has 4 outputs, but one that accepts words has a number or two",
            {"network": memtape.GRU(2, 4, hidden_size=3)},
        ),
    ]:
        with pytest.raises(AutomatonError, match=re.escape(words)):
            extract(**{"network": network, "alphabet": "01", "empty": True, **options})
    with pytest.raises(ValueError, match=r"method is 'guess', but it must be one of 'lstar', 'clusters'"):
        extract(network, "01", empty=True, method="guess")
    with pytest.raises(ValueError, match=r"epsilon is 0.0, but it must be finite and above 0"):
        extract(network, "01", empty=True, epsilon=0.0)
    with pytest.raises(AutomatonError, match=r"the alphabet has the symbol '0' twice"):
        extract(network, "00", empty=True)
