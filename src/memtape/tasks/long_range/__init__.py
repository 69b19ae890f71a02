"""Long-range tasks: the targets depend on inputs of many steps ago."""

from memtape.tasks.long_range.adding import Adding
from memtape.tasks.long_range.copy_memory import CopyMemory

__all__ = ["Adding", "CopyMemory"]
