"""Image tasks: images read as sequences of rows or pixels."""

from memtape.tasks.images.digits import Digits

__all__ = ["Digits"]
