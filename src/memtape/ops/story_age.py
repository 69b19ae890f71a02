"""Story age: how many sentences follow each sentence of a story."""

import torch
from jaxtyping import Bool, Int
from torch import Tensor


def ages(present: Bool[Tensor, "batch sentences"]) -> Int[Tensor, "batch sentences"]:
    """Return the age of each sentence: 0 for the last one, 1 for the one before; 0 for absent sentences.

    Args:
        present: which sentences exist; they come first in their row.
    """
    count = present.sum(1, keepdim=True)
    return (count - 1 - torch.arange(present.shape[1], device=present.device)).clamp(min=0)


def ages_with_gaps(
    present: Bool[Tensor, "batch sentences"], share: float, limit: int
) -> Int[Tensor, "batch sentences"]:
    r"""Return ages with random gaps, as if there were sentences without words among those of the story (random noise).

    Of a story of $n$ sentences, the number of gaps is uniform in $0 \dots \lceil \rho n \rceil$, and their places are uniform
    too. Without them a network may learn the exact ages of the training stories.

    Args:
        present: which sentences exist; they come first in their row.
        share: $\rho$; 0 for the ages without gaps.
        limit: ages are at most `limit - 1`.

    References:
        Sukhbaatar, Szlam, Weston & Fergus (2015), "End-to-end memory networks", arXiv:1503.08895, section 4.1.
    """
    if not share:
        return ages(present)
    batch, sentences = present.shape
    count = present.sum(1, keepdim=True)
    most = torch.ceil(share * count.double()).long()
    gaps = (torch.rand(batch, 1, device=present.device, dtype=torch.float64) * (most + 1)).long().clamp(max=most)
    places = torch.arange(sentences + int(most.max()) if batch else sentences, device=present.device)
    drawn = torch.rand(batch, len(places), device=present.device).masked_fill(places >= count + gaps, 2.0)
    # The first `count` places of a random order, newest first; places that were not chosen sort to the end.
    chosen = drawn.argsort(1).masked_fill(places >= count, len(places)).sort(1).values[:, :sentences]
    newest_first = chosen.clamp(max=limit - 1)
    return newest_first.gather(1, ages(present))
