"""The five tasks of the Neural Turing Machine (Graves et al. 2014, section 4)."""

from memtape.tasks.algorithmic.associative_recall import AssociativeRecall
from memtape.tasks.algorithmic.copying import Copy
from memtape.tasks.algorithmic.ngrams import DynamicNGrams
from memtape.tasks.algorithmic.priority_sort import PrioritySort
from memtape.tasks.algorithmic.repeat_copy import RepeatCopy

__all__ = ["AssociativeRecall", "Copy", "DynamicNGrams", "PrioritySort", "RepeatCopy"]
