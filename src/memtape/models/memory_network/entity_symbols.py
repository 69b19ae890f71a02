"""Entity symbols: the words of known entities, written as numbers and ranges."""

import re


def entity_symbols(text: str, count: int) -> tuple[int, ...]:
    """Return the symbols that a text such as "3-8,12" or "all" names, in increasing order.

    Args:
        text: numbers and ranges, or "all" for every word.
        count: the number of symbols, that of an absent word, 0, included.

    Raises:
        ValueError: the text is malformed, or names an unknown symbol.
    """
    if text == "all":
        return tuple(range(1, count))
    parts = [re.fullmatch(r"([0-9]{1,9})(?:-([0-9]{1,9}))?", part.strip()) for part in text.split(",")]
    ends = [(int(part[1]), int(part[2] or part[1])) for part in parts if part]
    if len(ends) < len(parts) or any(not 1 <= first <= last < count for first, last in ends):
        raise ValueError(
            f'entities is {text!r}, but it must name symbols of 1..{count - 1}, such as "3-8,12" or "all"; name some of them'
        )
    return tuple(sorted({symbol for first, last in ends for symbol in range(first, last + 1)}))
