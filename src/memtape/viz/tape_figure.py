"""Tape figure: inputs, outputs and the views of a memory for one sequence, over one time axis."""

from matplotlib.figure import Figure

from memtape.viz.matrix_drawing import Band, draw_matrices
from memtape.viz.panel_drawing import draw_panels, mark_answer
from memtape.viz.style import paper_style
from memtape.viz.tape import Tape
from memtape.viz.tape_panels import panels_of
from memtape.viz.view_axes import window_of


def tape_figure(tape: Tape, *, title: str = "", crop_slots: bool = True) -> Figure:
    """Draw the record of one sequence in a network with any memory, from the list of its views.

    All panels share one time axis, and a column of pixels is the same step in each. A dashed line marks the start of
    the answer, frames mark wrong bits of the answer, and targets of steps that are not scored are blank. Views that are
    matrices, such as links and contents, are drawn below, with their values after the last step.

    Args:
        tape: the sequence to draw; views without entries, such as those of zero heads, are omitted.
        title: a line above the panels.
        crop_slots: show only the arc of slots that a head used, if that saves space; the axis states the crop.

    References:
        Graves, Wayne & Danihelka (2014), "Neural Turing Machines", arXiv:1410.5401, figure 6; Graves et al. (2016), "Hybrid
        computing using a neural network with dynamic external memory", Nature 538, doi:10.1038/nature20101, extended data
        figure 1.
    """
    window = window_of(tape.views, crop=crop_slots)
    bands = [Band.of(view, window, tape.steps) for view in tape.views if view.matrix and view.values.size]
    with paper_style():
        below = sum(band.height for band in bands)
        column = draw_panels(panels_of(tape, window), tape.steps, window, title=title, below=below)
        mark_answer(column, tape)
        draw_matrices(column, bands)
    return column.figure
