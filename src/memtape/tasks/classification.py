"""Classification: tasks whose targets are classes and whose outputs are logits."""

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from memtape.core.batch import SequenceBatch
from memtape.core.task import Task


class ClassificationTask(Task):
    """Abstract task whose targets are classes and whose outputs are their logits; the loss is the cross-entropy in nats."""

    def loss(self, outputs: Float[Tensor, "batch time output"], batch: SequenceBatch) -> Float[Tensor, ""]:
        """Return the mean cross-entropy of the scored steps, in nats."""
        return functional.cross_entropy(outputs[batch.mask], batch.targets[batch.mask])

    def weight(self, batch: SequenceBatch) -> float:
        """Return the number of scored steps."""
        return float(batch.mask.sum())


def class_sums(outputs: Float[Tensor, "batch time output"], batch: SequenceBatch) -> dict[str, float]:
    """Return the summed cross-entropy in nats, and the numbers of correct and of scored predictions."""
    answer, target = outputs.detach()[batch.mask], batch.targets[batch.mask]
    nats = functional.cross_entropy(answer, target, reduction="sum")
    right = (answer.argmax(-1) == target).sum()
    return {"nats": float(nats), "right": float(right), "scored": float(len(target))}
