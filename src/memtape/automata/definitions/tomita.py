"""Tomita: the minimal automata of the seven languages over 0 and 1 that networks were first asked to learn."""

from memtape.automata.definitions.dfa import DFA
from memtape.core import checks

_TABLES: dict[int, tuple[list[list[int]], set[int]]] = {
    1: ([[1, 0], [1, 1]], {0}),
    2: ([[2, 1], [0, 2], [2, 2]], {0}),
    3: ([[0, 1], [2, 0], [4, 3], [3, 3], [2, 4]], {0, 1, 4}),
    4: ([[1, 0], [2, 0], [3, 0], [3, 3]], {0, 1, 2}),
    5: ([[1, 2], [0, 3], [3, 0], [2, 1]], {0}),
    6: ([[1, 2], [2, 0], [0, 1]], {0}),
    7: ([[0, 1], [2, 1], [2, 3], [4, 3], [4, 4]], {0, 1, 2, 3}),
}

_IMMEDIATE = ([[0, 1], [2, 0], [3, 4], [2, 1], [4, 4]], {0, 1, 3})


def tomita(number: int, *, later: bool = True) -> DFA:
    r"""Return the minimal automaton of one of Tomita's languages.

    1: $1^*$. 2: $(10)^*$. 3: no odd run of 0s after an odd run of 1s. 4: no 000. 5: an even number of 0s and an even number
    of 1s. 6: the numbers of 0s and of 1s differ by a multiple of 3. 7: $0^* 1^* 0^* 1^*$.

    Args:
        number: number of the language, 1 to 7.
        later: the reading of language 3: an odd run of 0s is forbidden anywhere after an odd run of 1s; if false, directly
            after it only. Both readings are in use; 100110 is the shortest word that only the second accepts.

    Raises:
        ValueError: there is no such language, or `later` is false for another language than 3.

    References:
        Tomita (1982), "Dynamic construction of finite automata from examples using hill-climbing", Proceedings of the
        4th Annual Conference of the Cognitive Science Society.
    """
    checks.at_least(1, number=number)
    if number not in _TABLES:
        raise ValueError(f"number is {number}, but Tomita's languages are 1 to 7; choose one of them")
    if number != 3 and not later:
        raise ValueError(f"later is False, but only language 3 has two readings, not language {number}; leave it out")
    table, accepting = _TABLES[number] if later else _IMMEDIATE
    return DFA.from_table(table, accepting)
