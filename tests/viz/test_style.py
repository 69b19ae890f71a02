"""The style: properties of the colours, and no global state."""

from importlib import resources

import numpy as np
import pytest
from matplotlib.colors import Colormap

from memtape.viz.style import GREY, INK_ON_PAPER, SIGNED


def lightness(colours: Colormap, places: np.ndarray) -> np.ndarray:
    """Return L* of CIELAB, by the definition of sRGB and of CIE 1976."""
    values = colours(places)[:, :3]
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    luminance = linear @ [0.2126, 0.7152, 0.0722]
    return np.where(luminance > (6 / 29) ** 3, 116 * np.cbrt(luminance) - 16, luminance * (29 / 3) ** 3)


def test_equal_steps_of_a_weight_are_equal_steps_of_lightness() -> None:
    steps = np.diff(lightness(INK_ON_PAPER, np.linspace(0, 1, 17)))
    assert steps == pytest.approx(-88 / 16, abs=0.6)


@pytest.mark.parametrize("colours", [INK_ON_PAPER, GREY])
def test_zero_is_white_and_the_maximum_is_dark(colours: Colormap) -> None:
    assert lightness(colours, np.array([0.0, 1.0])) == pytest.approx([100, 12], abs=1)


def test_opposite_numbers_are_equally_far_from_white() -> None:
    places = np.linspace(0, 0.5, 9)
    assert lightness(SIGNED, np.array([0.5])) == pytest.approx([100], abs=0.5)
    assert lightness(SIGNED, places) == pytest.approx(lightness(SIGNED, 1 - places), abs=9)


def test_no_figure_uses_the_global_state_of_pyplot() -> None:
    for file in resources.files("memtape.viz").iterdir():
        if file.name.endswith(".py"):
            assert "pyplot" not in file.read_text(encoding="utf-8")
