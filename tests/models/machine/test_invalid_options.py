"""Machines refuse invalid choices, sizes and bounds with one sentence."""

import pytest

from memtape import DNCCell, NTMCell

SIZES = (
    "input_size",
    "output_size",
    "slots",
    "width",
    "read_heads",
    "write_heads",
    "controller_size",
    "controller_layers",
)
CHOICES = {
    NTMCell: ("controller", "addressing", "similarity", "initial_memory", "initial_weights"),
    DNCCell: (
        "controller",
        "links",
        "strengths",
        "initial_memory",
        "initial_weights",
        "initial_reads",
        "initial_controller",
    ),
}
MACHINES = tuple(CHOICES)


@pytest.mark.parametrize(("cell", "option"), [(cell, option) for cell in MACHINES for option in CHOICES[cell]])
def test_an_unknown_choice_is_refused(cell, option, shapes_unchecked):
    with pytest.raises(ValueError, match=rf"{option} is 'magic', but it must be one of '.*; choose one of them"):
        cell(2, 2, **{option: "magic"})


@pytest.mark.parametrize(
    ("cell", "size"), [*((cell, size) for cell in MACHINES for size in SIZES), (NTMCell, "shift_range")]
)
def test_a_size_must_be_an_integer_of_at_least_1(cell, size, shapes_unchecked):
    sizes, name = {"input_size": 2, "output_size": 2}, cell.__name__
    with pytest.raises(ValueError, match=f"{size} of {name} is 0, but it must be at least 1; give a larger {size}"):
        cell(**(sizes | {size: 0}))
    for wrong in (True, 2.0):
        with pytest.raises(TypeError, match=f"{size} of {name} is {wrong}, but it must be an integer"):
            cell(**(sizes | {size: wrong}))


@pytest.mark.parametrize("cell", MACHINES)
@pytest.mark.parametrize("clip", [0.0, -1.0])
def test_a_clip_must_be_positive(cell, clip):
    with pytest.raises(ValueError, match=f"clip is {clip}, but it is a bound and must be positive; give None"):
        cell(2, 2, clip=clip)


@pytest.mark.parametrize("cell", MACHINES)
def test_a_clip_is_a_number(cell):
    with pytest.raises(
        ValueError, match=r"clip is nan, but it (must be finite|is a bound and must be positive); give "
    ):
        cell(2, 2, clip=float("nan"))
