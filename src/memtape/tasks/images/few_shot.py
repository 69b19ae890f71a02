"""Few-shot: learn to name new characters from the few examples of an episode."""

from collections.abc import Mapping
from functools import cache
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from memtape.core import checks
from memtape.core.batch import SequenceBatch
from memtape.core.card import TaskCard
from memtape.core.score import Score
from memtape.core.score_curve import ScoreCurve
from memtape.core.task import Task, generator_for
from memtape.tasks.data_folder import examples_of
from memtape.tasks.formal.columns import in_columns
from memtape.tasks.images.alphabet import SIDE, Alphabet
from memtape.tasks.images.distortion import INPUT_SIDE, distorted
from memtape.tasks.images.omniglot import DRAWERS, OMNIGLOT, read
from memtape.tasks.images.strokes import draw_characters
from memtape.tasks.lengths import draw_lengths

LETTERS = 5
"""Number of letters of a label, and of different letters."""

SCORED = {"second": 2, "third": 3, "fifth": 5}
"""The presentations of a class that have a score of their own, as in the tables of the papers."""

FEWEST = max(SCORED.values())


class FewShot(Task):
    r"""Name the characters of an episode after a few examples of each.

    $$(x_1, 0), (x_2, y_1), (x_3, y_2), \dots \to y_1, y_2, y_3, \dots$$

    An episode has some classes, characters that are rotated by quarter turns, and some images of each by different drawers, in
    random order. Its labels are given to the classes at random, so that they can only be learned from the episode itself: the
    input of a step is an image and the label of the step before, zeros at the start of an episode. The network answers with
    the label of the image, and so at first can only guess. Each image is turned and shifted a little at random
    (`memtape.tasks.images.distortion`), scaled to 20 x 20 pixels of ink, and divided by its maximum.

    Labels are numbers, as one-hot vectors, or strings of five of the letters a to e, as five one-hot vectors. The loss is the
    negative log-likelihood of a label in nats, the sum over its letters. A label counts as right if all its letters are.

    A sequence is one episode with an empty memory, or several, over which the memory persists; with `--train.carry` it also
    persists over batches. The length of an example is the number of presentations of each class in an episode, the same for all
    rows of a batch. Of the 1,623 characters 1,100 are for training, 100 for validation and 423 for testing.

    Args:
        data_dir: data folder with `omniglot/images_background.zip` and `omniglot/images_evaluation.zip`, with the folders in
            them, or with packed arrays; without it synthetic characters are used, 160 of them for training.
        classes: number of classes of an episode.
        presentations: number of images of each class, 5 to 20.
        labels: "one-hot" vectors of numbers, or strings of five "letters".
        episodes: number of episodes of a sequence.

    Raises:
        TypeError: a number is not an integer.
        ValueError: a number is too small or too large, `labels` is unknown, or a file is missing or invalid.

    References:
        Santoro et al. (2016), "One-shot learning with memory-augmented neural networks", arXiv:1605.06065, section 4;
        characters: Lake, Salakhutdinov & Tenenbaum (2015), doi:10.1126/science.aab3050.
    """

    scored = (
        Score(name="accuracy", label="share of correct labels", short="right", higher_is_better=True),
        *(
            Score(name=name, label=f"share at the {name} presentation", short=name, higher_is_better=True)
            for name in SCORED
        ),
    )

    def __init__(
        self,
        *,
        data_dir: str | None = None,
        classes: int = 5,
        presentations: int = 10,
        labels: Literal["one-hot", "letters"] = "one-hot",
        episodes: int = 1,
    ):
        checks.at_least(2, classes=classes)
        checks.at_least(1, episodes=episodes)
        checks.one_of(("one-hot", "letters"), labels=labels)
        _check_presentations(presentations)
        self.classes, self.labels, self.episodes = classes, labels, episodes
        self.lengths = (presentations, presentations)
        self.parts, self.letters = (1, classes) if labels == "one-hot" else (LETTERS, LETTERS)
        if classes > self.letters**self.parts:
            raise ValueError(
                f"classes is {classes}, but there are {self.letters**self.parts} strings of {LETTERS} letters; give fewer"
            )
        self.output_size = self.parts * self.letters
        self.input_size = INPUT_SIDE * INPUT_SIDE + self.output_size
        alphabet, self.data = examples_of(
            data_dir, OMNIGLOT, read=read, otherwise=synthetic_characters, name="characters drawn with strokes"
        )
        self._splits = {name: alphabet.split(name) for name in ("train", "validation", "test")}
        name, smallest = min(self._splits.items(), key=lambda split: len(split[1]))
        if classes > len(smallest):
            raise ValueError(
                f"classes is {classes}, but an episode of {name} has at most the {len(smallest)} characters of that split; "
                "give fewer classes"
            )

    def shortest_length(self) -> int:
        """Return 5, the last of the presentations that have a score."""
        return FEWEST

    def draw(
        self, index: int, batch_size: int, *, seed: int, split: str, lengths: tuple[int, int], input_kind: str
    ) -> SequenceBatch:
        """Draw episodes with a generator seeded by the seed, the split and the index."""
        _check_presentations(lengths[1])
        generator = generator_for(seed, split, index)
        count = int(draw_lengths(1, lengths, generator, same=True)[0])
        characters = self._splits.get(split, self._splits["test"])
        rows, steps = batch_size * self.episodes, self.classes * count
        chosen = _shuffled((rows, len(characters)), generator)[:, : self.classes]
        quarters = torch.randint(0, 4, (rows, self.classes), generator=generator)
        drawers = _shuffled((rows, self.classes, DRAWERS), generator)[:, :, :count]
        order = _shuffled((rows, steps), generator)
        classes = order // count
        images = characters[chosen.gather(1, classes), drawers.flatten(1).gather(1, order)]
        pixels = distorted(images.flatten(0, 1), quarters.gather(1, classes).flatten(), generator)
        targets = self._labels(rows, generator)[torch.arange(rows)[:, None], classes]
        given = functional.one_hot(targets, self.letters).flatten(2).float()
        before = functional.pad(given, (0, 0, 1, -1))
        inputs = torch.cat([pixels.unflatten(0, (rows, steps)), before], -1)
        time = self.episodes * steps
        return SequenceBatch(
            inputs=inputs.reshape(batch_size, time, -1),
            targets=targets.reshape(batch_size, time, *([self.parts] if self.parts > 1 else [])),
            mask=torch.ones(batch_size, time, dtype=torch.bool),
            lengths=torch.full((batch_size,), time),
        )

    def _labels(self, rows: int, generator: torch.Generator) -> Int[Tensor, "rows classes parts"]:
        """Draw different labels for the classes of each row, each by its letters."""
        numbers = _shuffled((rows, self.letters**self.parts), generator)[:, : self.classes, None]
        places = self.letters ** torch.arange(self.parts - 1, -1, -1)
        return numbers // places % self.letters

    def loss(self, outputs: Float[Tensor, "batch time output"], batch: SequenceBatch) -> Float[Tensor, ""]:
        """Return the mean negative log-likelihood of the labels, in nats."""
        return self._nats(outputs, batch) / self.weight(batch)

    def weight(self, batch: SequenceBatch) -> float:
        """Return the number of scored steps."""
        return float(batch.mask.sum())

    def _nats(self, outputs: Float[Tensor, "batch time output"], batch: SequenceBatch) -> Float[Tensor, ""]:
        logits = outputs[batch.mask].unflatten(-1, (self.parts, self.letters)).flatten(0, 1)
        return functional.cross_entropy(logits, batch.targets[batch.mask].flatten(), reduction="sum")

    def tally(self, outputs: Float[Tensor, "batch time output"], batch: SequenceBatch) -> dict[str, float]:
        """Return the summed loss, the number of classes, and the number of correct labels at each presentation."""
        right = (self._answers(outputs) == self._targets(batch)).all(-1)
        count = batch.mask.shape[1] // (self.classes * self.episodes)
        at = self._presentations(batch)
        return {
            "nats": float(self._nats(outputs.detach(), batch)),
            "classes": float(len(batch) * self.classes * self.episodes),
            **{f"right at {number}": float(right[at == number].sum()) for number in range(1, count + 1)},
        }

    def scores_of(self, tally: Mapping[str, float]) -> dict[str, float]:
        """Return `accuracy`, and that at the `second`, `third` and `fifth` presentation of a class."""
        shares = self._shares(tally)
        presented = {name: shares[number - 1] for name, number in SCORED.items()}
        return {"accuracy": sum(shares) / len(shares), **presented}

    def curve(self, tally: Mapping[str, float]) -> ScoreCurve:
        """Return the share of correct labels at each presentation of a class."""
        shares = self._shares(tally)
        return ScoreCurve(
            places=tuple(range(1, len(shares) + 1)),
            values=tuple(shares),
            axis="presentation of a class",
            score=self.scored[0],
            chance=1 / self.classes,
        )

    def chance(self, lengths: tuple[int, int]) -> dict[str, float]:
        """Return the accuracy of a uniform guess among the labels of the episode."""
        return dict.fromkeys((score.name for score in self.scored), 1 / self.classes)

    def show(self, batch: SequenceBatch, outputs: Tensor | None = None, row: int = 0) -> str:
        """Return one example as text, a column for each step: the presentation of its class, and its label.

        With `outputs` the most likely label follows.
        """
        rows = {
            "presentation": [str(number) for number in self._presentations(batch)[row].tolist()],
            "target": self._names(self._targets(batch)[row]),
        }
        if outputs is not None:
            rows["output"] = self._names(self._answers(outputs)[row])
        return in_columns(f"{type(self).__name__}, {int(batch.lengths[row])} steps", rows)

    def _names(self, labels: Int[Tensor, "time parts"]) -> list[str]:
        if self.parts == 1:
            return [str(number) for (number,) in labels.tolist()]
        return ["".join("abcde"[letter] for letter in label) for label in labels.tolist()]

    def _targets(self, batch: SequenceBatch) -> Int[Tensor, "batch time parts"]:
        return batch.targets.reshape(*batch.mask.shape, self.parts)

    def _answers(self, outputs: Float[Tensor, "batch time output"]) -> Int[Tensor, "batch time parts"]:
        return outputs.detach().unflatten(-1, (self.parts, self.letters)).argmax(-1)

    def _presentations(self, batch: SequenceBatch) -> Int[Tensor, "batch time"]:
        """Return for each step how many images of its class the episode has had, its own included."""
        labels = self._targets(batch).unflatten(1, (self.episodes, -1))
        same = (labels[:, :, :, None] == labels[:, :, None]).all(-1)
        return same.tril().sum(-1).flatten(1)

    def _shares(self, tally: Mapping[str, float]) -> list[float]:
        rights = [value for name, value in tally.items() if name.startswith("right at ")]
        return [right / tally["classes"] for right in rights]


def _shuffled(shape: tuple[int, ...], generator: torch.Generator) -> Int[Tensor, "..."]:
    """Return the numbers from 0 up to the last size in a random order for each row."""
    return torch.rand(shape, dtype=torch.float64, generator=generator).argsort(-1)


def _check_presentations(presentations: int) -> None:
    checks.at_least(FEWEST, presentations=presentations)
    if presentations > DRAWERS:
        raise ValueError(
            f"presentations is {presentations}, but there are {DRAWERS} images of a character; give at most {DRAWERS}"
        )


@cache
def synthetic_characters() -> Alphabet:
    """Return synthetic characters, for training, validation and testing."""
    images = draw_characters(260, DRAWERS, SIDE, torch.Generator().manual_seed(0))
    return Alphabet(images, training=200, validation=40)


CARD = TaskCard(
    name="few-shot",
    summary="Name new characters after a few examples of each.",
    paper=("santoro2016", "lake2015"),
    inputs=("sequences",),
    small={"classes": 2, "presentations": 5},
    unit="presentations",
)
