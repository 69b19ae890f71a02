"""Invented text: scenes of a play that nobody wrote, for whom no real text is at hand."""

import random

NAMES = ("ANNA", "BORIS", "CLARA", "THE KING", "FIRST CLERK")
ARTICLES = ("the", "one", "my", "no")
ADJECTIVES = ("old", "quiet", "second", "brave", "empty", "wooden")
NOUNS = ("tape", "table", "letter", "morning", "sister", "river", "window", "clock", "machine", "friend")
VERBS = ("reads", "remembers", "writes on", "waits for", "loses", "follows", "counts", "forgets")
OPENINGS = ("Alas", "Now", "My lord", "Good night", "Once more")
JOINTS = (" and ", ", but ", "; ", " while ")


def invented_text(characters: int, seed: int = 0) -> str:
    """Return the first so many characters of a text that a small grammar writes.

    Speakers take turns; a speech is one to three sentences, a sentence an opening or none and one or two clauses, a clause two
    things and what the one does to the other.
    """
    source, written, length = random.Random(seed), list[str](), 0
    while length < characters:
        sentences = " ".join(_sentence(source) for _ in range(source.randrange(1, 4)))
        written.append(f"{source.choice(NAMES)}:\n{sentences}\n\n")
        length += len(written[-1])
    return "".join(written)[:characters]


def _sentence(source: random.Random) -> str:
    words = _clause(source)
    if source.random() < 0.4:
        words += source.choice(JOINTS) + _clause(source)
    if source.random() < 0.3:
        words = f"{source.choice(OPENINGS)}, {words}"
    return words[0].upper() + words[1:] + source.choice("...!?")


def _clause(source: random.Random) -> str:
    return f"{_thing(source)} {source.choice(VERBS)} {_thing(source)}"


def _thing(source: random.Random) -> str:
    adjective = f"{source.choice(ADJECTIVES)} " if source.random() < 0.5 else ""
    return f"{source.choice(ARTICLES)} {adjective}{source.choice(NOUNS)}"
