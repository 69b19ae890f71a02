import random

import pytest

from memtape.automata import DFA, compile, extract
from memtape.automata.extraction.oracle import Oracle
from memtape.automata.extraction.state_search import differing_word


def run_of_ones(length):
    """Return an automaton of the words with a run of 1s of at least this length."""
    table = [[0, state + 1] for state in range(length)] + [[length, length]]
    return DFA.from_table(table, {length}).minimise()


def test_accepted_words_that_random_search_misses_are_found():
    dfa = run_of_ones(12)
    network = compile(dfa, into="elman").network
    missed = extract(network, "01", empty=False, epsilon=0.1, held_out=())
    assert missed.complete
    assert len(missed.dfa.states) == 1
    found = extract(network, "01", empty=False, epsilon=0.1, cells=100, held_out=())
    assert found.dfa == dfa
    assert found.counterexamples[0] == ("1",) * 12


def test_too_few_cells_find_nothing():
    network = compile(run_of_ones(12), into="elman").network
    assert len(extract(network, "01", empty=False, epsilon=0.1, cells=5, held_out=()).dfa.states) == 1


def test_a_single_wrong_transition_is_found():
    draw = random.Random(0)
    for _ in range(10):
        table = [[draw.randrange(10) for _ in "ab"] for _ in range(10)]
        true = DFA.from_table(table, {0, 3, 4}, alphabet="ab").minimise()
        oracle = Oracle(compile(true, into="elman").network, "ab", empty=true.accepts(""))
        assert differing_word(true, oracle, cells=200) is None
        wrong = dict(true.transitions)
        wrong[draw.choice(sorted(wrong))] = draw.choice(true.states)
        other = DFA(alphabet="ab", transitions=wrong, start=true.start, accepting=true.accepting)
        word = differing_word(other, oracle, cells=200)
        assert (word is None) == true.equivalent(other)
        if word is not None:
            named = ["ab"[symbol] for symbol in word]
            assert true.accepts(named) != other.accepts(named)


def test_a_negative_number_of_cells_is_refused():
    with pytest.raises(ValueError, match=r"cells is -1, but it must be at least 0"):
        extract(compile(run_of_ones(2)).network, "01", empty=False, cells=-1)
