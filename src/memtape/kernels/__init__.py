"""Floor 3: fused kernels that run whole sequences in one call."""

from memtape.kernels import dnc, ntm, recurrence, sam, scan

__all__ = ["dnc", "ntm", "recurrence", "sam", "scan"]
