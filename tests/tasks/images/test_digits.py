"""Digits: files in MNIST's format, the order of steps, and synthetic digits."""

import dataclasses
import gzip

import numpy
import pytest
import torch

from memtape.tasks.data_folder import DataError
from memtape.tasks.images import digits
from memtape.tasks.images.digits import Digits
from memtape.tasks.images.idx import array_of
from memtape.tasks.images.strokes import draw_digits

COUNTS = {"train": 24, "t10k": 5}


def packed(array):
    """Return an array as a compressed IDX file."""
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return gzip.compress(bytes([0, 0, 8, array.ndim]) + sizes + array.astype(numpy.uint8).tobytes(), mtime=0)


def images_of(part):
    return numpy.random.default_rng(len(part)).integers(0, 256, (COUNTS[part], 28, 28))


def labels_of(part):
    return numpy.arange(COUNTS[part]) % 10


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Write a tiny MNIST."""
    counts = {name: COUNTS[name.split("-")[0]] for name in digits.MNIST.counts}
    monkeypatch.setattr(digits, "MNIST", dataclasses.replace(digits.MNIST, counts=counts))
    (tmp_path / "mnist").mkdir()
    for part in COUNTS:
        (tmp_path / "mnist" / f"{part}-images-idx3-ubyte.gz").write_bytes(packed(images_of(part)))
        (tmp_path / "mnist" / f"{part}-labels-idx1-ubyte.gz").write_bytes(packed(labels_of(part)))
    return tmp_path


def expected(images):
    return torch.from_numpy((images / 255 - 0.1307) / 0.3081).float()


def test_the_last_twelfth_of_the_training_images_is_kept_for_validation(folder):
    task, images, labels = Digits(data_dir=str(folder)), images_of("train"), labels_of("train")
    assert [task.available(split) for split in ("train", "validation", "test")] == [22, 2, 5]
    batch = task.examples("validation", torch.arange(2), "sequences")
    torch.testing.assert_close(batch.inputs, expected(images[22:]))
    assert batch.targets[:, -1].tolist() == labels[22:].tolist()
    drawn = task.batch(0, 22)
    order = [int((expected(images) - image).abs().sum((1, 2)).argmin()) for image in drawn.inputs]
    assert sorted(order) == list(range(22)) != order
    assert drawn.targets[:, -1].tolist() == [labels[place] for place in order]


@pytest.mark.parametrize("permuted", [False, True])
@pytest.mark.parametrize(("order", "steps"), [("rows", 28), ("pixels", 784)])
def test_a_step_is_a_row_or_a_pixel(folder, order, steps, permuted):
    task = Digits(data_dir=str(folder), order=order, permuted=permuted)
    assert (task.input_size, task.output_size, task.lengths) == (784 // steps, 10, (steps, steps))
    batch = task.examples("test", torch.arange(5), "sequences")
    flat = expected(images_of("t10k")).reshape(5, 784)
    if permuted:
        places = numpy.random.RandomState(92916).permutation(784)
        flat = torch.stack([flat[:, place] for place in places], dim=1)
    torch.testing.assert_close(batch.inputs, flat.reshape(5, steps, 784 // steps))
    assert batch.mask.nonzero().tolist() == [[row, steps - 1] for row in range(5)]
    assert batch.targets[:, -1].tolist() == labels_of("t10k").tolist()
    assert not batch.targets[:, :-1].any()
    assert batch.lengths.tolist() == [steps] * 5


def test_accuracy_counts_the_last_step():
    task = Digits()
    batch = task.batch(0, 10)
    outputs = torch.zeros(10, 28, 10)
    outputs[:, :, 0] = 1
    outputs[torch.arange(7), -1, batch.targets[:7, -1]] = 2
    right = 7 + int((batch.targets[7:, -1] == 0).sum())
    assert task.scores(outputs, batch) == {"accuracy": right / 10}


DAMAGES = {
    "is not an image file": (
        "train-images-idx3-ubyte.gz",
        packed(labels_of("train")),
        "starts with 00000801, but .* 00000803",
    ),
    "ends early": (
        "train-images-idx3-ubyte.gz",
        gzip.compress(gzip.decompress(packed(images_of("train")))[:-1], mtime=0),
        "has 18831 bytes, but its header of 24 x 28 x 28 requires 18832",
    ),
    "has no header": (
        "t10k-labels-idx1-ubyte.gz",
        gzip.compress(bytes([0, 0, 8, 1]), mtime=0),
        "has 4 bytes, but its header of 0 req",
    ),
    "holds too few": ("t10k-labels-idx1-ubyte.gz", packed(numpy.zeros(4)), "has 4 labels, but that of MNIST has 5"),
    "holds small images": (
        "train-images-idx3-ubyte.gz",
        packed(numpy.zeros((24, 8, 8))),
        "has images of 8 x 8 pixels, but .* 28 x 28",
    ),
    "holds no digits": (
        "t10k-labels-idx1-ubyte.gz",
        packed(numpy.full(5, 10)),
        r"has the label 10, but the labels of digits are 0\.\.9",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_an_invalid_file_is_refused(folder, damage):
    file, content, sentence = DAMAGES[damage]
    (folder / "mnist" / file).write_bytes(content)
    with pytest.raises(
        DataError, match=rf"{file} .*{sentence}.*; get it again from the repository fgnt/mnist on GitHub"
    ):
        Digits(data_dir=str(folder))


def test_a_missing_file_is_reported(folder):
    (folder / "mnist" / "t10k-images-idx3-ubyte.gz").unlink()
    with pytest.raises(DataError, match=r"there is no .*t10k-images-idx3-ubyte\.gz, which MNIST needs; get it from"):
        Digits(data_dir=str(folder))


def unpack(file):
    file.with_suffix("").write_bytes(gzip.decompress(file.read_bytes()))
    file.unlink()


@pytest.mark.parametrize("unpacked", ["all", "one"])
def test_unpacked_files_are_read(folder, unpacked):
    batch = Digits(data_dir=str(folder)).batch(0, 5)
    files = sorted((folder / "mnist").iterdir())
    for file in files if unpacked == "all" else files[:1]:
        unpack(file)
    found = Digits(data_dir=str(folder)).batch(0, 5)
    assert torch.equal(found.inputs, batch.inputs)
    assert torch.equal(found.targets, batch.targets)


def test_the_packed_file_is_read_if_both_exist(folder):
    (folder / "mnist" / "t10k-labels-idx1-ubyte").write_bytes(b"something else")
    assert Digits(data_dir=str(folder)).available("test") == 5


def test_an_unpacked_file_that_is_invalid_is_named(folder):
    file = folder / "mnist" / "t10k-labels-idx1-ubyte"
    file.write_bytes(gzip.decompress(packed(numpy.zeros(4))))
    file.with_suffix(".gz").unlink()
    with pytest.raises(DataError, match="t10k-labels-idx1-ubyte has 4 labels, but that of MNIST has 5"):
        Digits(data_dir=str(folder))


def test_an_array_is_read_last_axis_fastest():
    content = bytes([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 255])
    assert array_of(content, axes=2).tolist() == [[1, 2, 3], [4, 5, 255]]


def test_synthetic_digits_are_distinguishable_and_vary():
    images, labels = draw_digits(1_500, torch.Generator().manual_seed(0))
    pixels = images.flatten(1).float()
    assert (labels.bincount(minlength=10) > 100).all()
    means = torch.stack([pixels[:1_000][labels[:1_000] == digit].mean(0) for digit in range(10)])
    nearest = torch.cdist(pixels[1_000:], means).argmin(1)
    assert 0.5 < (nearest == labels[1_000:]).float().mean() < 0.95
    assert len(pixels.unique(dim=0)) == 1_500
    assert 0.05 < pixels.mean() / 255 < 0.25


def test_an_image_is_shown_with_its_label():
    task = Digits()
    batch = task.batch(0, 1)
    lines = task.show(batch, torch.eye(10)[[4]].expand(1, 28, 10)).splitlines()
    assert len(lines) == 31
    assert lines[29:] == [f"target {int(batch.targets[0, -1])}", "output 4"]
    assert set("".join(lines[1:29])) <= set(" .:+#")


def test_the_order_is_one_of_two_words(shapes_unchecked):
    with pytest.raises(
        ValueError, match="order is 'columns', but it must be one of 'rows', 'pixels'; choose one of them"
    ):
        Digits(order="columns")
