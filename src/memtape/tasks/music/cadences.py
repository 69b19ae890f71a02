"""Cadences: synthetic pieces of music, used when the chorales are absent."""

import random

FOLLOWERS = {0: (3, 4, 5, 1), 1: (4, 4, 6), 3: (4, 0, 1), 4: (0, 0, 5), 5: (1, 3), 6: (0,)}
"""The degrees of the scale that can follow each degree, as in textbooks of harmony."""

SCALE = (0, 2, 4, 5, 7, 9, 11)

FIRST_KEY = 43
"""MIDI number of the lowest bass note of the lowest key, a G."""


def cadences(count: int, seed: int) -> list[list[list[int]]]:
    """Generate pieces of four voices: each piece is a list of chords, each chord a list of pitches as MIDI numbers.

    A chord lasts one to three steps. A piece ends on its first chord.
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
    """Return the root in the bass, and the three notes of the chord at least 12 semitones above the key."""
    tones = sorted(SCALE[(degree + third) % 7] for third in (0, 2, 4))
    return [key + SCALE[degree], *(key + 12 + tone for tone in tones)]
