"""Recall: store binary patterns in each associative memory, corrupt them, and let the memories recall them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from memtape.core import checks
from memtape.core.task import generator_for
from memtape.memory import DenseAssociativeMemory, HopfieldNetwork, ModernHopfieldNetwork, Recollection
from memtape.tasks.images.image_files import two_levels
from memtape.tasks.images.strokes import draw_digits

DRAWN = 200
"""Number of drawn digits, of which the first one of each class is used."""

Corruption = Literal["noise", "cover"]


@dataclass(frozen=True, eq=False)
class RecalledPatterns:
    """Stored patterns, and what each memory recalls of them.

    Attributes:
        names: name of each pattern.
        stored: the patterns, of entries 1 and -1.
        corrupted: the patterns after corruption.
        found: what is recalled, by the name of the memory.
    """

    names: tuple[str, ...]
    stored: Float[Tensor, "patterns side side"]
    corrupted: Float[Tensor, "patterns side side"]
    found: Mapping[str, Recollection]

    def pictures(self) -> dict[str, Float[Tensor, "patterns side side"]]:
        """Return the stored, the corrupted and all recalled patterns by name."""
        recalled = {name: found.states.reshape(self.stored.shape) for name, found in self.found.items()}
        return {"stored": self.stored, "corrupted": self.corrupted, **recalled}

    def right(self) -> dict[str, list[float]]:
        """Return the share of correct pixels of each pattern, corrupted and as recalled by each memory."""
        return {
            name: (pictures.sign() == self.stored).double().mean((1, 2)).tolist()
            for name, pictures in self.pictures().items()
            if name != "stored"
        }


def drawn_digits(count: int) -> tuple[tuple[str, ...], Float[Tensor, "patterns side side"]]:
    """Return names and binary patterns of synthetic digits, one of each class, at most ten.

    Args:
        count: number of digits, from 0 upwards.

    Raises:
        TypeError: the number is not an integer.
        ValueError: the number is outside 1..10.
    """
    checks.at_least(1, digits=count)
    if count > 10:
        raise ValueError(f"digits is {count}, but there are ten digits; give at most 10")
    images, labels = draw_digits(DRAWN, torch.Generator().manual_seed(0))
    patterns = torch.stack([two_levels(images[(labels == label).nonzero()[0, 0]]) for label in range(count)])
    return tuple(f"digit {label}" for label in range(count)), patterns


def corrupt(
    patterns: Float[Tensor, "patterns side side"], corruption: Corruption, amount: float, *, seed: int = 0
) -> Float[Tensor, "patterns side side"]:
    """Return patterns of which a share of the pixels is corrupted.

    Args:
        patterns: the patterns, of entries 1 and -1.
        corruption: "noise" flips random pixels, a fixed number of each pattern; "cover" makes the lower rows dark.
        amount: the share of the pixels or of the rows.
        seed: seed of the pixels.

    Raises:
        ValueError: the corruption is unknown, or the amount is outside 0..1.
    """
    checks.one_of(("noise", "cover"), corruption=corruption)
    checks.probabilities(amount=amount)
    flat = patterns.flatten(1)
    if corruption == "noise":
        chances = torch.rand(flat.shape, dtype=torch.float64, generator=generator_for("recall", seed))
        flipped = chances.argsort(-1).argsort(-1) < round(amount * flat.shape[1])
        return torch.where(flipped, -flat, flat).reshape(patterns.shape)
    rows = patterns.shape[1]
    covered = (torch.arange(rows) >= rows - round(amount * rows))[:, None]
    return torch.where(covered, -1.0, patterns)


def recall_patterns(
    names: Sequence[str],
    patterns: Float[Tensor, "patterns side side"],
    *,
    corruption: Corruption = "noise",
    amount: float = 0.25,
    seed: int = 0,
) -> RecalledPatterns:
    r"""Store patterns in four memories, and recall them from corrupted ones.

    The memories are Hopfield networks with Hebb's rule and with the projection rule, a dense associative memory with the
    exponential function, and a modern Hopfield network with $\beta = 1 / \sqrt{n}$ for $n$ pixels.

    Args:
        names: name of each pattern.
        patterns: the patterns, of entries 1 and -1.
        corruption: "noise" or "cover", as `corrupt` describes.
        amount: share of the pixels or of the rows that are corrupted.
        seed: seed of the corrupted pixels and of the order in which units are updated.

    Raises:
        ValueError: an option is outside its range.
    """
    corrupted = corrupt(patterns, corruption, amount, seed=seed)
    flat, probes = patterns.flatten(1), corrupted.flatten(1)
    generator = generator_for("order", seed)
    found = {
        "hopfield": HopfieldNetwork(flat).recall(probes, generator=generator),
        "projection": HopfieldNetwork(flat, rule="projection").recall(probes, generator=generator),
        "dense": DenseAssociativeMemory(flat, interaction="exponential").recall(probes, generator=generator),
        "modern": ModernHopfieldNetwork(flat, beta=flat.shape[1] ** -0.5).recall(probes),
    }
    return RecalledPatterns(names=tuple(names), stored=patterns, corrupted=corrupted, found=found)
