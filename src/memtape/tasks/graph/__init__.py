"""Tasks of graphs: walks, shortest paths and relations (Graves et al. 2016)."""

from memtape.tasks.graph.inference import Inference
from memtape.tasks.graph.traversal import Traversal

__all__ = ["Inference", "Traversal"]
