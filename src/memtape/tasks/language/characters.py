"""Characters: predict the next character of a text."""

import math
from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor

from memtape.core.batch import SequenceBatch
from memtape.core.card import TaskCard
from memtape.core.score import Score
from memtape.tasks.data_folder import examples_of
from memtape.tasks.language.synthetic_text import synthetic_text
from memtape.tasks.language.text_windows import TextWindows
from memtape.tasks.language.texts import FILE, OTHER, TINY_SHAKESPEARE, read_text

TRAINING, VALIDATION = 0.9, 0.95
"""The shares of the text at which the validation split and the test split start."""

SYNTHETIC = 60_000
"""Number of characters of the synthetic text."""


class Characters(TextWindows):
    """Predict the next character at each position of a window of a text.

    Inputs are symbols, the indices of the characters in the `vocabulary`; outputs are logits over the vocabulary. The first
    90 % of the text are for training, then 5 % for validation and 5 % for testing. There are unlimited training windows. The
    windows of the other splits cover their split, so that each character except the first is scored once; each starts with a
    context that is not scored. The length of an example is the number of characters of its window. Chance level is the
    logarithm of the size of the vocabulary.

    Args:
        data_dir: data folder; without it a synthetic text is used.
        file: path of the text in that folder: Tiny Shakespeare or any other text in UTF-8.
        window: number of characters of a training window, and of scored characters of another window.
        context: number of characters before the scored ones in a window of validation or testing.
        order: start of a training window: "random", or "stream", where a window continues that of the same row of the
            previous batch, as needed to carry the state from batch to batch.

    Attributes:
        vocabulary: the characters of the text, sorted.

    Raises:
        ValueError: a size is too small, `order` is unknown, a file is missing or invalid, or the window is longer than the
            text.

    Example:
        >>> task = Characters()
        >>> print(task.show(task.batch(0, 1, lengths=(32, 32))))
        Characters, 32 steps
        input  one river waits for my window.||
        target ne river waits for my window.||B

    References:
        Karpathy (2015), "The unreasonable effectiveness of recurrent neural networks", and his char-rnn, for the text.
    """

    scored = (Score(name="bits_per_character", label="bits per character", short="bits"),)
    unit = "characters"
    vocabulary: tuple[str, ...]

    def __init__(
        self,
        *,
        data_dir: str | None = None,
        file: str = "tinyshakespeare/input.txt",
        window: int = 100,
        context: int = 100,
        order: Literal["random", "stream"] = "random",
    ):
        text, self.data = examples_of(
            data_dir,
            TINY_SHAKESPEARE if file == FILE else OTHER,
            read=lambda folder: read_text(folder, file),
            otherwise=lambda: synthetic_text(SYNTHETIC),
            name="a play of a small grammar",
        )
        self.vocabulary = tuple(sorted(set(text)))
        cuts = [int(len(text) * share) for share in (TRAINING, VALIDATION)]
        parts = torch.tensor(self.encode(text)).tensor_split(cuts)
        super().__init__(
            self.vocabulary,
            dict(zip(("train", "validation", "test"), parts, strict=True)),
            window=window,
            context=context,
            order=order,
        )

    def encode(self, text: str) -> list[int]:
        """Return the symbols of a text.

        Raises:
            ValueError: a character is not in the vocabulary.
        """
        places = {character: place for place, character in enumerate(self.vocabulary)}
        try:
            return [places[character] for character in text]
        except KeyError as error:
            raise ValueError(
                f"the text has the character {error.args[0]!r}, which is not among the {len(places)} characters of the "
                "vocabulary; leave it out"
            ) from None

    def decode(self, symbols: list[int]) -> str:
        """Return the text of symbols."""
        return "".join(self.vocabulary[symbol] for symbol in symbols)

    def scores_of(self, tally: Mapping[str, float]) -> dict[str, float]:
        """Return `bits_per_character`."""
        return {"bits_per_character": tally["nats"] / math.log(2) / tally["scored"]}

    def chance(self, lengths: tuple[int, int]) -> dict[str, float]:
        """Return the cross-entropy of uniform predictions, in bits."""
        return {"bits_per_character": math.log2(self.output_size)}

    def show(self, batch: SequenceBatch, outputs: Tensor | None = None, row: int = 0) -> str:
        """Return one example as text: the inputs and, below, the targets, with `|` for the end of a line.

        Targets that are not scored are shown as spaces. With `outputs` the most likely next characters follow.
        """
        length = int(batch.lengths[row])
        scored = batch.mask[row, :length].tolist()
        rows = {"input ": batch.inputs, "target": batch.targets}
        if outputs is not None:
            rows["output"] = outputs.argmax(-1)
        lines = [f"{type(self).__name__}, {length} steps"]
        for name, symbols in rows.items():
            text = self.decode(symbols[row, :length].tolist()).replace("\n", "|")
            shown = text if name == "input " else "".join(c if s else " " for c, s in zip(text, scored, strict=True))
            lines.append(f"{name} {shown}".rstrip())
        return "\n".join(lines)


CARD = TaskCard(
    name="char-lm",
    summary="Predict the next character of a text.",
    paper=("karpathy2015",),
    inputs=("sequences",),
    small={"window": 6, "context": 2},
    unit="characters",
)
