"""Digits: classify images of digits that are read row by row or pixel by pixel."""

from collections.abc import Mapping
from functools import cache
from typing import Literal

import numpy
import torch
from jaxtyping import Float
from torch import Tensor

from memtape.core import checks
from memtape.core.batch import SequenceBatch
from memtape.core.card import TaskCard
from memtape.core.score import Score
from memtape.core.task import HeldTask
from memtape.tasks.classification import ClassificationTask, class_sums
from memtape.tasks.data_folder import DataSet, examples_of
from memtape.tasks.images.idx import array_of
from memtape.tasks.images.strokes import SIDE, draw_digits

MNIST = DataSet(
    name="MNIST",
    folder="mnist",
    source="the repository fgnt/mnist on GitHub",
    counts={
        "train-images-idx3-ubyte.gz": 60_000,
        "train-labels-idx1-ubyte.gz": 60_000,
        "t10k-images-idx3-ubyte.gz": 10_000,
        "t10k-labels-idx1-ubyte.gz": 10_000,
    },
)

MEAN, DEVIATION = 0.1307, 0.3081
"""Mean and standard deviation of the pixels of MNIST's training images, scaled to 0..1."""

PERMUTATION_SEED = 92916
"""As in the code of Lezcano-Casado & Martinez-Rubio: numpy.random.RandomState(92916).permutation(784)."""

VALIDATION = 12
"""The last 1/12 of the training examples is the validation split: 5,000 images of MNIST."""

Examples = tuple[Tensor, Tensor]
"""Images, bytes of shape (examples, 784), and labels, shape (examples,)."""


class Digits(ClassificationTask, HeldTask):
    """Classify an image of a digit, read from top to bottom, at the last step.

    The images are those of MNIST or synthetic. Pixels in 0..1 are normalised by the mean and the standard deviation of MNIST.
    Chance level is an accuracy of 0.1.

    Args:
        data_dir: data folder with `mnist/train-images-idx3-ubyte.gz` and the three other files, or with the unpacked files,
            whose names have no ".gz"; without it synthetic digits are used, 2,200 of them for training.
        order: input of one step: "rows" gives 28 steps of 28 pixels, "pixels" gives 784 steps of one pixel.
        permuted: apply one fixed random permutation to the pixels of all images.

    Raises:
        ValueError: `order` is unknown, or a file is missing or invalid.

    Example:
        >>> task = Digits()
        >>> batch = task.batch(0, 32)
        >>> batch.inputs.shape, batch.targets[:4, -1]
        (torch.Size([32, 28, 28]), tensor([0, 2, 6, 7]))

    References:
        LeCun, Bottou, Bengio & Haffner (1998), "Gradient-based learning applied to document recognition", Proc. IEEE 86(11).
        Le, Jaitly & Hinton (2015), "A simple way to initialize recurrent networks of rectified linear units",
        arXiv:1504.00941, section 4.2, for pixel-by-pixel and permuted MNIST.
        Lezcano-Casado & Martinez-Rubio (2019), "Cheap orthogonal constraints in neural networks", arXiv:1901.08428, for the
        permutation.
    """

    scored = (Score(name="accuracy", label="accuracy", short="right", higher_is_better=True),)

    def __init__(
        self, *, data_dir: str | None = None, order: Literal["rows", "pixels"] = "rows", permuted: bool = False
    ):
        checks.one_of(("rows", "pixels"), order=order)
        steps = SIDE if order == "rows" else SIDE * SIDE
        self.lengths = (steps, steps)
        self.input_size, self.output_size = SIDE * SIDE // steps, 10
        self.permutation: Tensor | None = None
        if permuted:
            shuffled = numpy.random.RandomState(PERMUTATION_SEED).permutation(SIDE * SIDE)
            self.permutation = torch.from_numpy(shuffled)
        (train, self._test), self.data = examples_of(
            data_dir,
            MNIST,
            read=lambda folder: (read(folder, "train"), read(folder, "t10k")),
            otherwise=synthetic_digits,
            name="digits drawn with strokes",
        )
        kept = len(train[0]) // VALIDATION
        self._train = (train[0][:-kept], train[1][:-kept])
        self._validation = (train[0][-kept:], train[1][-kept:])

    def available(self, split: str) -> int:
        """Return the number of images of a split."""
        return len(self._split(split)[0])

    def examples(self, split: str, rows: Tensor, input_kind: str) -> SequenceBatch:
        """Return images of a split by their numbers."""
        images, labels = (kind[rows] for kind in self._split(split))
        if self.permutation is not None:
            images = images[:, self.permutation]
        steps = self.lengths[0]
        inputs = ((images / 255 - MEAN) / DEVIATION).reshape(len(rows), steps, self.input_size)
        mask = torch.zeros(len(rows), steps, dtype=torch.bool)
        mask[:, -1] = True
        return SequenceBatch(
            inputs=inputs, targets=labels[:, None] * mask, mask=mask, lengths=torch.full((len(rows),), steps)
        )

    def _split(self, split: str) -> Examples:
        return {"train": self._train, "validation": self._validation}.get(split, self._test)

    def tally(self, outputs: Float[Tensor, "batch time output"], batch: SequenceBatch) -> dict[str, float]:
        """Return the summed cross-entropy, and the numbers of correct and of all images."""
        return class_sums(outputs, batch)

    def scores_of(self, tally: Mapping[str, float]) -> dict[str, float]:
        """Return `accuracy`, the share of correct predictions."""
        return {"accuracy": tally["right"] / tally["scored"]}

    def chance(self, lengths: tuple[int, int]) -> dict[str, float]:
        """Return the accuracy of uniform random predictions."""
        return {"accuracy": 1 / self.output_size}

    def show(self, batch: SequenceBatch, outputs: Tensor | None = None, row: int = 0) -> str:
        """Return one example as text: the image as it is read, and its label; with `outputs` also the predicted label."""
        pixels = (batch.inputs[row].reshape(SIDE, SIDE) * DEVIATION + MEAN) * 4.99
        steps = int(batch.lengths[row])
        lines = [
            f"{type(self).__name__}, {steps} steps",
            *("".join(" .:+#"[int(pixel)] for pixel in line) for line in pixels.clamp(0, 4).tolist()),
            f"target {int(batch.targets[row, steps - 1])}",
        ]
        if outputs is not None:
            lines.append(f"output {int(outputs[row, steps - 1].argmax())}")
        return "\n".join(line.rstrip() for line in lines)


@cache
def synthetic_digits() -> tuple[Examples, Examples]:
    """Return synthetic digits, for training and for testing."""
    images, labels = draw_digits(2_800, torch.Generator().manual_seed(0))
    return (images[:2_400].flatten(1), labels[:2_400]), (images[2_400:].flatten(1), labels[2_400:])


def read(data_dir: str, split: Literal["train", "t10k"]) -> Examples:
    """Read the images and labels of one split of MNIST.

    Raises:
        DataError: a file is missing or invalid.
    """
    images = _array(data_dir, f"{split}-images-idx3-ubyte.gz", axes=3, things="images")
    labels = _array(data_dir, f"{split}-labels-idx1-ubyte.gz", axes=1, things="labels")
    if images.shape[1:] != (SIDE, SIDE):
        path, (rows, columns) = MNIST.path(data_dir, f"{split}-images-idx3-ubyte.gz"), images.shape[1:]
        raise MNIST.damaged(path, f"has images of {rows} x {columns} pixels, but those of MNIST are {SIDE} x {SIDE}")
    if int(labels.max()) > 9:
        path = MNIST.path(data_dir, f"{split}-labels-idx1-ubyte.gz")
        raise MNIST.damaged(path, f"has the label {int(labels.max())}, but the labels of digits are 0..9")
    return images.flatten(1), labels.long()


def _array(data_dir: str, file: str, *, axes: int, things: str) -> Tensor:
    path, content = MNIST.path(data_dir, file), MNIST.content(data_dir, file)
    try:
        array = array_of(content, axes)
    except ValueError as error:
        raise MNIST.damaged(path, str(error)) from None
    MNIST.check_count(path, len(array), things)
    return array


CARD = TaskCard(
    name="digits",
    summary="Classify the digit in an image that is read row by row or pixel by pixel.",
    paper=("lecun1998", "le2015"),
    inputs=("sequences",),
    unit="steps",
)
