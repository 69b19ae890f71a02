"""Encoding: convert triples of labels to one-hot digits, and back."""

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

DIGITS = 9
"""Number of digits of a triple: three for each of its labels."""

BLANK = -1
"""The value of an omitted label."""

END = (0, 0, 0)
"""The end marker of an answer; it is not an edge, since no edge leads from a node to itself."""

TRIPLE = 10 * DIGITS
TRANSITION, PREDICTION = TRIPLE, TRIPLE + 1
"""The channels after those of the digits: the first step of a phase, and the steps of an answer."""

CHANNELS = TRIPLE + 2


def encoded(triples: Int[Tensor, "*shape 3"]) -> Float[Tensor, "*shape 90"]:
    """Encode each label as three one-hot vectors of ten channels, one per digit; a blank label is encoded as zeros.

    Example:
        >>> import torch
        >>> encoded(torch.tensor([7, 215, BLANK])).reshape(9, 10)[:6].argmax(-1)
        tensor([0, 0, 7, 2, 1, 5])
    """
    digits = torch.stack([triples // 100, triples // 10 % 10, triples % 10], dim=-1)
    vectors = functional.one_hot(digits.clamp(0, 9), 10) * (triples != BLANK)[..., None, None]
    return vectors.flatten(-3).to(torch.get_default_dtype())


def decoded(vectors: Float[Tensor, "*shape 90"]) -> Int[Tensor, "*shape 3"]:
    """Decode labels from the argmax of each digit; a label whose channels are all 0 is blank."""
    digits = vectors.unflatten(-1, (3, 3, 10))
    labels = (digits.argmax(-1) * torch.tensor([100, 10, 1])).sum(-1)
    return torch.where(digits.flatten(-2).any(-1), labels, BLANK)


def digit_scores(outputs: Float[Tensor, "*shape 90"]) -> Float[Tensor, "*shape 9 10"]:
    """Return the log-probability of each value of each digit, for logits `outputs`; in float32 or wider."""
    return outputs.to(torch.promote_types(outputs.dtype, torch.float32)).unflatten(-1, (DIGITS, 10)).log_softmax(-1)


def as_text(triple: Int[Tensor, " 3"]) -> str:
    """Return a triple as text, such as "215 7 _", and the end marker as "end"."""
    labels = tuple(triple.tolist())
    return "end" if labels == END else " ".join("_" if label == BLANK else str(label) for label in labels)
