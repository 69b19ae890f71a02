"""Tasks on music: sequences of chords."""

from memtape.tasks.music.chorales import Chorales

__all__ = ["Chorales"]
