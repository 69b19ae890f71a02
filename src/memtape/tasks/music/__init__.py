"""Music tasks: prediction of sequences of chords."""

from memtape.tasks.music.chorales import Chorales

__all__ = ["Chorales"]
