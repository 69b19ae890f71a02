"""Graph tasks: walks, shortest paths and relations (Graves et al. 2016)."""

from memtape.tasks.graph.inference import Inference
from memtape.tasks.graph.shortest_path import ShortestPath
from memtape.tasks.graph.traversal import Traversal

__all__ = ["Inference", "ShortestPath", "Traversal"]
