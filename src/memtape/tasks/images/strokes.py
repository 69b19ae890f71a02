"""Strokes: synthetic images of digits and of random characters, used when MNIST or Omniglot is absent."""

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

SIDE = 28
"""Width and height of an image in pixels."""

PATHS = (
    "50 21 14 16 29 59 88 96 94 81 50",
    "23 50 59",
    "12 30 60 82 83 18 19 99",
    "11 30 70 82 63 44 64 86 88 69 29 18",
    "69 60 16 96",
    "80 20 14 54 86 88 69 29 18",
    "70 32 15 18 39 69 88 86 65 35 17",
    "10 90 49 26 76",
    "50 21 23 75 87 59 27 35 83 81 50",
    "85 55 23 21 40 70 81 85 77 49",
)
"""Corners of the polyline of each digit; two digits per corner, its position from the left and from the top, 0 to 9."""

CORNERS = 12
"""Number of corners of the longest path; shorter paths repeat their last corner."""

DRAWN_CORNERS = 5
"""Number of corners of a random character."""

DRAWN_WIDTH = 0.03
"""Width of its strokes, as a share of the width of an image."""


def draw_digits(
    count: int, generator: torch.Generator
) -> tuple[UInt8[Tensor, "count side side"], Int[Tensor, " count"]]:
    """Draw images of digits, white on black, and return them with their labels.

    Slant, rotation, scale, position, stroke width, contrast, noise of the corners and noise of the pixels are drawn for each
    image.
    """
    labels = torch.randint(0, len(PATHS), (count,), generator=generator)

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(count, *shape, dtype=torch.float32, generator=generator)

    corners = _paths()[labels] + uniform(-0.06, 0.06, CORNERS, 2)
    turn, slant = uniform(-0.3, 0.3), uniform(-0.3, 0.3)
    turned = torch.stack([turn.cos(), -turn.sin() + slant, turn.sin(), turn.cos()], dim=-1).reshape(count, 2, 2)
    corners = corners * uniform(5.0, 9.0, 1, 2) @ turned.mT + (SIDE - 1) / 2 + uniform(-2.5, 2.5, 1, 2)
    distance = _distance_to_path(corners, SIDE)
    ink = (uniform(1.2, 2.2, 1, 1) - distance).clamp(0, 1) * uniform(0.7, 1.0, 1, 1)
    noisy = ink + 0.08 * torch.randn(ink.shape, dtype=torch.float32, generator=generator)
    return (255 * noisy.clamp(0, 1)).to(torch.uint8), labels


def draw_characters(
    count: int, drawers: int, side: int, generator: torch.Generator
) -> UInt8[Tensor, "count drawers side side"]:
    """Draw random characters, each of them several times: ink of 0 to 255.

    A character is a polyline with 5 random corners. Noise of the corners and scale are drawn for each image.

    Args:
        count: number of characters.
        drawers: number of images of each.
        side: width and height of an image in pixels.
        generator: generator of all random numbers.
    """

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(shape, dtype=torch.float32, generator=generator)

    corners = uniform(-1.0, 1.0, count, 1, DRAWN_CORNERS, 2)
    corners = corners + uniform(-0.12, 0.12, count, drawers, DRAWN_CORNERS, 2)
    corners = corners * uniform(0.28, 0.34, count, drawers, 1, 1) * side + (side - 1) / 2
    ink = (0.5 + DRAWN_WIDTH / 2 * side - _distance_to_path(corners.flatten(0, 1), side)).clamp(0, 1)
    return (255 * ink).to(torch.uint8).unflatten(0, (count, drawers))


def _paths() -> Float[Tensor, "digits corners 2"]:
    """Return the corners of each digit, scaled to -1..1."""
    paths = [[(int(place[0]), int(place[1])) for place in path.split()] for path in PATHS]
    return torch.tensor([path + path[-1:] * (CORNERS - len(path)) for path in paths]) / 4.5 - 1


def _distance_to_path(corners: Float[Tensor, "count corners 2"], side: int) -> Float[Tensor, "count side side"]:
    """Return the distance of each pixel to a polyline."""
    places = torch.arange(side, dtype=corners.dtype)
    column, row = torch.meshgrid(places, places, indexing="xy")
    nearest = torch.full((len(corners), side, side), float("inf"), dtype=corners.dtype)
    for begin, end in zip(corners.unbind(1)[:-1], corners.unbind(1)[1:], strict=True):
        x, y = begin.T[:, :, None, None]
        dx, dy = (end - begin).T[:, :, None, None]
        along = (((column - x) * dx + (row - y) * dy) / (dx * dx + dy * dy).clamp(min=1e-6)).clamp(0, 1)
        nearest = torch.minimum(nearest, (column - x - along * dx).square() + (row - y - along * dy).square())
    return nearest.sqrt()
