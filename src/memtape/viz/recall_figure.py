"""Recall figure: patterns as they are stored, corrupted and recalled by memories, and the energies on the way."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from memtape.viz.style import BLUE, DPI, MUTED, SMALL, VERMILION, paper_style

_PICTURE, _GAP, _EDGE, _TOP, _SHARE, _LETTER = 150, 14, 24, 44, 26, 12
"""Pixels of a picture, between pictures, of the margin, of the titles, of a share, and of a letter of the names."""

_ENERGY, _BELOW, _ABOVE = 120, 70, 50
"""Pixels of the height of a panel of energies, below it, and above it."""

_LONGEST = 14
"""Largest number of letters of a name; of a longer one the end is drawn."""


def recall_figure(
    names: Sequence[str],
    pictures: Mapping[str, Float[np.ndarray, "patterns rows columns"]],
    energies: Mapping[str, Float[np.ndarray, "updates patterns"]],
) -> Figure:
    """Draw a row for each pattern and a column for each stage, and below them how the energy falls with the updates.

    Pixels of 1 are light and those of -1 dark. Below each picture after the first one is the share of pixels whose sign is
    that of the first. The lines of patterns that are recalled without an error are blue, the others are red.

    Args:
        names: name of each pattern.
        pictures: the pictures by the name of their stage; the first stage is what is stored.
        energies: the energy of each pattern before the first and after each update, by the name of a stage.

    Raises:
        ValueError: there is no picture, or the shapes do not match.
    """
    _check(names, pictures, energies)
    rows, stored = len(names), next(iter(pictures.values()))
    step, down = _PICTURE + _GAP, _PICTURE + _GAP + _SHARE
    shorter = [_shorter(name) for name in names]
    left = _EDGE + 20 + _LETTER * max(map(len, shorter))
    width = left + len(pictures) * step + _EDGE
    lower = (_BELOW + _ENERGY + _ABOVE) if energies else _EDGE
    height = _TOP + rows * down + lower
    with paper_style():
        figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI)
        for column, (stage, images) in enumerate(pictures.items()):
            begin = left + column * step
            for row, (name, image) in enumerate(zip(shorter, images, strict=True)):
                under = height - _TOP - row * down - _PICTURE
                axes = figure.add_axes((begin / width, under / height, _PICTURE / width, _PICTURE / height))
                axes.imshow(image, cmap="gray", vmin=-1, vmax=1, interpolation="none")
                axes.set_xticks([])
                axes.set_yticks([])
                if row == 0:
                    axes.set_title(stage, loc="center", fontsize=8, pad=4)
                if column == 0:
                    axes.set_ylabel(name, rotation=0, ha="right", va="center", labelpad=6, fontsize=7)
                else:
                    axes.set_xlabel(_share(image, stored[row]), fontsize=SMALL - 1, color=MUTED, labelpad=1)
            if stage in energies:
                place = (begin / width, _BELOW / height, _PICTURE / width, _ENERGY / height)
                axes = figure.add_axes(place)
                axes.set_label(f"Energy, {stage}")
                for row, line in enumerate(energies[stage].T):
                    right = (np.sign(images[row]) == stored[row]).all()
                    axes.plot(line, color=BLUE if right else VERMILION, linewidth=0.7, alpha=0.8)
                axes.set_yticks([])
                axes.xaxis.set_major_locator(MaxNLocator(3, integer=True))
                axes.set_xlabel("updates", fontsize=SMALL)
                axes.tick_params(labelsize=SMALL - 0.5)
                axes.set_title("energy", loc="center", fontsize=SMALL, color=MUTED, pad=3)
    return figure


def _shorter(name: str) -> str:
    return name if len(name) <= _LONGEST else f"\N{HORIZONTAL ELLIPSIS}{name[1 - _LONGEST :]}"


def _share(image: np.ndarray, stored: np.ndarray) -> str:
    """Return the share of correct pixels; 100 percent only if all are."""
    share = float((np.sign(image) == stored).mean())
    return "100 %" if share == 1 else f"{min(100 * share, 99.9):.1f} %"


def _check(names: Sequence[str], pictures: Mapping[str, np.ndarray], energies: Mapping[str, np.ndarray]) -> None:
    shapes = {images.shape for images in pictures.values()}
    if not names or len(shapes) != 1 or len(next(iter(shapes))) != 3 or len(names) != next(iter(shapes))[0]:
        raise ValueError(
            f"there are {len(names)} names and pictures of shapes {sorted(shapes)}, but all must have one shape (patterns, "
            "rows, columns), with a name for each pattern; give the same patterns at each stage"
        )
    for stage, values in energies.items():
        if stage not in pictures or values.ndim != 2 or values.shape[1] != len(names):
            raise ValueError(
                f"the energies of {stage!r} have shape {values.shape}, but they must be (updates, {len(names)}) of a stage "
                "with pictures; give one column for each pattern"
            )
