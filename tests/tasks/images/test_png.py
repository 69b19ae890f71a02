"""PNG: files written by an independent encoder with every filter and depth, and damaged files."""

import struct
import zlib

import numpy
import pytest

from memtape.tasks.images.png import SIGNATURE, greys_of


def chunk(name, data):
    body = name + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def header(columns, rows, depth=8, colour=0, interlaced=0):
    return struct.pack(">IIBBBBB", columns, rows, depth, colour, 0, 0, interlaced)


def file_of(lines, size, **options):
    """Return a PNG file of filtered lines, each with the number of its filter, in two chunks of pixels."""
    packed = zlib.compress(b"".join(lines))
    parts = [chunk(b"IDAT", packed[:5]), chunk(b"IDAT", packed[5:])]
    return SIGNATURE + chunk(b"IHDR", header(*size, **options)) + b"".join(parts) + chunk(b"IEND", b"")


def filtered(rows, kinds):
    """Filter each row of bytes by its kind, as the standard defines the five filters."""
    lines = []
    for number, kind in enumerate(kinds):
        line = [kind]
        for place in range(rows.shape[1]):
            left = int(rows[number, place - 1]) if place else 0
            up = int(rows[number - 1, place]) if number else 0
            corner = int(rows[number - 1, place - 1]) if number and place else 0
            p = left + up - corner
            pa, pb, pc = abs(p - left), abs(p - up), abs(p - corner)
            paeth = left if pa <= pb and pa <= pc else up if pb <= pc else corner
            predicted = [0, left, up, (left + up) // 2, paeth][kind]
            line.append((int(rows[number, place]) - predicted) % 256)
        lines.append(bytes(line))
    return lines


PIXELS = numpy.random.default_rng(0).integers(0, 256, (10, 7)).astype(numpy.uint8)


@pytest.mark.parametrize("kinds", [[0] * 10, [1] * 10, [2] * 10, [3] * 10, [4] * 10, [0, 1, 2, 3, 4, 4, 3, 2, 1, 0]])
def test_every_filter_is_reverted(kinds):
    content = file_of(filtered(PIXELS, kinds), (7, 10))
    assert greys_of(content).tolist() == PIXELS.tolist()


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_pixels_of_every_depth_are_scaled_to_255(depth):
    levels = PIXELS >> (8 - depth)
    bits = "".join
    rows = [bits(f"{level:0{depth}b}" for level in row) for row in levels.tolist()]
    packed = [int(row.ljust(-(-len(row) // 8) * 8, "1"), 2).to_bytes(-(-len(row) // 8), "big") for row in rows]
    content = file_of([b"\0" + row for row in packed], (7, 10), depth=depth)
    assert greys_of(content).tolist() == (levels.astype(int) * 255 // (2**depth - 1)).tolist()


GOOD = file_of(filtered(PIXELS, [0] * 10), (7, 10))
DAMAGES = {
    "is another file": (b"GIF89a..", "starts with 4749463839612e2e, but a PNG file starts with 89504e47"),
    "is empty": (b"", "starts with , but a PNG file"),
    "ends early": (GOOD[:-6], "is damaged in the chunk at byte"),
    "has no end": (GOOD[:-12], "is not a whole PNG file"),
    "has a changed byte": (GOOD[:43] + bytes([GOOD[43] ^ 1]) + GOOD[44:], "is damaged in the chunk at byte 33"),
    "has colours": (
        file_of([bytes(22)], (7, 1), colour=2),
        "has 8 bits per pixel, the colour type 2 and the interlace method 0, but must be greyscale",
    ),
    "is interlaced": (file_of([bytes(8)], (7, 1), interlaced=1), "the interlace method 1, but must be"),
    "is huge": (
        file_of([bytes(8)], (10**9, 10**9)),
        "has 1000000000 x 1000000000 pixels, but each side must have 1 to 4096",
    ),
    "has few pixels": (file_of([bytes(8)], (7, 2)), "has 8 bytes of pixels or more, but its header requires 16"),
    "has many pixels": (file_of([bytes(8)] * 3, (7, 1)), "has 9 bytes of pixels or more, but its header requires 8"),
    "has another filter": (file_of([b"\5" + bytes(7)], (7, 1)), "has the filter 5, but the filters of PNG are 0 to 4"),
    "has no pixels": (
        SIGNATURE + chunk(b"IHDR", header(7, 1)) + chunk(b"IDAT", b"abc") + chunk(b"IEND", b""),
        "has pixels that cannot be unpacked",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_an_invalid_file_is_refused(damage):
    content, message = DAMAGES[damage]
    with pytest.raises(ValueError, match=message):
        greys_of(content)
