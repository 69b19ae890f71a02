"""Terminal: print text in which control characters are visible, since names and data may contain any."""

import re
import sys

HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters except tab and newline, characters that change the direction of a line, and bytes of no text."""


def visible(text: str) -> str:
    r"""Return a text with each control character as its escape sequence, such as `\x1b`."""
    return HIDDEN.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def print_visible(*texts: str, error: bool = False) -> None:
    """Print lines with visible control characters.

    Args:
        texts: the lines.
        error: whether to print to standard error, at once.
    """
    print(*map(visible, texts), sep="\n", file=sys.stderr if error else sys.stdout, flush=error)
