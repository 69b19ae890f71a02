"""Associative memories that store given patterns: no training, and contents instead of addresses."""

from memtape.memory.associative.correlation import CorrelationMemory, CorrelationState
from memtape.memory.associative.dense import DenseAssociativeMemory
from memtape.memory.associative.hopfield import HopfieldNetwork
from memtape.memory.associative.modern_hopfield import ModernHopfieldNetwork
from memtape.memory.associative.recollection import Recollection

__all__ = [
    "CorrelationMemory",
    "CorrelationState",
    "DenseAssociativeMemory",
    "HopfieldNetwork",
    "ModernHopfieldNetwork",
    "Recollection",
]
