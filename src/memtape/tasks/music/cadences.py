"""Cadences: music made by rule, for whom no chorales are at hand."""

import random

FOLLOWERS = {0: (3, 4, 5, 1), 1: (4, 4, 6), 3: (4, 0, 1), 4: (0, 0, 5), 5: (1, 3), 6: (0,)}
"""Degrees of the scale that can follow one, as in textbooks of harmony."""

SCALE = (0, 2, 4, 5, 7, 9, 11)

FIRST_KEY = 43
"""The deepest bass of the deepest key, a G."""


def cadences(count: int, seed: int) -> list[list[list[int]]]:
    """Return pieces of four voices, each a list of chords, and each of these a list of pitches, as MIDI numbers.

    A chord is held for one to three steps, and a piece ends on the chord that it began with.
    """
    source = random.Random(seed)
    return [_piece(source) for _ in range(count)]


def _piece(source: random.Random) -> list[list[int]]:
    key, degree, chords = FIRST_KEY + source.randrange(7), 0, list[list[int]]()
    steps = source.randrange(20, 50)
    while len(chords) < steps or degree:
        chords += [_chord(key, degree)] * source.randrange(1, 4)
        degree = source.choice(FOLLOWERS[degree])
    return [*chords, _chord(key, 0)]


def _chord(key: int, degree: int) -> list[int]:
    """Return the root in the bass, and the three tones of the chord in the octave from 12 above the key on."""
    tones = sorted(SCALE[(degree + third) % 7] for third in (0, 2, 4))
    return [key + SCALE[degree], *(key + 12 + tone for tone in tones)]
