"""The figure of recalled patterns, and the energy landscape of a Hopfield network."""

import numpy as np
import pytest
import torch

from memtape.memory import HopfieldNetwork
from memtape.viz.figures import energy_landscape, recall_figure
from memtape.viz.style import BLUE, VERMILION


def pictures_of(rows=2):
    stored = np.where(np.random.default_rng(0).random((rows, 4, 4)) < 0.5, 1.0, -1.0)
    wrong = stored.copy()
    wrong[1, 0, 0] *= -1
    return {"stored": stored, "corrupted": -stored, "memory": wrong}


def test_each_picture_is_drawn_with_its_share_of_correct_pixels():
    pictures = pictures_of()
    figure = recall_figure(["a", "b"], pictures, {"memory": np.array([[3.0, 4.0], [1.0, 2.0]])})
    drawn = [axes for axes in figure.axes if axes.images]
    assert len(drawn) == 6
    shown = np.stack([np.asarray(axes.images[0].get_array()) for axes in drawn])
    assert np.array_equal(shown, np.concatenate(list(pictures.values())))
    assert [axes.get_xlabel() for axes in drawn] == ["", "", "0.0 %", "0.0 %", "100 %", "93.8 %"]
    assert [axes.get_title(loc="center") for axes in drawn[::2]] == list(pictures)
    (falling,) = (axes for axes in figure.axes if axes.lines)
    assert [line.get_color() for line in falling.lines] == [BLUE, VERMILION]
    assert [line.get_ydata().tolist() for line in falling.lines] == [[3, 1], [4, 2]]


def test_one_wrong_pixel_of_many_is_not_100_percent_and_long_names_are_cut():
    stored = np.ones((1, 64, 64))
    wrong = stored.copy()
    wrong[0, 0, 0] = -1
    figure = recall_figure(["a-very-long-name-of-a-file.png"], {"stored": stored, "memory": wrong}, {})
    assert figure.axes[1].get_xlabel() == "99.9 %"
    assert figure.axes[0].get_ylabel() == "\N{HORIZONTAL ELLIPSIS}of-a-file.png"


def test_pictures_that_do_not_match_are_refused(shapes_unchecked):
    with pytest.raises(ValueError, match="there are 1 names and pictures of shapes"):
        recall_figure(["a"], pictures_of(), {})
    with pytest.raises(ValueError, match="there are 2 names and pictures of shapes"):
        recall_figure(["a", "b"], pictures_of() | {"memory": np.ones((2, 3, 3))}, {})
    with pytest.raises(
        ValueError, match=r"the energies of 'memory' have shape \(3,\), but they must be \(updates, 2\)"
    ):
        recall_figure(["a", "b"], pictures_of(), {"memory": np.ones(3)})
    with pytest.raises(ValueError, match="the energies of 'other'"):
        recall_figure(["a", "b"], pictures_of(), {"other": np.ones((3, 2))})


def test_the_landscape_has_the_energy_of_the_network_at_each_state():
    patterns = torch.randint(0, 2, (2, 30)).double() * 2 - 1
    path = torch.randint(0, 2, (7, 30)).double() * 2 - 1
    figure = energy_landscape(patterns.numpy(), [path.numpy()])
    plane, falling = figure.axes[:2]
    energies = HopfieldNetwork(patterns).energy(path)
    assert falling.lines[0].get_ydata() == pytest.approx(energies.numpy())
    overlaps = (path @ patterns.mT / 30).numpy()
    assert plane.lines[0].get_xydata() == pytest.approx(overlaps)
    corners = [line.get_xydata()[0].tolist() for line in plane.lines[2:]]
    both = torch.cat([patterns, -patterns])
    assert corners == [pytest.approx(one) for one in (both @ patterns.mT / 30).tolist()]


def test_a_landscape_of_other_patterns_and_paths_is_refused(shapes_unchecked):
    with pytest.raises(ValueError, match=r"patterns have shape \(3, 8\), but the plane of the landscape needs two"):
        energy_landscape(np.ones((3, 8)), [])
    with pytest.raises(ValueError, match="neither equal nor opposite"):
        energy_landscape(np.stack([np.ones(8), -np.ones(8)]), [])
    with pytest.raises(ValueError, match=r"a path has shape \(4, 7\), but it must be \(updates, 8\)"):
        energy_landscape(np.stack([np.ones(8), np.repeat([1.0, -1], 4)]), [np.ones((4, 7))])
