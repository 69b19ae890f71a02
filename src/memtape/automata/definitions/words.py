"""Words: sequences of symbols, given as text or as a list."""

from collections.abc import Mapping, Sequence

from memtape.automata.definitions.errors import AutomatonError

Word = str | Sequence[str]
"""A sequence of symbols; a plain text has one character for each symbol."""


def alphabet_of(name: str, symbols: Sequence[str]) -> tuple[str, ...]:
    """Return an alphabet as a tuple, after a check that its symbols differ and have no spaces.

    Args:
        name: what the symbols are, for the error, such as "alphabet".
        symbols: the symbols; a text has one character for each.

    Raises:
        AutomatonError: there is no symbol, one is empty or has a space, or two are equal.
    """
    if not symbols:
        raise AutomatonError(f"the {name} is empty, but a machine reads at least one symbol; list one or more")
    seen: set[str] = set()
    for symbol in symbols:
        if not isinstance(symbol, str) or not symbol or any(map(str.isspace, symbol)):
            raise AutomatonError(
                f"the {name} has the symbol {symbol!r}, but a symbol is a text without spaces; give it another name"
            )
        if symbol in seen:
            raise AutomatonError(f"the {name} has the symbol {symbol!r} twice, but symbols differ; leave one out")
        seen.add(symbol)
    return tuple(symbols)


def numbers_of(word: Word, number: Mapping[str, int]) -> list[int]:
    """Return the numbers of the symbols of a word.

    Args:
        word: the word.
        number: the number of each symbol of the alphabet.

    Raises:
        AutomatonError: a symbol is outside the alphabet.
    """
    numbers = []
    for place, symbol in enumerate(word):
        if symbol not in number:
            raise AutomatonError(
                f"the word has the symbol {symbol!r} at position {place}, but the alphabet is {' '.join(number)}; "
                "give a word over the alphabet"
            )
        numbers.append(number[symbol])
    return numbers


def shown(word: Sequence[str]) -> str:
    """Return a word as text: its symbols in a row, with spaces if one has several characters."""
    return ("" if all(len(symbol) == 1 for symbol in word) else " ").join(word)
