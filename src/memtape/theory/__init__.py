"""Floor 6: what can be proven about memories, beside what is measured."""

from memtape.theory.contribution import contribution_bound, contributions, uniform_intervals

__all__ = ["contribution_bound", "contributions", "uniform_intervals"]
