"""Pushdown automata extracted from networks with a stack behave as the automata from which the networks were compiled."""

from itertools import product

import pytest
import torch

from memtape import StackRNN
from memtape.automata import PDA, AutomatonError, StackMove, brackets, compile, extract_pda
from memtape.automata.extraction.state_merging import merged

SYMBOLS = brackets().alphabet


def equal_numbers() -> PDA:
    """Return an automaton of words with as many a as b, whose state is the sign of the difference."""
    moves = {}
    for state, more, less in (("a", "a", "b"), ("b", "b", "a")):
        moves[state, more, "x"] = StackMove(state=state, push="x")
        moves[state, less, "x"] = StackMove(state=state, pop=True)
        for other in ("a", "b"):
            moves[state, other, None] = StackMove(state=other, push="x")
    return PDA(alphabet="ab", stack_alphabet="x", transitions=moves, start="a", accepting={"a", "b"})


def marked_middle() -> PDA:
    """Return an automaton that accepts a^n c b^m with m <= n, by its state alone."""
    moves = {("up", "a", top): StackMove(state="up", push="x") for top in (None, "x")}
    moves |= {("up", "c", top): StackMove(state="down") for top in (None, "x")}
    moves["down", "b", "x"] = StackMove(state="down", pop=True)
    return PDA(alphabet="abc", stack_alphabet="x", transitions=moves, start="up", accepting={"down"}, empty_stack=False)


def words(alphabet, longest):
    return [word for length in range(1, longest + 1) for word in product(alphabet, repeat=length)]


@pytest.mark.parametrize(("machine", "longest"), [(brackets, 6), (equal_numbers, 9), (marked_middle, 7)])
def test_compiled_automata_are_found_again(machine, longest):
    pda = machine()
    found = extract_pda(compile(pda).network, pda.alphabet, words(pda.alphabet, longest - 1))
    assert found.complete
    assert found.agreement == 1
    assert found.pda.empty_stack == pda.empty_stack
    assert all(found.pda.accepts(word) == pda.accepts(word) for word in words(pda.alphabet, longest))
    assert len(found.pda.states) <= len(pda.states) + 2 < found.states


def test_words_longer_than_those_that_were_observed_are_accepted():
    found = extract_pda(compile(brackets()).network, SYMBOLS, words(SYMBOLS, 6))
    assert found.pda.accepts("([" * 100 + "])" * 100)
    assert not found.pda.accepts("([" * 100 + "]]" + "])" * 99)


def test_the_agreement_is_that_with_the_network_as_it_is():
    """A network whose actions are nearly even is not the automaton of its most probable actions."""
    network = compile(brackets()).network
    with torch.no_grad():
        linear = network.cell.machine.interface.head_parameters.linear
        linear.weight[:3] *= 1e-3
        linear.bias[:3] *= 1e-3
    found = extract_pda(network, SYMBOLS, words(SYMBOLS, 5))
    assert not found.complete
    assert found.agreement < 1


def test_the_answers_may_be_read_from_the_outputs_in_another_way():
    network = compile(marked_middle()).network
    opposite = extract_pda(network, "abc", words("abc", 6), accepts=lambda outputs: outputs[..., 0] < 0)
    assert all(
        opposite.pda.accepts(word) != marked_middle().accepts(word) for word in words("abc", 6) if word[0] == "c"
    )


def test_states_are_merged_unless_something_contradicts_it():
    steps = [{"a": (1, "push")}, {"a": (2, "push"), "b": (3, "pop")}, {}, {"b": (0, "pop")}]
    assert merged(steps, [None, None, None, None]) == [0, 0, 0, 0]
    assert merged(steps, [True, None, None, False]) == [0, 0, 0, 1]
    assert merged([{"a": (1, "push")}, {"a": (0, "pop")}], [None, None]) == [0, 1]
    assert merged([{"a": (1, "push")}, {"a": (2, "push")}, {"a": (2, "pop")}], [None] * 3) == [0, 1, 2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((StackRNN(4, 1, stacks=2), SYMBOLS), "the network has 2 stacks, but a pushdown automaton has one"),
        ((StackRNN(4, 1, stacks=1), "()"), "the alphabet has 2 symbols, but the network reads 4"),
        (
            (torch.nn.Linear(4, 1), SYMBOLS),
            "the network is a Linear, but a pushdown automaton is extracted from a StackRNN",
        ),
    ],
)
def test_unfit_networks_are_refused_in_one_sentence(arguments, message):
    with pytest.raises(AutomatonError, match=message):
        extract_pda(*arguments, words(SYMBOLS, 2))


def test_too_few_words_are_refused():
    with pytest.raises(AutomatonError, match="2 words are not empty, but some are observed and some held out"):
        extract_pda(StackRNN(2, 1, stacks=1), "ab", ["", "a", "ab", "a"])
