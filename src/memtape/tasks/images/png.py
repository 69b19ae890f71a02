"""PNG: read the pixels of image files."""

from io import BytesIO

import numpy
import torch
from jaxtyping import UInt8
from torch import Tensor

from memtape.core.extra import importing


def greys_of(content: bytes, size: tuple[int, int]) -> UInt8[Tensor, "rows columns"]:
    """Return the pixels of a PNG file, from 0 for black to 255 for white.

    Args:
        content: the bytes of the file.
        size: the numbers of rows and columns that it must have.

    Raises:
        MissingPackageError: pillow is not installed.
        ValueError: the content is no PNG file of this size; the message continues a sentence that starts with the file's name.
    """
    with importing("the reader of PNG files"):
        from PIL import Image  # noqa: PLC0415
    wanted = size[::-1]
    try:
        with Image.open(BytesIO(content), formats=["PNG"]) as image:
            found = image.size
            greys = numpy.array(image.convert("L")) if found == wanted else None
    except (OSError, SyntaxError, ValueError) as error:
        reason = str(error).partition(" <")[0]
        raise ValueError(f"is not a PNG file that can be read ({reason})") from None
    if greys is None:
        raise ValueError(f"has {found[1]} x {found[0]} pixels, but must have {size[0]} x {size[1]}")
    return torch.from_numpy(greys)
