"""Translations: two small grammars whose rules translate, one of word order and one of gender."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import torch
from jaxtyping import Int
from torch import Tensor

from memtape.tasks.formal.grammar.grammar import Grammar

Words = tuple[str, ...]
Symbols = Int[Tensor, "rows time"]


@dataclass(frozen=True)
class Translation:
    """A grammar whose terminals are classes of words, each word with its translation.

    Attributes:
        grammar: the grammar; its terminals are those of `words`, in this order.
        words: the words of each class, and their translations.
    """

    grammar: Grammar
    words: Mapping[str, tuple[Words, Words]]

    @property
    def vocabularies(self) -> tuple[Words, Words]:
        """The different words of the source, and those of the target."""
        source, target = (
            tuple(dict.fromkeys(word for pair in self.words.values() for word in pair[side])) for side in (0, 1)
        )
        return source, target

    def sample(self, lengths: Int[Tensor, " rows"], generator: torch.Generator) -> tuple[Symbols, Symbols]:
        """Draw a source of each length, and return it with its translation, which is as long; padded with zeros."""
        classes, places = self.grammar.sample(lengths, generator)
        chances = torch.rand(classes.shape, dtype=torch.float64, generator=generator)
        counts = torch.tensor([len(source) for source, _ in self.words.values()])
        drawn = (chances * counts[classes]).long()
        inside = torch.arange(classes.shape[1]) < lengths[:, None]
        source, target = (self._table(side)[classes, drawn] * inside for side in (0, 1))
        return source, torch.zeros_like(target).scatter_add(1, places, target)

    def _table(self, side: int) -> Int[Tensor, "classes words"]:
        """Return the symbols of the words of each class on one side."""
        symbols = {word: symbol for symbol, word in enumerate(self.vocabularies[side])}
        rows = [[symbols[word] for word in pair[side]] for pair in self.words.values()]
        most = max(map(len, rows))
        return torch.tensor([row + [0] * (most - len(row)) for row in rows])


def _numbered(name: str, count: int) -> Words:
    return tuple(f"{name}{number}" for number in range(1, count + 1))


@cache
def translation(name: str) -> Translation:
    """Return a translation by name: "svo-sov" or "gender"."""
    if name == "svo-sov":
        words = {letter: (_numbered(f"{letter}i", 33), _numbered(f"{letter}o", 33)) for letter in ("s", "o", "v")}
        words |= {"rp": (("rpi",), ("rpo",))}
        rules = {
            "A": [("S P", 1.0)],
            "P": [("v O", 1.0)],
            "S": [("S S", 1 / 5), ("S rp S v", 1 / 5), ("s", 3 / 5)],
            "O": [("O O", 1 / 5), ("S rp S v", 1 / 5), ("o", 3 / 5)],
        }
        return Translation(Grammar(rules, tuple(words), inverted=["v O"]), words)
    articles = {"m": ("der", "ein"), "f": ("die", "eine"), "n": ("das", "ein")}
    words = {"or": (("or",), ("oder",)), "and": (("and",), ("und",))}
    for gender, (definite, indefinite) in articles.items():
        words |= {f"the-{gender}": (("the",), (definite,)), f"a-{gender}": (("a",), (indefinite,))}
    words |= {letter: (_numbered(f"{letter}i", 25), _numbered(f"{letter}o", 25)) for letter in ("w", *articles)}
    rules = {
        "B": [("B or B", 1 / 4), ("S and S", 1 / 4), ("B V", 1 / 2)],
        "V": [("w B", 3 / 4), ("w", 1 / 4)],
        "S": [(f"{article}-{gender} {gender}", 1 / 6) for article in ("the", "a") for gender in articles],
    }
    return Translation(Grammar(rules, tuple(words)), words)
