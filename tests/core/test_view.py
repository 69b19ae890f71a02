"""A view describes how its array is drawn; an invalid view is refused."""

import pytest
import torch

from memtape.core.view import RANGES, View


def view(shape, axes, **changes):
    options = {"name": "own", "title": "Own", "scale": "signed", "measure": "value"} | changes
    return View(values=torch.zeros(shape), axes=axes, **options)


@pytest.mark.parametrize(
    ("shape", "axes", "heads", "matrix"),
    [
        ((4,), (), 1, False),
        ((4, 2), ("head",), 2, False),
        ((4, 9), ("slot",), 1, False),
        ((4, 2, 9), ("head", "slot"), 2, False),
        ((4, 9, 3), ("slot", "width"), 1, True),
        ((4, 2, 9, 9), ("head", "written slot", "right after slot"), 2, True),
    ],
)
def test_heads_are_blocks_and_two_axes_behind_them_are_a_matrix(shape, axes, heads, matrix):
    own = view(shape, axes)
    assert (own.heads, own.matrix) == (heads, matrix)


def test_a_scale_defines_the_range_of_the_numbers():
    assert {scale: view((1,), (), scale=scale).range for scale in RANGES} == RANGES


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (
            lambda: view((4,), (), scale="log"),
            r"the scale of the view 'own' is 'log', but it must be one of \['share', .*",
        ),
        (
            lambda: view((4, 2), ("head", "slot")),
            r"'own' have shape \(4, 2\), but its axes are \(batch, head, slot\); name",
        ),
        (
            lambda: view((4, 2, 2, 2), ("a", "b", "c")),
            r"the axes of the view 'own' are \(a, b, c\), but a figure draws one",
        ),
        (
            lambda: view((4, 2, 2), ("slot", "head")),
            r"\(slot, head\), but a figure draws one or two axes after a leading",
        ),
        (
            lambda: view((4, 2), ("way",), entries=("a",)),
            r"'own' has 1 names of entries, but its values have shape \(4, 2\)",
        ),
    ],
)
@pytest.mark.usefixtures("shapes_unchecked")
def test_an_invalid_view_is_refused(broken, message):
    with pytest.raises(ValueError, match=message):
        broken()
