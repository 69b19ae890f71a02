"""PNG: the pixels of files of every kind, and files that are damaged or have another size."""

from io import BytesIO

import numpy
import pytest
from PIL import Image

from memtape.tasks.images.png import greys_of

PIXELS = numpy.random.default_rng(0).integers(0, 2, (10, 7)).astype(numpy.uint8) * 255


def file_of(mode, kind="PNG"):
    content = BytesIO()
    Image.fromarray(PIXELS).convert(mode).save(content, format=kind)
    return content.getvalue()


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA"])
def test_black_and_white_are_read_from_every_kind_of_pixel(mode):
    assert greys_of(file_of(mode), (10, 7)).tolist() == PIXELS.tolist()


def test_another_size_is_refused():
    with pytest.raises(ValueError, match=r"^has 10 x 7 pixels, but must have 7 x 10$"):
        greys_of(file_of("L"), (7, 10))


@pytest.mark.parametrize("length", [0, 4, 30, 60])
def test_a_cut_file_is_refused(length):
    with pytest.raises(ValueError, match=r"^is not a PNG file that can be read"):
        greys_of(file_of("L")[:length], (10, 7))


def test_a_changed_byte_is_found():
    content = bytearray(file_of("L"))
    content[50] ^= 0xFF
    with pytest.raises(ValueError, match=r"^is not a PNG file that can be read"):
        greys_of(bytes(content), (10, 7))


def test_another_format_is_refused():
    with pytest.raises(ValueError, match=r"^is not a PNG file that can be read"):
        greys_of(file_of("L", "BMP"), (10, 7))
