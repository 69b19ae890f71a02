"""Story task: answer questions about stories; the answers are symbols of one vocabulary."""

from abc import ABC
from collections.abc import Mapping

from jaxtyping import Float
from torch import Tensor

from memtape.core.batch import SequenceBatch
from memtape.core.inputs.stories import NONE
from memtape.core.score import Score
from memtape.core.story_picture import StoryPicture
from memtape.tasks.classification import ClassificationTask, class_sums


class StoryTask(ClassificationTask, ABC):
    """Abstract task of answering questions about stories: one step, whose target is a symbol of the vocabulary.

    Attributes:
        vocabulary: the words of the symbols; the first is that of an absent word.
    """

    scored = (Score(name="accuracy", label="share of correct answers", short="right", higher_is_better=True),)
    input_kinds = ("stories",)
    vocabulary: tuple[str, ...]

    def tally(self, outputs: Float[Tensor, "batch time output"], batch: SequenceBatch) -> dict[str, float]:
        """Return the summed cross-entropy in nats, and the numbers of correct and of all answers."""
        return class_sums(outputs, batch)

    def scores_of(self, tally: Mapping[str, float]) -> dict[str, float]:
        """Return `accuracy`."""
        return {"accuracy": tally["right"] / tally["scored"]}

    def story(self, batch: SequenceBatch, outputs: Tensor | None = None, row: int = 0) -> StoryPicture:
        """Return one story as text, with its question and answer; with `outputs` also the most likely answer."""
        told = batch.inputs
        return StoryPicture(
            sentences=tuple(self._words(words) for words in told.sentences[row] if words.any()),
            question=self._words(told.question[row]),
            supports=tuple(support for support in told.supports[row].tolist() if support != NONE),
            target=self.vocabulary[int(batch.targets[row, 0])],
            answer=None if outputs is None else self.vocabulary[int(outputs[row, 0].argmax())],
        )

    def show(self, batch: SequenceBatch, outputs: Tensor | None = None, row: int = 0) -> str:
        """Return one story as lines of text, with its question and answer; with `outputs` also the most likely answer."""
        told = self.story(batch, outputs, row)
        lines = [f"{number} {sentence}" for number, sentence in enumerate(told.sentences, start=1)]
        lines += [f"question {told.question}", f"target   {told.target}"]
        if told.answer is not None:
            lines.append(f"output   {told.answer}")
        return "\n".join([f"{type(self).__name__}, {int(batch.lengths[row])} steps", *lines])

    def _words(self, symbols: Tensor) -> str:
        return " ".join(self.vocabulary[symbol] for symbol in symbols.tolist() if symbol)
