"""Language tasks: sequences of characters or words, pairs of sequences, and trees of words."""

from memtape.tasks.language.boolean import Boolean
from memtape.tasks.language.characters import Characters
from memtape.tasks.language.scan import Scan
from memtape.tasks.language.sentiment import Sentiment

__all__ = ["Boolean", "Characters", "Scan", "Sentiment"]
