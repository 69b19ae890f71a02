"""Tasks on images, which are read as sequences."""

from memtape.tasks.images.digits import Digits

__all__ = ["Digits"]
