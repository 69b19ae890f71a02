"""Ports: networks trained by other code, rebuilt here with the same outputs."""

from memtape.ports.pytorch_ntm import ntm_from_pytorch_ntm

__all__ = ["ntm_from_pytorch_ntm"]
