"""Word window: the words around each word of a sentence."""

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from memtape.ops.sentence import NIL


def windows(
    words: Int[Tensor, "*batch words"], size: int
) -> tuple[Int[Tensor, "*batch words size"], Bool[Tensor, "*batch words size"]]:
    r"""Return the window of each word: up to $(W - 1) / 2$ words on each side of it, and itself.

    Args:
        words: the words of each sentence as symbols; absent words, `NIL`, follow the others.
        size: $W$, odd.

    Returns:
        The words of each window in their order, and after them `NIL`, which is also all that the window of an absent word
        has; and which of them is the word in the middle.
    """
    count = words.shape[-1]
    at = torch.arange(count, device=words.device)
    first = (at - size // 2).clamp(min=0)
    places = first[:, None] + torch.arange(size, device=words.device)
    inside = (places <= at[:, None] + size // 2) & (places < count) & (words != NIL)[..., None]
    found = words[..., places.clamp(max=max(count - 1, 0))] if count else words[..., None].expand(*words.shape, size)
    return torch.where(inside, found, NIL), inside & (places == at[:, None])
