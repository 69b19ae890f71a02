"""Figures: the public functions that draw and save figures."""

from memtape.viz.energy_landscape import energy_landscape
from memtape.viz.gradient_flow import gradient_flow_figure
from memtape.viz.graph_figure import graph_figure
from memtape.viz.learning_curve import learning_curve
from memtape.viz.lookup_figure import lookup_figure
from memtape.viz.recall_figure import recall_figure
from memtape.viz.saving import save
from memtape.viz.score_by_length import score_by_length
from memtape.viz.score_curve_figure import score_curve_figure
from memtape.viz.tape_figure import tape_figure

__all__ = [
    "energy_landscape",
    "gradient_flow_figure",
    "graph_figure",
    "learning_curve",
    "lookup_figure",
    "recall_figure",
    "save",
    "score_by_length",
    "score_curve_figure",
    "tape_figure",
]
