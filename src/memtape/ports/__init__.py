"""Floor 8: load networks that were trained by other code, with the same outputs."""

from memtape.ports.csordas_dnc import dnc_from_csordas_dnc
from memtape.ports.deepmind_dnc import dnc_from_deepmind_dnc
from memtape.ports.pytorch_dnc import dnc_from_pytorch_dnc
from memtape.ports.pytorch_ntm import ntm_from_pytorch_ntm

__all__ = ["dnc_from_csordas_dnc", "dnc_from_deepmind_dnc", "dnc_from_pytorch_dnc", "ntm_from_pytorch_ntm"]
