"""Languages: five context-free grammars with weights, from easy to as hard as any."""

from functools import cache

from memtape.tasks.formal.grammar.grammar import Grammar

HALF = 60.0
"""Mean number of symbol pairs of the weights of reversals."""

PADDING = 30.0
"""Mean number of padding symbols of the weights of padded reversal."""

NESTING = 39.0
"""Mean depth of the weights of brackets."""


def _continued(mean: float) -> float:
    """Return the probability of a further step of a geometric distribution with a mean."""
    return 1 - 1 / (mean + 1)


def _reversal(ends: list[tuple[str, float]]) -> dict[str, list[tuple[str, float]]]:
    return {"S": [(f"{bit} S {bit}", _continued(HALF) / 2) for bit in "01"] + ends}


def _padded() -> dict[str, list[tuple[str, float]]]:
    rules = _reversal([(f"T{bit}", (1 - _continued(HALF)) / 2) for bit in "01"])
    return rules | {f"T{bit}": [(f"{bit} T{bit}", _continued(PADDING)), ("", 1 - _continued(PADDING))] for bit in "01"}


def _brackets() -> dict[str, list[tuple[str, float]]]:
    more = _continued(NESTING)
    pairs = (("(", ")"), ("[", "]"))
    return {
        "S": [("S T", _continued(1.0)), ("T", 1 - _continued(1.0))],
        "T": [rule for a, b in pairs for rule in ((f"{a} S {b}", more), (f"{a} {b}", 1 - more))],
    }


HARDEST = {
    "S'": [("R $ Q S L ;", 1.0)],
    "L": [("L' , U", 1.0)],
    "L'": [(", V L'", 1 / 3), ("", 2 / 3)],
    "R": [("U , R'", 1.0)],
    "R'": [("R' V ,", 1 / 3), ("", 2 / 3)],
    "U": [("W U", 1 / 3), ("", 2 / 3)],
    "V": [("W V", 1 / 2), ("W", 1 / 2)],
    "W": [(symbol, 1 / 5) for symbol in "()[]$"],
    "Q": [("L ; R", 1 / 4), ("", 3 / 4)],
    "S": [("S Q T", 0.6), ("T", 0.4)],
    "T": [rule for a, b in (("(", ")"), ("[", "]")) for rule in ((f"{a} Q S Q {b}", 3 / 8), (f"{a} Q {b}", 1 / 8))],
}
"""A language to which every context-free one can be reduced: brackets, hidden among alternatives of which one is chosen.

Alternatives are separated by commas, choices by semicolons.
"""

TERMINALS = {
    "marked-reversal": "01#",
    "unmarked-reversal": "01",
    "padded-reversal": "01",
    "brackets": "([)]",
    "hardest": "()[],;$",
}
"""The terminals of each language."""


@cache
def grammar_of(language: str) -> Grammar:
    """Return the grammar of a language."""
    rules = {
        "marked-reversal": lambda: _reversal([("#", 1 - _continued(HALF))]),
        "unmarked-reversal": lambda: _reversal([("", 1 - _continued(HALF))]),
        "padded-reversal": _padded,
        "brackets": _brackets,
        "hardest": lambda: HARDEST,
    }[language]()
    return Grammar(rules, tuple(TERMINALS[language]))
