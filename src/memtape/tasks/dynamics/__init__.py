"""Tasks on dynamics: systems that are driven by noise."""

from memtape.tasks.dynamics.narma import Narma

__all__ = ["Narma"]
