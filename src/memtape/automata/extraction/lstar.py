"""L*: learn an automaton from answers about words and counterexamples."""

from collections.abc import Callable, Sequence

from memtape.automata.definitions.dfa import DFA
from memtape.automata.extraction.oracle import Numbers, Oracle


def learn(
    oracle: Oracle,
    counterexample: Callable[[DFA], Numbers | None],
    *,
    most_states: int,
) -> tuple[DFA, bool]:
    """Learn a minimal automaton by L*: rows of a table are states, columns are suffixes that separate them.

    Args:
        oracle: answers whether words are accepted.
        counterexample: returns a word on which an automaton and the oracle differ, None if none was found.
        most_states: number of states at which learning stops.

    Returns:
        The automaton, and whether no counterexample was found; false if learning stopped at the number of states.

    References:
        Angluin (1987), "Learning regular sets from queries and counterexamples", Information and Computation 75,
        doi:10.1016/0890-5401(87)90052-6; Rivest & Schapire (1993), "Inference of finite automata using homing sequences",
        Information and Computation 103, doi:10.1006/inco.1993.1021: one suffix for each counterexample.
    """
    access: list[Numbers] = [()]
    suffixes: list[Numbers] = [()]
    symbols = range(len(oracle.symbols))
    while True:
        _close(oracle, access, suffixes, len(symbols), most_states)
        rows = {row: number for number, row in enumerate(_rows(oracle, access, suffixes))}
        after = _rows(oracle, [(*word, symbol) for word in access for symbol in symbols], suffixes)
        if any(row not in rows for row in after):  # the table was not closed within the number of states
            table = [
                [rows.get(after[state * len(symbols) + symbol], 0) for symbol in symbols]
                for state in range(len(access))
            ]
            return _automaton(table, rows, oracle.symbols), False
        table = [[rows[after[state * len(symbols) + symbol]] for symbol in symbols] for state in range(len(access))]
        dfa = _automaton(table, rows, oracle.symbols)
        word = counterexample(dfa)
        if word is None:
            return dfa, True
        suffixes.append(_separating_suffix(oracle, access, table, word))


def _close(oracle: Oracle, access: list[Numbers], suffixes: list[Numbers], symbols: int, most_states: int) -> None:
    """Add access words until every state has its successors, or their number is reached."""
    known = set(_rows(oracle, access, suffixes))
    place = 0
    while place < len(access):
        words = [(*word, symbol) for word in access[place:] for symbol in range(symbols)]
        place = len(access)
        for word, row in zip(words, _rows(oracle, words, suffixes), strict=True):
            if row not in known and len(access) < most_states:
                known.add(row)
                access.append(word)


def _rows(oracle: Oracle, words: Sequence[Numbers], suffixes: Sequence[Numbers]) -> list[tuple[bool, ...]]:
    answers = oracle.accepts([word + suffix for word in words for suffix in suffixes])
    width = len(suffixes)
    return [tuple(answers[first : first + width]) for first in range(0, len(answers), width)]


def _automaton(table: list[list[int]], rows: dict[tuple[bool, ...], int], alphabet: Sequence[str]) -> DFA:
    return DFA.from_table(table, {number for row, number in rows.items() if row[0]}, alphabet=alphabet)


def _separating_suffix(oracle: Oracle, access: list[Numbers], table: list[list[int]], word: Numbers) -> Numbers:
    """Return the suffix of a counterexample behind the symbol at which the automaton first leaves the oracle."""
    state, states = 0, [0]
    for symbol in word:
        state = table[state][symbol]
        states.append(state)
    answers = oracle.accepts([access[state] + word[place:] for place, state in enumerate(states)])
    place = next(place for place in range(len(word)) if answers[place] != answers[place + 1])
    return word[place + 1 :]
