"""Words: predict the next word of a text."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Literal

import torch
from torch import Tensor

from memtape.core import checks
from memtape.core.batch import SequenceBatch
from memtape.core.card import TaskCard
from memtape.core.score import Score
from memtape.core.text_file import lines_of
from memtape.tasks.data_folder import DataSet, examples_of
from memtape.tasks.language.synthetic_text import synthetic_text
from memtape.tasks.language.text_windows import TextWindows

WIKITEXT = DataSet(
    name="WikiText-2, validation and test part",
    folder="wikitext2_partial",
    source="word_language_model/data/wikitext-2 in the repository pytorch/examples on GitHub",
    counts={"valid.txt": 217_644, "test.txt": 245_568},
)

UNKNOWN, END = "<unk>", "<eos>"
"""The word that represents all words outside the vocabulary, and the end of a line."""

TRAINING = 0.9
"""The share of the first text that is for training; the rest is for validation."""

SYNTHETIC = 60_000, 6_000
"""Numbers of characters of the synthetic texts, the first for training and validation, the second for testing."""


class Words(TextWindows):
    """Predict the next word at each position of a window of a text.

    The real text is that of WikiText-2, but not its training part: the network is trained on 90 % of its *validation* part
    (the last 10 % are for validation) and tested on its test part. Perplexities are therefore not those of networks trained
    on the ten times longer training part.

    Inputs are symbols, the indices of words in the `vocabulary`; outputs are logits over the vocabulary. Words are what is
    between spaces, and the end of a line is the word "<eos>". Words with fewer than `least_count` occurrences in the text for
    training, such as those of the test text only, are the word "<unk>", which the files contain, too. Windows are those of
    characters in `Characters`.

    Args:
        data_dir: data folder with `wikitext2_partial/valid.txt` and `test.txt`; without it a synthetic text is used.
        window: number of words of a training window, and of scored words of another window.
        context: number of words before the scored ones in a window of validation or testing.
        order: start of a training window: "random", or "stream", where a window continues that of the same row of the
            previous batch, as needed to carry the state from batch to batch.
        least_count: minimum number of occurrences in the text for training for a word to be in the vocabulary; 3 in
            WikiText-2.

    Attributes:
        vocabulary: the words of the symbols: the unknown word, and then the words by descending frequency.

    Raises:
        ValueError: a size or the count is too small, `order` is unknown, a file is missing or invalid, or the window is longer
            than the text.

    Example:
        >>> task = Words()
        >>> print(task.show(task.batch(0, 1, lengths=(8, 8))))
        Words, 8 steps
        input  window . <eos> <eos> BORIS : <eos> No
        target . <eos> <eos> BORIS : <eos> No quiet

    References:
        Merity, Xiong, Bradbury & Socher (2017), "Pointer sentinel mixture models", arXiv:1609.07843, for the text.
    """

    scored = (Score(name="perplexity", label="perplexity", short="perplexity"),)
    unit = "words"
    vocabulary: tuple[str, ...]

    def __init__(
        self,
        *,
        data_dir: str | None = None,
        window: int = 50,
        context: int = 100,
        order: Literal["random", "stream"] = "random",
        least_count: int = 3,
    ):
        checks.at_least(1, least_count=least_count)
        (first, second), self.data = examples_of(
            data_dir, WIKITEXT, read=read_words, otherwise=synthetic_words, name="plays of a small grammar"
        )
        train, validation = first[: int(len(first) * TRAINING)], first[int(len(first) * TRAINING) :]
        self.vocabulary = vocabulary_of(train, least=least_count)
        self._places = {word: place for place, word in enumerate(self.vocabulary)}
        parts = {"train": train, "validation": validation, "test": second}
        symbols = {split: torch.tensor(self.encode(words)) for split, words in parts.items()}
        super().__init__(self.vocabulary, symbols, window=window, context=context, order=order)

    def encode(self, words: Iterable[str]) -> list[int]:
        """Return the symbols of words; that of the unknown word for those outside the vocabulary."""
        return [self._places.get(word, 0) for word in words]

    def decode(self, symbols: Iterable[int]) -> str:
        """Return the words of symbols, with spaces between them."""
        return " ".join(self.vocabulary[symbol] for symbol in symbols)

    def scores_of(self, tally: Mapping[str, float]) -> dict[str, float]:
        """Return `perplexity`, the exponential of the mean cross-entropy in nats."""
        nats = torch.tensor(tally["nats"] / tally["scored"], dtype=torch.float64)
        return {"perplexity": nats.exp().item()}

    def chance(self, lengths: tuple[int, int]) -> dict[str, float]:
        """Return the perplexity of uniform predictions, the size of the vocabulary."""
        return {"perplexity": float(self.output_size)}

    def show(self, batch: SequenceBatch, outputs: Tensor | None = None, row: int = 0) -> str:
        """Return one example as text: the inputs, the scored targets and, with `outputs`, the most likely words there."""
        length = int(batch.lengths[row])
        scored = batch.mask[row, :length]
        lines = [f"{type(self).__name__}, {length} steps", f"input  {self.decode(batch.inputs[row, :length].tolist())}"]
        lines.append(f"target {self.decode(batch.targets[row, :length][scored].tolist())}")
        if outputs is not None:
            lines.append(f"output {self.decode(outputs.argmax(-1)[row, :length][scored].tolist())}")
        return "\n".join(lines)


def vocabulary_of(words: Iterable[str], *, least: int) -> tuple[str, ...]:
    """Return the unknown word and the words with at least `least` occurrences, by descending frequency, then by letters."""
    counts = Counter(words)
    frequent = [word for word, count in counts.items() if count >= least and word != UNKNOWN]
    return UNKNOWN, *sorted(frequent, key=lambda word: (-counts[word], word))


def read_words(data_dir: str) -> tuple[list[str], list[str]]:
    """Read the words of the validation and the test part of WikiText-2.

    Raises:
        DataError: a file is missing, is not UTF-8, or has the wrong number of words.
    """
    parts = []
    for file in WIKITEXT.counts:
        lines = lines_of(WIKITEXT.text(data_dir, file))
        parts.append([word for line in lines for word in (*line.split(), END)])
        WIKITEXT.check_count(WIKITEXT.path(data_dir, file), len(parts[-1]), "words")
    return parts[0], parts[1]


def synthetic_words() -> tuple[list[str], list[str]]:
    """Return the words and punctuation marks of two synthetic texts."""
    texts = (synthetic_text(length, seed) for seed, length in enumerate(SYNTHETIC))
    first, second = ([END if found == "\n" else found for found in re.findall(r"\w+|[^\w ]", text)] for text in texts)
    return first, second


CARD = TaskCard(
    name="word-lm",
    summary="Predict the next word of a text.",
    paper=("merity2017",),
    inputs=("sequences",),
    small={"window": 6, "context": 2},
    unit="words",
)
