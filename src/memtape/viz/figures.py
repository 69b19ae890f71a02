"""Figures: all that can be drawn, and how it is saved."""

from memtape.viz.gradient_flow import gradient_flow_figure
from memtape.viz.learning_curve import learning_curve
from memtape.viz.saving import save
from memtape.viz.tape_figure import tape_figure
from memtape.viz.wrong_bits import wrong_bits_by_length

__all__ = ["gradient_flow_figure", "learning_curve", "save", "tape_figure", "wrong_bits_by_length"]
