"""Bench figure: one panel for every size that varies, one line for every backend."""

from itertools import product
from typing import Any

import numpy as np
import pytest

from memtape.core.backends import backends
from memtape.viz.bench_figure import bench_figure


def rows(
    *, model: str = "ntm", modes: tuple[str, ...] = ("train",), **sizes: tuple[int | None, ...]
) -> list[dict[str, Any]]:
    """Return rows whose cost is batch + time + slots, halved on the backend cpu."""
    sizes = {"batch": (1,), "time": (42,), "slots": (128,), **sizes}
    return [
        {
            "model": model,
            "mode": mode,
            "batch": batch,
            "time": time,
            "slots": slots,
            "backend": backend,
            "ms_per_step": (batch + time + (slots or 0)) / divisor,
            "spread": 0.1,
        }
        for mode, batch, time, slots in product(modes, sizes["batch"], sizes["time"], sizes["slots"])
        for backend, divisor in (("reference", 1), ("cpu", 2))
    ]


def test_each_backend_is_a_line_through_its_times() -> None:
    (axes,) = bench_figure(rows(slots=(256, 64, 128))).axes
    lines = {line.get_label(): line.get_xydata() for line in axes.lines}
    np.testing.assert_allclose(lines["reference"], [(64, 107), (128, 171), (256, 299)])
    np.testing.assert_allclose(lines["cpu"], [(64, 53.5), (128, 85.5), (256, 149.5)])
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("slots of the memory", "ntm train, ms per step")


def test_every_backend_has_a_colour_of_its_own() -> None:
    measured = [
        {**row, "backend": backend}
        for backend in backends()
        for row in rows(batch=(1, 4))
        if row["backend"] == "reference"
    ]
    (axes,) = bench_figure(measured).axes
    assert {line.get_label() for line in axes.lines} == set(backends())
    assert len({line.get_color() for line in axes.lines}) == len(backends())


def test_every_size_that_varies_has_a_panel_with_the_others_fixed() -> None:
    figure = bench_figure(rows(batch=(1, 16), time=(42, 84)))
    assert [axes.get_xlabel() for axes in figure.axes] == ["sequences in the batch", "steps of time"]
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["time 42, slots 128", "batch 1, slots 128"]
    np.testing.assert_array_equal(figure.axes[1].lines[0].get_xydata(), [(42, 171), (84, 213)])


def test_every_model_and_mode_has_a_row_without_panels_for_missing_sizes() -> None:
    measured = [
        *rows(batch=(1, 4), slots=(64, 128), modes=("train", "infer")),
        *rows(model="lstm", batch=(1, 4), slots=(None,)),
    ]
    figure = bench_figure(measured)
    shown = [(axes.get_ylabel(), bool(axes.lines)) for axes in figure.axes]
    assert shown == [
        *(("ntm train, ms per step", True), ("", True), ("ntm infer, ms per step", True), ("", True)),
        *(("lstm train, ms per step", True), ("", False)),
    ]
    assert [axes.get_xlabel() for axes in figure.axes] == [
        "",
        "",
        "",
        "slots of the memory",
        "sequences in the batch",
        "",
    ]


def test_the_legend_names_each_backend_once() -> None:
    (legend,) = bench_figure(rows(batch=(1, 4), time=(42, 84)), title="a machine").legends
    assert [text.get_text() for text in legend.get_texts()] == ["reference", "cpu"]


def test_rows_without_a_size_that_varies_are_refused() -> None:
    with pytest.raises(ValueError, match="the 2 rows have no size with two values, but a line needs two points"):
        bench_figure(rows())
