"""Algorithmic tasks on bits: the five of the Neural Turing Machine (Graves et al. 2014, section 4), and later ones."""

from memtape.tasks.algorithmic.allocation import Allocation
from memtape.tasks.algorithmic.associative_recall import AssociativeRecall
from memtape.tasks.algorithmic.copying import Copy
from memtape.tasks.algorithmic.independent_copies import IndependentCopies
from memtape.tasks.algorithmic.key_value import KeyValue
from memtape.tasks.algorithmic.ngrams import DynamicNGrams
from memtape.tasks.algorithmic.priority_sort import PrioritySort
from memtape.tasks.algorithmic.repeat_copy import RepeatCopy
from memtape.tasks.algorithmic.repeat_copy_dnc import RepeatCopyDNC

__all__ = [
    "Allocation",
    "AssociativeRecall",
    "Copy",
    "DynamicNGrams",
    "IndependentCopies",
    "KeyValue",
    "PrioritySort",
    "RepeatCopy",
    "RepeatCopyDNC",
]
