"""`memtape recall`: store images in associative memories, corrupt them, and recall them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from memtape.cli.errors import UsageError
from memtape.cli.table import print_table
from memtape.cli.terminal import print_visible

if TYPE_CHECKING:
    from torch import Tensor

    from memtape.experiments.recall import RecalledPatterns

SIDES = (4, 64)
MOST_IMAGES = 40
SUFFIXES = (".png", ".svg")


def recall(
    *images: Annotated[Path, Parameter(name="IMAGE", help="Images to store; without them, drawn digits are.")],
    digits: Annotated[int | None, Parameter(help="Number of drawn digits, 1 to 10.", show_default="5")] = None,
    corruption: Annotated[
        Literal["noise", "cover"], Parameter(help="Flip random pixels, or make the lower rows dark.")
    ] = "noise",
    amount: Annotated[float, Parameter(help="Share of the pixels or rows that are corrupted, 0 to 1.")] = 0.25,
    size: Annotated[int, Parameter(help="Width and height to which images are resized, 4 to 64.")] = 28,
    seed: Annotated[int, Parameter(help="Seed of the corrupted pixels.")] = 0,
    out: Annotated[Path, Parameter(help="File for the picture: .png or .svg.")] = Path("recall.png"),
) -> None:
    """Store images in associative memories, corrupt them, and recall them; no training is needed.

    Images become patterns of light and dark pixels. Four memories store them: Hopfield networks with Hebb's rule and with the
    projection rule, a dense associative memory, and a modern Hopfield network. The table has the share of correct pixels.
    """
    if out.suffix not in SUFFIXES:
        raise UsageError(f"--out is {out}, but the picture is written as .png or .svg; give a file that ends in one")
    if not SIDES[0] <= size <= SIDES[1]:
        raise UsageError(f"--size is {size}, but it must be in {SIDES[0]}..{SIDES[1]}; give another number")
    if images and digits is not None:
        raise UsageError(
            "--digits was given together with images, but digits are drawn without any; leave one of them out"
        )
    if len(images) > MOST_IMAGES:
        raise UsageError(f"{len(images)} images were given, but a picture has at most {MOST_IMAGES}; give fewer")
    from memtape.core.atomic_write import write_atomically
    from memtape.experiments.experiment import first_line
    from memtape.experiments.recall import drawn_digits, recall_patterns
    from memtape.viz.recall_figure import recall_figure
    from memtape.viz.saving import rendered

    try:
        names, patterns = _read(images, size) if images else drawn_digits(5 if digits is None else digits)
        found = recall_patterns(names, patterns, corruption=corruption, amount=amount, seed=seed)
    except (TypeError, ValueError) as error:
        raise UsageError(first_line(error)) from None
    _print(found)
    pictures = {stage: values.numpy() for stage, values in found.pictures().items()}
    energies = {name: one.energies.numpy() for name, one in found.found.items()}
    write_atomically(out, rendered(recall_figure(found.names, pictures, energies), out.suffix[1:]))
    print_visible(str(out))


def _read(images: tuple[Path, ...], size: int) -> "tuple[list[str], Tensor]":
    import torch

    from memtape.core.given_path import given_path
    from memtape.tasks.images.image_files import read_pattern

    return [image.name for image in images], torch.stack([read_pattern(given_path(image), size) for image in images])


def _print(found: "RecalledPatterns") -> None:
    shares = found.right()
    print_table(
        [
            {"pattern": name, **{stage: values[row] for stage, values in shares.items()}}
            for row, name in enumerate(found.names)
        ],
        formats=dict.fromkeys(shares, ".1%"),
    )
    side = found.stored.shape[-1]
    print_visible("")
    print_visible(
        f"{len(found.names)} patterns of {side} x {side} pixels; by Hebb's rule about {0.138 * side * side:.0f} random ones "
        "can be stored, and fewer if they are similar"
    )
