"""Image files of any size as binary patterns of one size."""

import warnings
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from memtape.core.errors import RequestError
from memtape.core.extra import importing
from memtape.core.given_path import read_given

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF")

MOST_BYTES = 2**26
MOST_PIXELS = 50_000_000
"""Largest file and largest image that are read."""


class PictureError(RequestError):
    """A file that cannot be stored as a pattern; the message names the file and the cure."""


def read_pattern(path: Path, side: int) -> Float[Tensor, "side side"]:
    """Read an image as a binary pattern: 1 at light pixels and -1 at dark ones.

    The image is converted to grey, on white where it is transparent, resized to a square, and divided by `two_levels`.

    Args:
        path: a file of one of `FORMATS`.
        side: width and height of the pattern.

    Raises:
        MissingPackageError: pillow is not installed.
        PictureError: the file is missing, is no image, is too large, or has one colour.
    """
    greys = _read_greys(path, side)
    if int(greys.max()) - int(greys.min()) < 2:
        raise PictureError(
            f"{path} has one colour at {side} x {side} pixels, but a pattern needs light and dark pixels; give another image"
        )
    return two_levels(greys)


def two_levels(greys: UInt8[Tensor, "rows columns"]) -> Float[Tensor, "rows columns"]:
    r"""Return 1 at light pixels and -1 at dark ones, divided where their means are farthest apart (Otsu's method).

    $$\max_\theta \; p_\theta \, (1 - p_\theta) \, (\mu_{\text{light}} - \mu_{\text{dark}})^2$$

    where $p_\theta$ is the share of pixels up to the grey $\theta$.

    Args:
        greys: grey levels, of which at least two differ.

    References:
        Otsu (1979), "A threshold selection method from gray-level histograms", IEEE Transactions on Systems, Man, and
        Cybernetics 9, doi:10.1109/TSMC.1979.4310076.
    """
    counts = torch.bincount(greys.flatten().long(), minlength=256).double()
    levels = torch.arange(256, dtype=counts.dtype)
    dark, mass = counts.cumsum(0), (counts * levels).cumsum(0)
    light = dark[-1] - dark
    apart = (mass[-1] - mass) / light.clamp(min=1) - mass / dark.clamp(min=1)
    threshold = int((dark * light * apart.square()).argmax())
    return torch.where(greys > threshold, 1.0, -1.0)


def _read_greys(path: Path, side: int) -> UInt8[Tensor, "side side"]:
    with importing("the reader of images"):
        from PIL import Image  # noqa: PLC0415
    try:
        content = read_given(path, most=MOST_BYTES + 1)
    except OSError as error:
        raise PictureError(f"{path} cannot be read ({error.strerror}); give an image file") from None
    if len(content) > MOST_BYTES:
        raise PictureError(f"{path} has more than {MOST_BYTES >> 20} MiB, which is too large; give a smaller image")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(BytesIO(content), formats=FORMATS) as image:
                if image.width * image.height <= MOST_PIXELS:
                    return _square(image, side)
                size = f"{image.width} x {image.height} pixels"
    except Exception as error:  # decoders of damaged files raise errors of many kinds
        reason = str(error).partition(" <")[0] or type(error).__name__
        raise PictureError(
            f"{path} is not an image that can be read ({reason}); give a file of {', '.join(FORMATS)}"
        ) from None
    raise PictureError(f"{path} has {size}, but at most {MOST_PIXELS:,} are read; give a smaller image")


def _square(image: Any, side: int) -> UInt8[Tensor, "side side"]:
    """Return an image of pillow as greys of a square, on white where it is transparent."""
    opaque = image.convert("RGBA")
    paper = opaque.copy()
    paper.paste((255, 255, 255, 255), (0, 0, *opaque.size))
    paper.alpha_composite(opaque)
    return torch.from_numpy(numpy.array(paper.convert("L").resize((side, side))))
