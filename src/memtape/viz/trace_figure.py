"""Trace figure: inputs, outputs and the views of a memory of a traced sequence, over one time axis."""

from matplotlib.figure import Figure

from memtape.core.trace import Trace
from memtape.core.view import View
from memtape.viz.arrays import check_arrays
from memtape.viz.matrix_drawing import Band, draw_matrices
from memtape.viz.panel_drawing import draw_panels
from memtape.viz.style import paper_style
from memtape.viz.tape_panels import panels_of_views
from memtape.viz.view_axes import window_of


def trace_figure(trace: Trace, *, title: str = "", crop_slots: bool = True) -> Figure:
    """Draw a traced sequence: inputs, outputs as the network returned them, and the views of its memory.

    Args:
        trace: the sequence to draw.
        title: a line above the panels.
        crop_slots: show only the arc of slots that a head used, if that saves space; the axis states the crop.

    Raises:
        ValueError: a number is not finite.
    """
    views = (
        View(name="inputs", title="Inputs", values=trace.inputs, axes=("input",), scale="signed", measure="input"),
        View(name="outputs", title="Outputs", values=trace.outputs, axes=("output",), scale="signed", measure="output"),
        *trace.views,
    )
    arrays = {view.name: view.values for view in views}
    axes = {view.name: ("last step" if view.matrix else "time", *_own(view)) for view in views}
    check_arrays("trace", arrays, axes, ranges={})
    window = window_of(views, crop=crop_slots)
    bands = [Band.of(view, window, trace.steps) for view in views if view.matrix and view.values.size]
    with paper_style():
        below = sum(band.height for band in bands)
        column = draw_panels(panels_of_views(views, window), trace.steps, window, title=title, below=below)
        draw_matrices(column, bands)
    return column.figure


def _own(view: View) -> tuple[str, ...]:
    """Return the axes of a view, each under a name that no other view has."""
    return tuple(f"{axis} of {view.name}" for axis in view.axes)
