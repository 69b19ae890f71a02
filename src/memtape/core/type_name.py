"""Type name: what a value is, in the words of an error message."""

from typing import Any


def a_type(value: Any) -> str:
    """Return the type of a value with its article, such as "a list" or "an LSTM"."""
    if value is None:
        return "nothing (None)"
    if isinstance(value, type):
        return f"the class {value.__name__}"
    name = type(value).__name__
    spoken_with_a_vowel = name[0] in "aeioAEIO" or name.startswith(("LSTM", "RNN"))
    return f"{'an' if spoken_with_a_vowel else 'a'} {name}"
