"""IDX: the file format of MNIST."""

import math

import torch
from jaxtyping import UInt8
from torch import Tensor

BYTES = 0x08
"""The type code of unsigned bytes, the only type that is read."""


def array_of(content: bytes, axes: int) -> UInt8[Tensor, "..."]:
    """Parse an IDX file of unsigned bytes.

    The file starts with two zero bytes, one byte for the type and one for the number of axes. The size of each axis follows as
    a big-endian integer of four bytes, and then the elements in row-major order.

    Args:
        content: the bytes of the file.
        axes: the expected number of axes.

    Raises:
        ValueError: the content is not such a file; the message continues a sentence that starts with the file's name.
    """
    if content[:4] != bytes((0, 0, BYTES, axes)):
        wanted = bytes((0, 0, BYTES, axes)).hex()
        raise ValueError(
            f"starts with {content[:4].hex()}, but an IDX file of bytes with {axes} axes starts with {wanted}"
        )
    begin = 4 + 4 * axes
    shape = [int.from_bytes(content[place : place + 4], "big") for place in range(4, begin, 4)]
    if len(content) != begin + math.prod(shape):
        sizes = " x ".join(map(str, shape))
        raise ValueError(f"has {len(content)} bytes, but its header of {sizes} requires {begin + math.prod(shape)}")
    return torch.frombuffer(bytearray(content[begin:]), dtype=torch.uint8).reshape(shape)
