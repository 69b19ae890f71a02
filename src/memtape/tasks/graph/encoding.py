"""Encoding: triples of labels as digits, for inputs, for targets, and back."""

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

DIGITS = 9
"""Of a triple: three of each of its labels."""

BLANK = -1
"""Stands for a label that is not told."""

END = (0, 0, 0)
"""The triple that ends an answer; it names no edge, since none leads from a node to itself."""

TRIPLE = 10 * DIGITS
TRANSITION, PREDICTION = TRIPLE, TRIPLE + 1
"""The channels after those of the digits: a phase begins, and an answer is asked for."""

CHANNELS = TRIPLE + 2


def encoded(triples: Int[Tensor, "*shape 3"]) -> Float[Tensor, "*shape 90"]:
    """Return each label as three digits, each of them a one-hot vector of ten; a blank label as zeros.

    Example:
        >>> import torch
        >>> encoded(torch.tensor([7, 215, BLANK])).reshape(9, 10)[:6].argmax(-1)
        tensor([0, 0, 7, 2, 1, 5])
    """
    digits = torch.stack([triples // 100, triples // 10 % 10, triples % 10], dim=-1)
    vectors = functional.one_hot(digits.clamp(0, 9), 10) * (triples != BLANK)[..., None, None]
    return vectors.flatten(-3).float()


def decoded(vectors: Float[Tensor, "*shape 90"]) -> Int[Tensor, "*shape 3"]:
    """Return the labels whose digits are largest; blank where there are zeros alone."""
    digits = vectors.unflatten(-1, (3, 3, 10))
    labels = (digits.argmax(-1) * torch.tensor([100, 10, 1])).sum(-1)
    return torch.where(digits.flatten(-2).any(-1), labels, BLANK)


def digit_scores(outputs: Float[Tensor, "*shape 90"]) -> Float[Tensor, "*shape 9 10"]:
    """Return the log-probability of each digit at each place, of outputs that are logits; in float32 at least."""
    return outputs.to(torch.promote_types(outputs.dtype, torch.float32)).unflatten(-1, (DIGITS, 10)).log_softmax(-1)


def told(triple: Int[Tensor, " 3"]) -> str:
    """Return a triple as a person reads it, such as "215 7 _", and the end of an answer as "end"."""
    labels = tuple(triple.tolist())
    return "end" if labels == END else " ".join("_" if label == BLANK else str(label) for label in labels)
