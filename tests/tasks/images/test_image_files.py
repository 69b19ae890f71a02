"""Image files: damaged files of every format, and the two levels of a pattern."""

import torch
from PIL import Image

from memtape.tasks.images.image_files import PictureError, read_pattern, two_levels


def test_damaged_images_never_end_in_another_error(tmp_path):
    image = Image.new("L", (40, 30), 50)
    image.paste(200, (0, 0, 40, 15))
    generator = torch.Generator().manual_seed(0)
    for name in ("a.png", "a.jpg", "a.gif", "a.bmp", "a.webp", "a.tiff"):
        image.save(tmp_path / name)
        content = bytearray((tmp_path / name).read_bytes())
        for _ in range(20):
            damaged = content.copy()
            for place in torch.randint(0, len(damaged), (8,), generator=generator).tolist():
                damaged[place] ^= 255
            (tmp_path / name).write_bytes(damaged)
            try:
                assert read_pattern(tmp_path / name, 6).abs().eq(1).all()
            except PictureError:
                continue


def test_two_levels_are_divided_where_the_means_are_farthest_apart():
    greys = torch.tensor([[10, 12, 11], [200, 210, 12]], dtype=torch.uint8)
    assert two_levels(greys).tolist() == [[-1, -1, -1], [1, 1, -1]]
    levels = greys.flatten().tolist()

    def spread(threshold):
        dark = [level for level in levels if level <= threshold]
        light = [level for level in levels if level > threshold]
        return len(dark) * len(light) * (sum(light) / len(light) - sum(dark) / len(dark)) ** 2

    best = max(range(10, 210), key=spread)
    assert two_levels(greys).eq(1).tolist() == (greys > best).tolist()
