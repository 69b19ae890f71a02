"""Tasks on language: characters, words, and trees of words."""

from memtape.tasks.language.characters import Characters

__all__ = ["Characters"]
