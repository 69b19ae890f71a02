"""Machines with a stack, with counters, with two stacks and with a tape."""

import random
import re
from dataclasses import replace
from itertools import product

import pytest

from memtape.automata import (
    PDA,
    AutomatonError,
    CounterMachine,
    StackMove,
    TapeMove,
    TuringMachine,
    TwoStackMachine,
    brackets,
    busy_beaver,
    equal_counts,
    increment,
    palindromes,
    parse,
)


def balanced(word):
    before = None
    while word != before:
        before, word = word, word.replace("()", "").replace("[]", "")
    return not word


def test_a_pushdown_automaton_accepts_balanced_words():
    machine = brackets()
    for length in range(7):
        for word in map("".join, product("()[]", repeat=length)):
            assert machine.accepts(word) == balanced(word), word


def test_the_run_of_a_pushdown_automaton_ends_at_a_rejected_symbol():
    assert brackets().run("([)(") == (("q", ("(",)), ("q", ("(", "[")), None, None)
    open_too = replace(brackets(), empty_stack=False)
    assert open_too.accepts("([")
    assert not open_too.accepts("(]")


def test_a_counter_machine_accepts_a_n_b_n_c_n():
    machine = equal_counts()
    for length in range(8):
        for word in map("".join, product("abc", repeat=length)):
            third = length // 3
            assert machine.accepts(word) == (word == "a" * third + "b" * third + "c" * third), word
    assert machine.run("aab") == (("A", (1, 1)), ("A", (2, 2)), ("B", (1, 2)))


def test_the_busy_beaver_halts_after_14_steps_with_six_ones():
    machine = busy_beaver()
    run = machine.run("", steps=100)
    assert len(run) - 1 == 14
    assert run[-1].halted
    assert list(run[-1].tape.values()) == ["1"] * 6
    assert [configuration.state for configuration in run[:5]] == ["A", "B", "C", "C", "C"]
    assert machine.output("") == ("1",) * 6
    assert machine.accepts("")
    with pytest.raises(AutomatonError, match=r"the machine has not halted on '' after 13 steps; give more steps"):
        machine.output("", steps=13)


def test_a_turing_machine_adds_1_and_another_accepts_palindromes():
    for number in range(70):
        assert "".join(increment().output(f"{number:b}"[::-1])) == f"{number + 1:b}"[::-1]
    machine = palindromes()
    for length in range(7):
        for word in map("".join, product("ab", repeat=length)):
            assert machine.accepts(word) == (word == word[::-1]), word


def test_a_machine_of_two_stacks_moves_one_stack_to_the_other():
    mover = parse("two-stack machine\nstart: m\nm 0 * -> m pop push0\nm 1 * -> m pop push1")
    draw = random.Random(0)
    for _ in range(20):
        bits = "".join(draw.choice("01") for _ in range(draw.randrange(10)))
        last = mover.run(bits, "01", steps=20)[-1]
        assert last.stacks == ("", bits[::-1] + "01")
        assert last.halted


STACK = {"alphabet": "ab", "stack_alphabet": "Z", "start": "p", "accepting": {"p"}}
COUNTER = {"alphabet": "ab", "counters": 1, "start": "p", "accepting": {"p"}}
TAPE = {"alphabet": "_1", "start": "p"}


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: PDA(**STACK, transitions={("p", "c", None): StackMove(state="p")}),
            "the transition of state p for 'c' with top 'empty' reads 'c', but the alphabet is a b; add the symbol",
        ),
        (
            lambda: PDA(**STACK, transitions={("p", "a", "Y"): StackMove(state="p")}),
            "with top 'Y' uses 'Y', but the stack alphabet is Z; add it there",
        ),
        (
            lambda: PDA(**STACK, transitions={("p", "a", "Z"): StackMove(state="p", push="Z", pop=True)}),
            "pops and pushes, but one step does one of both; keep the replaced symbol in the state",
        ),
        (
            lambda: PDA(**STACK, transitions={("p", "a", None): StackMove(state="p", pop=True)}),
            "pops, but the stack is empty there; remove the pop",
        ),
        (
            lambda: PDA(**STACK, transitions={("q", "a", None): StackMove(state="q")}),
            "the start is 'p', but no transition leaves it",
        ),
        (
            lambda: CounterMachine(**COUNTER, transitions={("p", "c", (True,)): ("p", (0,))}),
            "the transition of state p for 'c' reads 'c', but the alphabet is a b; add the symbol",
        ),
        (
            lambda: CounterMachine(**COUNTER, transitions={("p", "a", (True,)): ("p", (0, 0))}),
            "has 1 tests and 2 changes, but there are 1 counters; give one of each",
        ),
        (
            lambda: CounterMachine(**COUNTER, transitions={("p", "a", (True,)): ("p", (2,))}),
            "changes counter 0 by 2, but a counter changes by -1, 0 or 1; use more states",
        ),
        (
            lambda: CounterMachine(**COUNTER, transitions={("p", "a", (False,)): ("p", (-1,))}),
            "decreases counter 0, which is 0 there; remove the change or test for +",
        ),
        (
            lambda: CounterMachine(**{**COUNTER, "accepting": {"z"}}, transitions={("p", "a", (True,)): ("p", (0,))}),
            "the accepting states contain 'z', but no transition has this state; correct its name",
        ),
        (
            lambda: TuringMachine(**TAPE, transitions={("p", "1"): TapeMove(state="p", write="2", move="left")}),
            "the transition of state p for '1' uses '2', but the alphabet is _ 1; add the symbol",
        ),
        (
            lambda: TuringMachine(**TAPE, transitions={("p", "1"): TapeMove(state="p", write="1", move="up")}),
            "moves 'up', but a head moves left, stay or right; choose one of them",
        ),
        (
            lambda: TwoStackMachine(start="p", transitions={("p", "2", "0"): ("p", "keep", "keep")}),
            "has the top '2', but tops are 0, 1, empty; choose one of them",
        ),
        (
            lambda: TwoStackMachine(start="p", transitions={("p", "1", "0"): ("p", "push", "keep")}),
            "has the change 'push', but changes are keep, pop, push0, push1; choose one of them",
        ),
        (
            lambda: TwoStackMachine(start="p", transitions={("p", "1", "empty"): ("p", "keep", "pop")}),
            "pops stack 2, which is empty there; remove the pop",
        ),
        (lambda: brackets().accepts("(a"), "the word has the symbol 'a' at position 1, but the alphabet is ( ) [ ]"),
        (
            lambda: TwoStackMachine(start="p", transitions={("p", "1", "0"): ("p", "keep", "keep")}).run("12", steps=1),
            "the stack is '12', but it holds bits; give a text of 0 and 1, the top first",
        ),
    ],
)
def test_a_malformed_machine_is_refused(shapes_unchecked, build, message):
    with pytest.raises(AutomatonError, match=re.escape(message)):
        build()
