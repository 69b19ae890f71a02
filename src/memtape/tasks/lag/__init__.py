"""Tasks of a long lag: the answer hangs on inputs of long ago."""

from memtape.tasks.lag.adding import Adding
from memtape.tasks.lag.copy_memory import CopyMemory

__all__ = ["Adding", "CopyMemory"]
