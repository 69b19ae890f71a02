"""Alphabet: written characters by many drawers, and how they are divided into splits."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, UInt8
from torch import Tensor
from torch.nn import functional

from memtape.core.task import generator_for

PIXELS = 105
"""Width and height of an image of Omniglot in pixels."""

SIDE = 35
"""Width and height in which images are held, so that whole batches are distorted in some milliseconds."""

WINDOW = 5
"""A held pixel is the mean of 5 x 5 pixels of Omniglot, about one of the 20 x 20 pixels of an input, around every third one."""

TRAINING = 1200
"""Number of characters of Omniglot for training and validation, of 1623; the others are for testing."""

VALIDATION = 100
"""Number of these that are kept for validation."""


@dataclass(frozen=True)
class Alphabet:
    """Characters, each with images by several drawers.

    Attributes:
        images: ink, 0 to 255.
        training: number of characters for training and validation.
        validation: number of these for validation.
    """

    images: UInt8[Tensor, "characters drawers side side"]
    training: int = TRAINING
    validation: int = VALIDATION

    def split(self, name: str) -> UInt8[Tensor, "some drawers side side"]:
        """Return the characters of a split; any name except "train" and "validation" is the test split.

        One fixed random order divides the characters.
        """
        order = torch.randperm(len(self.images), generator=generator_for("characters", len(self.images)))
        kept = self.training - self.validation
        parts = {"train": order[:kept], "validation": order[kept : self.training]}
        return self.images[parts.get(name, order[self.training :]).sort().values]


def reduced(ink: Bool[Tensor, "images pixels pixels"]) -> UInt8[Tensor, "images side side"]:
    """Return images of Omniglot in the size in which they are held."""
    means = functional.avg_pool2d(ink.float(), WINDOW, PIXELS // SIDE, padding=WINDOW // 2 - 1)
    return (means * 255).round().to(torch.uint8)
