import re

import pytest

from memtape.automata import (
    DFA,
    PDA,
    AutomatonError,
    CounterMachine,
    Grammar,
    TuringMachine,
    TwoStackMachine,
    parse,
    read,
)

EVEN = """# an even number of 1s
dfa
alphabet: 0 1
start: e
accept: e

e 0 -> e
e 1 -> o
o 0 -> o
o 1 -> e
"""
STACK = "pda\nalphabet: ( )\nstack: A\nstart: q\naccept: q\nq ( empty -> q push A\nq ( A -> q push A\nq ) A -> q pop\n"
COUNTER = (
    "counter machine\nalphabet: a b\ncounters: 1\nstart: p\naccept: p q\np a * -> p +\np b + -> q -\nq b + -> q -\n"
)
TAPE = "turing machine\nalphabet: _ 1\nstart: p\naccept: q\np 1 -> p 1 right\np _ -> q 1 stay\n"
STACKS = "two-stack machine\nstart: m\nm 0 * -> m pop push0\nm 1 * -> m pop push1\n"


def test_each_kind_of_machine_is_read():
    assert isinstance(parse(EVEN), DFA)
    assert isinstance(parse(STACK), PDA)
    assert isinstance(parse(COUNTER), CounterMachine)
    assert isinstance(parse(TAPE), TuringMachine)
    assert isinstance(parse(STACKS), TwoStackMachine)
    assert isinstance(parse("grammar\n0.5 S -> a S\n0.5 S -> a"), Grammar)


def test_the_machines_do_what_their_texts_describe():
    assert parse(EVEN).accepts("0110")
    assert not parse(EVEN).accepts("01")
    assert parse(STACK).accepts("(())")
    assert not parse(STACK).accepts("(()")
    assert parse(STACK.replace("accept: q", "accept: q\nempty: no")).accepts("(()")
    assert parse(COUNTER).accepts("aabb")
    assert not parse(COUNTER).accepts("aab")
    assert parse(COUNTER.replace("start", "zero: no\nstart")).accepts("aab")
    assert parse(TAPE).output("11") == ("1", "1", "1")
    assert parse("grammar\n0.5 S -> a S\n0.5 S -> a").weight("aa") == 0.25


def test_a_file_is_read_with_any_line_ends(tmp_path):
    path = tmp_path / "even.txt"
    path.write_bytes(EVEN.replace("\n", "\r\n").encode())
    assert read(path) == parse(EVEN)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the text is empty, but its first line is the kind of machine; write one of dfa, pda, counter machine,"),
        ("nfa\n", "the text starts with 'nfa', but its first line is the kind of machine; write one of dfa"),
        (
            EVEN.replace("o 1 -> e\n", ""),
            "the text: state o has no transition for '1', but a DFA has one for every symbol",
        ),
        (
            EVEN.replace("o 1 -> e", "o 2 -> e"),
            "the text, line 10: the symbol is '2', but it is one of 0 1; correct the line",
        ),
        (
            EVEN.replace("o 1 -> e", "o 0 -> e"),
            "the text, line 10: the line 'o 0 -> e' is a second transition for the same state and symbols, but the machine is "
            "deterministic; remove one of them",
        ),
        (
            EVEN.replace("o 1 -> e", "o 1 e"),
            "line 10: the line is 'o 1 e', but a transition is 'state symbol -> state'",
        ),
        (EVEN.replace("start: e\n", ""), "the text has no line 'start: ...', but a dfa needs it; add the line"),
        (
            EVEN.replace("start: e", "start: e o"),
            "the text has 2 words in 'start: ...', but it takes one; correct the line",
        ),
        (
            EVEN.replace("start: e", "start: e\nstart: e"),
            "the text, line 5: 'start: ...' is given twice; leave one out",
        ),
        (EVEN.replace("start: e", "begin: e"), "a line 'begin: ...', but a dfa has alphabet, start, accept; remove it"),
        (STACK.replace("pop", "drop"), "line 8: the action is 'drop', but it is one of keep pop; correct the line"),
        (STACK.replace("q pop", "q push B"), "line 8: the pushed symbol is 'B', but it is one of A; correct the line"),
        (STACK.replace("q ( A", "q ( B"), "line 7: the top is 'B', but it is one of A empty; correct the line"),
        (
            STACK.replace("q\nq", "q\nempty: maybe\nq", 1),
            "the text has 'maybe' in 'empty: ...', but it takes yes or no",
        ),
        (
            COUNTER.replace("p a *", "p a **"),
            "line 6: the tests are '**' and the changes '+', but there are 1 counters",
        ),
        (COUNTER.replace("p a *", "p a ?"), "line 6: the test is '?', but it is one of 0 + *; correct the line"),
        (COUNTER.replace("counters: 1", "counters: none"), "the text has 'none' counters, but there is at least one"),
        (
            TAPE.replace("stay", "halt"),
            "line 6: the move is 'halt', but it is one of left stay right; correct the line",
        ),
        (STACKS.replace("m 1 *", "m x *"), "line 4: the top is 'x', but it is one of 0 1 empty *; correct the line"),
        ("grammar\nS a b", "line 2: the line is 'S a b', but a rule is 'A -> symbols' or 'weight A -> symbols'"),
        ("grammar\nstart: S\nS -> a", "the text has a line 'start: ...', but a grammar has no such lines; remove it"),
    ],
)
def test_a_malformed_text_is_refused_in_one_sentence(text, message):
    with pytest.raises(AutomatonError, match=re.escape(message)):
        parse(text)


def test_the_error_names_the_file(tmp_path):
    path = tmp_path / "m.txt"
    path.write_text(EVEN.replace("o 1 -> e", "o 2 -> e"))
    with pytest.raises(AutomatonError, match=re.escape(f"{path}, line 10: the symbol is '2'")):
        read(path)
    with pytest.raises(
        AutomatonError, match=r"none.txt cannot be read \(No such file or directory\); give the text file"
    ):
        read(tmp_path / "none.txt")
    path.write_bytes(b"dfa \xff")
    with pytest.raises(AutomatonError, match=r"is not UTF-8 at byte 4; save it as UTF-8"):
        read(path)
