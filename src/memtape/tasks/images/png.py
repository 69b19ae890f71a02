"""PNG: the file format of Omniglot's images."""

import struct
import zlib
from collections.abc import Iterator

import numpy
import torch
from jaxtyping import UInt8
from torch import Tensor

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREYSCALE = 0
DEPTHS = (1, 2, 4, 8)
LARGEST_SIDE = 4096
"""Largest number of rows or columns."""


def greys_of(content: bytes) -> UInt8[Tensor, "rows columns"]:
    """Parse a greyscale PNG file of 1, 2, 4 or 8 bits per pixel that is not interlaced.

    Args:
        content: the bytes of the file.

    Returns:
        The pixels, scaled so that black is 0 and white is 255.

    Raises:
        ValueError: the content is not such a file; the message continues a sentence that starts with the file's name.

    References:
        ISO/IEC 15948, "Portable Network Graphics", sections 5 (chunks), 7 (pixels), 9 (filters) and 10 (compression).
    """
    if content[:8] != SIGNATURE:
        raise ValueError(f"starts with {content[:8].hex()}, but a PNG file starts with {SIGNATURE.hex()}")
    chunks = list(_chunks(content))
    names = [name for name, _ in chunks]
    if names[:1] != [b"IHDR"] or len(chunks[0][1]) != 13 or names[-1:] != [b"IEND"]:
        raise ValueError("is not a whole PNG file, from its header to its end")
    columns, rows, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", chunks[0][1])
    if colour != GREYSCALE or depth not in DEPTHS or interlaced:
        raise ValueError(
            f"has {depth} bits per pixel, the colour type {colour} and the interlace method {interlaced}, but must be "
            "greyscale, type 0, of 1, 2, 4 or 8 bits and method 0"
        )
    if not (1 <= rows <= LARGEST_SIDE and 1 <= columns <= LARGEST_SIDE):
        raise ValueError(f"has {rows} x {columns} pixels, but each side must have 1 to {LARGEST_SIDE}")
    stride = -(-columns * depth // 8)
    lines = _inflated(b"".join(data for name, data in chunks if name == b"IDAT"), rows * (1 + stride))
    packed = _unfiltered(numpy.frombuffer(lines, numpy.uint8).reshape(rows, 1 + stride))
    return torch.from_numpy(_unpacked(packed, depth)[:, :columns])


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the name and the data of each chunk."""
    place = len(SIGNATURE)
    while place < len(content):
        size = int.from_bytes(content[place : place + 4], "big")
        body = content[place + 4 : place + 8 + size]
        check = content[place + 8 + size : place + 12 + size]
        if len(check) < 4 or zlib.crc32(body) != int.from_bytes(check, "big"):
            raise ValueError(f"is damaged in the chunk at byte {place}")
        yield body[:4], body[4:]
        place += 12 + size


def _inflated(packed: bytes, size: int) -> bytes:
    try:
        lines = zlib.decompressobj().decompress(packed, size + 1)
    except zlib.error as error:
        raise ValueError(f"has pixels that cannot be unpacked ({error})") from None
    if len(lines) != size:
        raise ValueError(f"has {len(lines)} bytes of pixels or more, but its header requires {size}")
    return lines


def _unfiltered(lines: numpy.ndarray) -> numpy.ndarray:
    """Return the bytes of the rows before they were filtered; the first byte of each line names its filter."""
    filters, rows = lines[:, 0], lines[:, 1:]
    if not filters.any():
        return rows
    above, result = [0] * rows.shape[1], []
    for kind, row in zip(filters.tolist(), rows.tolist(), strict=True):
        if kind > 4:
            raise ValueError(f"has the filter {kind}, but the filters of PNG are 0 to 4")
        line: list[int] = []
        for place, (byte, up) in enumerate(zip(row, above, strict=True)):
            left, corner = (line[-1], above[place - 1]) if place else (0, 0)
            predicted = (0, left, up, (left + up) // 2, _nearest(left, up, corner))[kind]
            line.append((byte + predicted) % 256)
        result.append(line)
        above = line
    return numpy.array(result, numpy.uint8)


def _nearest(left: int, up: int, corner: int) -> int:
    """Return the neighbour that is nearest to left + up - corner: the predictor of Paeth."""
    estimate = left + up - corner
    return min((left, up, corner), key=lambda neighbour: abs(estimate - neighbour))


def _unpacked(packed: numpy.ndarray, depth: int) -> numpy.ndarray:
    """Return a byte for each pixel, of which a byte of a row has one or several."""
    shifts = numpy.arange(8 - depth, -1, -depth, dtype=numpy.uint8)
    most = 2**depth - 1
    levels = (packed[:, :, None] >> shifts) & most
    return levels.reshape(len(packed), -1) * numpy.uint8(255 // most)
