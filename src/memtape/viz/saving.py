"""Saving: write a figure to files with reproducible bytes."""

import io
from pathlib import Path

from matplotlib.figure import Figure

from memtape.core.atomic_write import write_atomically
from memtape.core.given_path import given_path
from memtape.viz.style import DPI, paper_style

# Dates and versions would make two equal figures differ.
_METADATA: dict[str, dict[str, str | None]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
}


def save(figure: Figure, folder: str | Path, name: str) -> list[Path]:
    """Write a figure as PNG and as SVG with selectable text, and return the paths of the two files.

    Args:
        figure: the figure.
        folder: the folder to write to, created if it does not exist.
        name: file name without its suffix.

    Raises:
        ValueError: the name is empty or names another folder.
    """
    if not name or Path(name).name != name:
        raise ValueError(
            f"name is {name!r}, but it must be a file name without folders; give the folder as the second argument"
        )
    paths = []
    for kind in _METADATA:
        paths.append(given_path(folder) / f"{name}.{kind}")
        write_atomically(paths[-1], rendered(figure, kind))
    return paths


def rendered(figure: Figure, kind: str) -> bytes:
    """Return a figure as the bytes of an image file.

    Args:
        figure: the figure.
        kind: "png" or "svg".
    """
    buffer = io.BytesIO()
    with paper_style():
        figure.savefig(buffer, format=kind, dpi=DPI, metadata=_METADATA[kind])
    return buffer.getvalue()
