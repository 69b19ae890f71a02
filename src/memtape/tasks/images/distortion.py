"""Distortion: turn and shift images at random, and scale them down to the size of an input."""

import math

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor
from torch.nn import functional

from memtape.tasks.images.alphabet import PIXELS

INPUT_SIDE = 20
"""Width and height of the image that a network reads."""

LARGEST_SHIFT = 10
"""Largest shift in either direction, in pixels of Omniglot's images."""

LARGEST_TURN = math.pi / 16
"""Largest small rotation in either direction."""


def distorted(
    images: UInt8[Tensor, "images side side"],
    quarters: Int[Tensor, " images"],
    generator: torch.Generator,
) -> Float[Tensor, "images pixels"]:
    r"""Rotate images by quarter turns and a small random angle, shift them at random, and scale them down.

    The point $p$ of a result, with its centre at 0, is the point $R(p - s)$ of the image: rotation, shift and reduction are one
    bilinear interpolation. The image was smoothed over the size of a pixel of the result (`memtape.tasks.images.alphabet`), so
    that the shift of a fraction of such a pixel counts as it does when an image of the full size is shifted and then scaled
    down. The angle is uniform within $\pm \pi/16$ and each coordinate of the shift within $\pm 10$ of 105 pixels. The pixels
    are divided by the largest of their image.

    Args:
        images: ink, 0 to 255.
        quarters: number of quarter turns of each image, anticlockwise.
        generator: generator of the angles and the shifts.

    Returns:
        The images of 20 x 20 pixels, row by row, in 0..1.

    References:
        Santoro et al. (2016), arXiv:1605.06065, section 4.1.
    """
    angle, across, down = (2 * torch.rand(3, len(images), dtype=torch.float64, generator=generator) - 1).unbind()
    angle = LARGEST_TURN * angle + math.pi / 2 * quarters.double()
    shift = torch.stack([across, down], -1) * (2 * LARGEST_SHIFT / PIXELS)
    turn = torch.stack([angle.cos(), angle.sin(), -angle.sin(), angle.cos()], -1).unflatten(-1, (2, 2)).mT
    placed = torch.cat([turn, -turn @ shift[:, :, None]], -1).float()
    grid = functional.affine_grid(placed, [len(images), 1, INPUT_SIDE, INPUT_SIDE], align_corners=False)
    pixels = functional.grid_sample(images[:, None].float(), grid, align_corners=False).flatten(1)
    return pixels / pixels.amax(1, keepdim=True).clamp(min=1)
