"""Dynamics tasks: identification of systems driven by noise."""

from memtape.tasks.dynamics.narma import Narma

__all__ = ["Narma"]
