"""Boolean: evaluate Boolean expressions, as trees or as sequences."""

from collections.abc import Mapping

import torch
from jaxtyping import Float, Int
from torch import Tensor

from memtape.core.batch import SequenceBatch
from memtape.core.card import TaskCard
from memtape.core.inputs.trees import NONE, TREES
from memtape.core.score import Score
from memtape.core.task import generator_for
from memtape.tasks.classification import ClassificationTask
from memtape.tasks.language.boolean_trees import SYMBOLS, boolean_trees
from memtape.tasks.language.labelled_trees import LabelledTrees
from memtape.tasks.lengths import check_range, steps_since

OPEN, CLOSE = len(SYMBOLS), len(SYMBOLS) + 1


class Boolean(ClassificationTask):
    """Evaluate a Boolean expression of true, false, and, or, not.

    As trees, each subexpression is a target. As sequences, the expression is written with brackets around each inner node, and
    the target at the last symbol is its value. The length of an example is the depth of the expression, the largest number of
    nested operators. `accuracy` is the share of correct values of whole expressions; chance level is 0.5.

    Args:
        min_length: minimum depth of a training expression.
        max_length: maximum depth of a training expression.

    Raises:
        ValueError: the range is empty.

    Example:
        >>> task = Boolean()
        >>> print(task.show(task.batch(0, 1, lengths=(2, 2))))
        Boolean, 7 steps
        input  ( not ( false ( or false ) ) )
        target true

    References:
        Bowman, Manning & Potts (2015), "Tree-structured composition in neural networks without tree-structured architectures",
        arXiv:1506.04834, for formal expressions as trees and as sequences, and tests on deeper expressions.
    """

    scored = (Score(name="accuracy", label="accuracy", short="right", higher_is_better=True),)
    solved_at = 1.0
    input_kinds = ("trees", "sequences")
    vocabulary: tuple[str, ...] = (*SYMBOLS, "(", ")")

    def __init__(self, *, min_length: int = 1, max_length: int = 6):
        check_range(self, length=(min_length, max_length))
        self.lengths = (min_length, max_length)
        self.input_size, self.output_size = len(self.vocabulary), 2

    def draw(
        self, index: int, batch_size: int, *, seed: int, split: str, lengths: tuple[int, int], input_kind: str
    ) -> SequenceBatch:
        """Draw expressions with a generator seeded by the seed, the split and the index."""
        data = boolean_trees(batch_size, lengths, generator_for(seed, split, index))
        if input_kind == "trees":
            mask = data.labels != NONE
            return SequenceBatch(inputs=data.trees, targets=data.labels * mask, mask=mask, lengths=data.lengths)
        inputs, steps = written(data)
        last = steps_since(torch.zeros_like(steps), inputs.shape[1]) == steps[:, None] - 1
        whole = data.labels[torch.arange(batch_size), data.lengths - 1]
        return SequenceBatch(inputs=inputs, targets=whole[:, None] * last, mask=last, lengths=steps)

    def tally(self, outputs: Float[Tensor, "batch time output"], batch: SequenceBatch) -> dict[str, float]:
        """Return the numbers of correct and of all expressions."""
        rows, last = torch.arange(len(batch), device=outputs.device), batch.lengths.to(outputs.device) - 1
        right = outputs.detach()[rows, last].argmax(-1) == batch.targets[rows, last]
        return {"right": float(right.sum()), "expressions": float(len(batch))}

    def scores_of(self, tally: Mapping[str, float]) -> dict[str, float]:
        """Return `accuracy`."""
        return {"accuracy": tally["right"] / tally["expressions"]}

    def chance(self, lengths: tuple[int, int]) -> dict[str, float]:
        """Return the accuracy of uniform random predictions."""
        return {"accuracy": 1 / 2}

    def show(self, batch: SequenceBatch, outputs: Tensor | None = None, row: int = 0) -> str:
        """Return one example as text: the expression and its value; with `outputs` also the predicted value."""
        steps = int(batch.lengths[row])
        words = [self.vocabulary[symbol] for symbol in _text(batch, row).tolist()]
        answers = {"target": batch.targets[row, steps - 1]}
        if outputs is not None:
            answers["output"] = outputs[row, steps - 1].argmax()
        lines = [f"{name} {SYMBOLS[int(answer)]}" for name, answer in answers.items()]
        return "\n".join([f"{type(self).__name__}, {steps} steps", f"input  {' '.join(words)}", *lines])


def _text(batch: SequenceBatch, row: int) -> Int[Tensor, " time"]:
    """Return the symbols of one example as a sequence."""
    if batch.kind is TREES:
        data = LabelledTrees(trees=batch.inputs, labels=batch.targets, lengths=batch.lengths)
        return written(data.take(torch.tensor([row])))[0][0]
    return batch.inputs[row, : int(batch.lengths[row])]


def written(data: LabelledTrees) -> tuple[Int[Tensor, "batch time"], Int[Tensor, " batch"]]:
    """Write trees as sequences of symbols with brackets around each inner node, and return these and their lengths.

    Words and closing brackets are in postorder. Before each of them come the opening brackets of all inner nodes whose first
    leaf is at or before it.
    """
    words, children = data.trees.words, data.trees.children
    batch, nodes = words.shape
    inside = steps_since(torch.zeros_like(data.lengths), nodes) < data.lengths[:, None]
    inner = inside & (words == NONE)
    first = torch.arange(nodes).repeat(batch, 1)
    for node in range(nodes):
        left = children[:, node, :1].clamp(min=0)
        first[:, node] = torch.where(inner[:, node], first.gather(1, left)[:, 0], node)
    opened = torch.zeros_like(first).scatter_add_(1, first, inner.long()).cumsum(1)
    steps = data.lengths + inner.sum(1)
    time = int(steps.max())
    begun = steps_since(torch.zeros_like(steps), time)
    text = torch.where(begun < steps[:, None], OPEN, 0)
    rows, places = inside.nonzero(as_tuple=True)
    text[rows, (places + opened[rows, places])] = torch.where(inner, CLOSE, words)[rows, places]
    return text, steps


CARD = TaskCard(
    name="boolean",
    summary="Evaluate an expression of true, false, and, or, not, as a tree or as a sequence.",
    paper=("bowman2015",),
    inputs=("trees", "sequences"),
    small={"max_length": 2},
    unit="levels",
    test_lengths=(6, 7, 8, 9),
)
