"""Digits: say which one an image shows, after its rows or pixels were seen one by one."""

from collections.abc import Mapping
from functools import cache
from typing import Literal

import numpy
import torch
from jaxtyping import Float
from torch import Tensor

from memtape.core import checks
from memtape.core.batch import SequenceBatch
from memtape.core.score import Score
from memtape.core.task import HeldTask
from memtape.tasks.classification import ClassificationTask, class_sums
from memtape.tasks.data_folder import DataSet
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
"""Of the pixels of the training images, from 0 to 1."""

PERMUTATION_SEED = 92916
"""As the code of Lezcano-Casado & Martinez-Rubio has it: numpy.random.RandomState(92916).permutation(784)."""

VALIDATION = 12
"""One of so many training examples, from the last on, are kept for validation: 5,000 of MNIST."""

Examples = tuple[Tensor, Tensor]
"""Images, bytes of shape (examples, 784), and what they show."""


class Digits(ClassificationTask, HeldTask):
    """See an image of a digit from top to bottom, and say at the last step which one it shows.

    The images are those of MNIST, or else drawn by rule. Their pixels, from 0 to 1, are shifted and scaled by the mean and the
    deviation of MNIST. A guess is right one time in ten.

    Args:
        data_dir: folder of data, with `mnist/train-images-idx3-ubyte.gz` and the three other files; without it the digits are
            drawn by rule, 2,200 for training.
        order: what one step shows: a row of 28 pixels, of 28, or a pixel, of 784.
        permuted: shuffle the pixels, all images alike, before they are read; nothing is near what it was near to.

    Raises:
        ValueError: another word for the order, or a file that is missing or is not what it should be.

    Example:
        >>> task = Digits()
        >>> batch = task.batch(0, 32)
        >>> batch.inputs.shape, batch.targets[:4, -1]
        (torch.Size([32, 28, 28]), tensor([0, 2, 6, 7]))

    References:
        LeCun, Bottou, Bengio & Haffner (1998), "Gradient-based learning applied to document recognition", Proc. IEEE 86(11).
        Le, Jaitly & Hinton (2015), "A simple way to initialize recurrent networks of rectified linear units",
        arXiv:1504.00941, section 4.2, for pixel by pixel and permuted.
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
        train, self._test = drawn() if data_dir is None else (read(data_dir, "train"), read(data_dir, "t10k"))
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
        """Return how many images are told right, and how many there are."""
        return class_sums(outputs, batch)

    def scores_of(self, tally: Mapping[str, float]) -> dict[str, float]:
        """Return `accuracy`."""
        return {"accuracy": tally["right"] / tally["scored"]}

    def guess(self, lengths: tuple[int, int]) -> dict[str, float]:
        """Return the share that a guess tells right."""
        return {"accuracy": 1 / self.output_size}

    def show(self, batch: SequenceBatch, outputs: Tensor | None = None, row: int = 0) -> str:
        """Return one example as text: the image as it is read, and what it shows; with `outputs` what it is taken for."""
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
def drawn() -> tuple[Examples, Examples]:
    """Return digits that are drawn by rule, for training and for testing."""
    images, labels = draw_digits(2_800, torch.Generator().manual_seed(0))
    return (images[:2_400].flatten(1), labels[:2_400]), (images[2_400:].flatten(1), labels[2_400:])


def read(data_dir: str, split: Literal["train", "t10k"]) -> Examples:
    """Return the images and labels of one split of MNIST.

    Raises:
        DataError: a file is missing, or is not what it should be.
    """
    images = _array(data_dir, f"{split}-images-idx3-ubyte.gz", axes=3, things="images")
    labels = _array(data_dir, f"{split}-labels-idx1-ubyte.gz", axes=1, things="labels")
    if images.shape[1:] != (SIDE, SIDE):
        path, (rows, columns) = MNIST.path(data_dir, f"{split}-images-idx3-ubyte.gz"), images.shape[1:]
        raise MNIST.damaged(path, f"holds images of {rows} x {columns}, but those of MNIST are {SIDE} x {SIDE}")
    if int(labels.max()) > 9:
        path = MNIST.path(data_dir, f"{split}-labels-idx1-ubyte.gz")
        raise MNIST.damaged(path, f"holds the label {int(labels.max())}, but the digits are 0..9")
    return images.flatten(1), labels.long()


def _array(data_dir: str, file: str, *, axes: int, things: str) -> Tensor:
    path, content = MNIST.path(data_dir, file), MNIST.content(data_dir, file)
    try:
        array = array_of(content, axes)
    except ValueError as error:
        raise MNIST.damaged(path, str(error)) from None
    MNIST.check_count(path, len(array), things)
    return array
