"""Text windows: predict the next symbol at each position of a window of a text."""

import math
from abc import ABC
from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

from memtape.core import checks
from memtape.core.batch import SequenceBatch
from memtape.core.task import generator_for
from memtape.tasks.classification import ClassificationTask, class_sums
from memtape.tasks.lengths import draw_lengths, steps_since

Order = Literal["random", "stream"]


class TextWindows(ClassificationTask, ABC):
    """Abstract task of predicting the next symbol, a character or a word, at each position of a window of a text.

    There are unlimited training windows. The windows of the other splits cover their split, so that each symbol except the
    first is scored once; each starts with a context that is not scored. The length of an example is the number of symbols
    of its window.

    Args:
        vocabulary: the characters or the words of the symbols.
        parts: the symbols of the text of each split.
        window: number of symbols of a training window, and of scored symbols of another window.
        context: number of symbols before the scored ones in a window of validation or testing.
        order: start of a training window: "random", or "stream", where a window continues that of the same row of the
            previous batch.

    Attributes:
        unit: what symbols are, in the plural.

    Raises:
        ValueError: a size is too small, `order` is unknown, or the window is longer than the text for training.
    """

    inputs_repeat_targets = True
    unit: ClassVar[str]

    def __init__(
        self,
        vocabulary: Sequence[str],
        parts: Mapping[str, Int[Tensor, " symbols"]],
        *,
        window: int,
        context: int,
        order: Order,
    ):
        checks.at_least(1, window=window)
        checks.at_least(0, context=context)
        checks.one_of(("random", "stream"), order=order)
        self.window, self.context, self.order = window, context, order
        self.lengths = (window, window)
        self.vocabulary = tuple(vocabulary)
        self.input_size = self.output_size = len(self.vocabulary)
        self._parts = dict(parts)
        if window >= len(self._parts["train"]):
            raise ValueError(
                f"window is {window}, but the text has {len(self._parts['train'])} {self.unit} for training; "
                "give a smaller window"
            )

    def available(self, split: str) -> int | None:
        """Return the number of windows that cover a split; None for the training split, which is unlimited."""
        return None if split == "train" else math.ceil((len(self._text(split)) - 1) / self.window)

    def draw(
        self, index: int, batch_size: int, *, seed: int, split: str, lengths: tuple[int, int], input_kind: str
    ) -> SequenceBatch:
        """Return the windows of the batch with the given index."""
        text = self._text(split)
        if split != "train":
            self._check_own_lengths(lengths, f"the windows of the split {split!r} cover it")
            return self._covering(text, index, batch_size, split)
        if self.order == "stream":
            self._check_own_lengths(lengths, "a stream continues from batch to batch")
            first = torch.randint(len(text), (), generator=generator_for(seed, split))
            begins = first + index * self.window + torch.arange(batch_size) * len(text) // batch_size
            return _windows(text, begins, torch.full((batch_size,), self.window))
        generator = generator_for(seed, split, index)
        steps = draw_lengths(batch_size, lengths, generator)
        chances = torch.rand(batch_size, dtype=torch.float64, generator=generator)
        return _windows(text, (chances * (len(text) - steps)).long(), steps)

    def _text(self, split: str) -> Int[Tensor, " symbols"]:
        return self._parts.get(split, self._parts["test"])

    def _check_own_lengths(self, lengths: tuple[int, int], reason: str) -> None:
        if lengths != self.lengths:
            raise ValueError(
                f"lengths are {lengths[0]}..{lengths[1]}, but {reason} with {self.window} {self.unit} each; "
                "leave the lengths out"
            )

    def _covering(self, text: Int[Tensor, " symbols"], index: int, batch_size: int, split: str) -> SequenceBatch:
        count = self.available(split) or 0
        numbers = torch.arange(index * batch_size, min((index + 1) * batch_size, count))
        if not len(numbers):
            raise ValueError(
                f"batch {index} of {batch_size} of the split {split!r} is beyond its {count} windows; give a smaller index"
            )
        scored = numbers * self.window
        begins = (scored - self.context).clamp(min=0)
        ends = (scored + self.window).clamp(max=len(text) - 1)
        return _windows(text, begins, ends - begins, unscored=scored - begins)

    def tally(self, outputs: Float[Tensor, "batch time output"], batch: SequenceBatch) -> dict[str, float]:
        """Return the summed cross-entropy in nats, and the numbers of correct and of scored symbols."""
        return class_sums(outputs, batch)


def _windows(
    text: Int[Tensor, " symbols"],
    begins: Int[Tensor, " batch"],
    steps: Int[Tensor, " batch"],
    unscored: Int[Tensor, " batch"] | None = None,
) -> SequenceBatch:
    """Return windows of a text with the next characters as targets; the text wraps around at its end."""
    since_begin = steps_since(torch.zeros_like(steps), int(steps.max()))
    inside = since_begin < steps[:, None]
    places = begins[:, None] + since_begin
    return SequenceBatch(
        inputs=text[places % len(text)] * inside,
        targets=text[(places + 1) % len(text)] * inside,
        mask=inside if unscored is None else inside & (since_begin >= unscored[:, None]),
        lengths=steps,
    )
