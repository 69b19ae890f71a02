"""IDX: arrays of bytes as the MNIST files hold them."""

import math

import torch
from jaxtyping import UInt8
from torch import Tensor

BYTES = 0x08
"""The code of unsigned bytes, the only kind that is read."""


def array_of(content: bytes, axes: int) -> UInt8[Tensor, "..."]:
    """Return the array of an IDX file of unsigned bytes.

    The file begins with two zeros, the code of its kind and the number of its axes, a byte each, and the size of each axis, a
    big-endian whole number of four bytes; the elements follow, the last axis fastest.

    Args:
        content: the bytes of the file.
        axes: how many axes it should have.

    Raises:
        ValueError: it is no such file; the sentence goes on from its name.
    """
    if content[:4] != bytes((0, 0, BYTES, axes)):
        wanted = bytes((0, 0, BYTES, axes)).hex()
        raise ValueError(
            f"begins with {content[:4].hex()}, but an IDX file of {axes} axes of bytes begins with {wanted}"
        )
    begin = 4 + 4 * axes
    shape = [int.from_bytes(content[place : place + 4], "big") for place in range(4, begin, 4)]
    if len(content) != begin + math.prod(shape):
        sizes = " x ".join(map(str, shape))
        raise ValueError(f"has {len(content)} bytes, but its header of {sizes} promises {begin + math.prod(shape)}")
    return torch.frombuffer(bytearray(content[begin:]), dtype=torch.uint8).reshape(shape)
