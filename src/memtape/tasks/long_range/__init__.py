"""Tasks of a long lag: the answer hangs on inputs of long ago."""

from memtape.tasks.long_range.adding import Adding
from memtape.tasks.long_range.copy_memory import CopyMemory

__all__ = ["Adding", "CopyMemory"]
