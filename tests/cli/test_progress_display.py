"""The display of a training run prints the warning of missing kernels as one of its lines."""

import warnings

import pytest

from memtape.cli.progress_display import ProgressDisplay
from memtape.core.missing_kernels import MissingKernelsWarning


@pytest.mark.parametrize("shown", [True, False])
def test_only_the_process_that_shows_the_display_prints_the_warning(monkeypatch, shown):
    lines, others = [], []
    monkeypatch.setattr("warnings.showwarning", lambda message, *_, **__: others.append(str(message)))
    display = ProgressDisplay()
    monkeypatch.setattr(display, "print", lines.append)
    display.shown = shown
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        before = warnings.showwarning
        with display:
            warnings.warn("kernels are missing", MissingKernelsWarning, stacklevel=1)
            warnings.warn("something else", UserWarning, stacklevel=1)
        assert warnings.showwarning is before
    assert lines == ["kernels are missing"] * shown
    assert others == ["something else"]
