"""Floor 3: fused kernels that run whole sequences in one call."""

from memtape.kernels import dnc, entity, ntm, recurrence, sam, scan

__all__ = ["dnc", "entity", "ntm", "recurrence", "sam", "scan"]
