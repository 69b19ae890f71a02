"""Tape figure: inputs, outputs, adds, reads and the heads' weights of one sequence, over one time axis."""

from matplotlib.figure import Figure

from memtape.viz.panel_drawing import draw_panels
from memtape.viz.style import paper_style
from memtape.viz.tape import Tape
from memtape.viz.tape_panels import panels_of, window_of


def tape_figure(tape: Tape, *, title: str = "", crop_slots: bool = True) -> Figure:
    """Draw what one sequence went through, as in the paper's figure of the copy task.

    All panels share one time axis, and a column of pixels is the same step in each. A dashed line marks where the
    answer begins, frames mark wrong bits of the answer, and targets of steps that are not scored stay blank.

    Args:
        tape: the sequence to draw; panels of a network without memory (no heads) are left out.
        title: a line above the panels.
        crop_slots: show only the arc of slots that some head touched, if that spares room; the axis then says so.

    References:
        Graves, Wayne & Danihelka (2014), "Neural Turing Machines", arXiv:1410.5401, figure 6.
    """
    window = window_of(tape, crop=crop_slots)
    with paper_style():
        return draw_panels(panels_of(tape, window), tape, window, title=title).figure
