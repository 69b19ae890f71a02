"""Worked machines: small machines of the textbooks, one or more of each kind with a stack, with counters and with a tape."""

from typing import cast

from memtape.automata.definitions.counters import CounterMachine
from memtape.automata.definitions.pda import PDA
from memtape.automata.definitions.text_format import parse
from memtape.automata.definitions.turing import TuringMachine


def brackets() -> PDA:
    """Return the pushdown automaton that accepts balanced words of two types of brackets, and the empty word.

    Example:
        >>> brackets().accepts("([])()"), brackets().accepts("([)]")
        (True, False)
    """
    text = """pda
    alphabet: ( ) [ ]
    stack: ( [
    start: q
    accept: q
    q ( empty -> q push (
    q ( ( -> q push (
    q ( [ -> q push (
    q [ empty -> q push [
    q [ ( -> q push [
    q [ [ -> q push [
    q ) ( -> q pop
    q ] [ -> q pop
    """
    return cast(PDA, parse(text))


def equal_counts() -> CounterMachine:
    r"""Return the machine with two counters that accepts $a^n b^n c^n$.

    The first counter is the number of a minus that of b, the second one the number of a minus that of c.

    Example:
        >>> equal_counts().accepts("aabbcc"), equal_counts().accepts("aabbc")
        (True, False)
    """
    text = """counter machine
    alphabet: a b c
    counters: 2
    start: A
    accept: A B C
    A a ** -> A ++
    A b +* -> B -0
    B b +* -> B -0
    B c 0+ -> C 0-
    C c 0+ -> C 0-
    """
    return cast(CounterMachine, parse(text))


def increment() -> TuringMachine:
    """Return the machine that adds 1 to a binary number, written with the lowest bit first.

    Example:
        >>> "".join(increment().output("11"))  # 3 + 1 = 4
        '001'
    """
    text = """turing machine
    alphabet: _ 0 1
    start: carry
    accept: done
    carry 1 -> carry 0 right
    carry 0 -> done 1 stay
    carry _ -> done 1 stay
    """
    return cast(TuringMachine, parse(text))


def palindromes() -> TuringMachine:
    """Return the machine that accepts palindromes of a and b: it erases the first and the last symbol while they are equal.

    Example:
        >>> palindromes().accepts("abba"), palindromes().accepts("abb")
        (True, False)
    """
    text = """turing machine
    alphabet: _ a b
    start: first
    accept: yes
    first _ -> yes _ stay
    first a -> find_a _ right
    first b -> find_b _ right
    find_a a -> find_a a right
    find_a b -> find_a b right
    find_a _ -> last_a _ left
    find_b a -> find_b a right
    find_b b -> find_b b right
    find_b _ -> last_b _ left
    last_a a -> back _ left
    last_a b -> no b stay
    last_a _ -> yes _ stay
    last_b b -> back _ left
    last_b a -> no a stay
    last_b _ -> yes _ stay
    back a -> back a left
    back b -> back b left
    back _ -> first _ right
    """
    return cast(TuringMachine, parse(text))


def busy_beaver() -> TuringMachine:
    """Return the machine of three states and two symbols that writes the most ones on an empty tape: 6, in 14 steps.

    Example:
        >>> busy_beaver().output("")
        ('1', '1', '1', '1', '1', '1')

    References:
        Lin & Rado (1965), "Computer studies of Turing machine problems", Journal of the ACM 12, doi:10.1145/321264.321270.
    """
    text = """turing machine
    alphabet: 0 1
    start: A
    accept: H
    A 0 -> B 1 right
    A 1 -> H 1 right
    B 0 -> C 0 right
    B 1 -> B 1 right
    C 0 -> C 1 left
    C 1 -> A 1 left
    """
    return cast(TuringMachine, parse(text))
