"""Regression: tasks whose targets are real numbers."""

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from memtape.core.batch import SequenceBatch
from memtape.core.task import Task


class RegressionTask(Task):
    """Abstract task whose targets and outputs are real numbers; the loss is the mean squared error."""

    def loss(self, outputs: Float[Tensor, "batch time output"], batch: SequenceBatch) -> Float[Tensor, ""]:
        """Return the mean squared error of the scored steps."""
        return functional.mse_loss(outputs[batch.mask], batch.targets[batch.mask])

    def weight(self, batch: SequenceBatch) -> float:
        """Return the number of scored steps."""
        return float(batch.mask.sum())


def number_sums(outputs: Float[Tensor, "batch time output"], batch: SequenceBatch) -> dict[str, float]:
    """Return the sum of squared errors, the sums of the targets and of their squares, and the number of scored targets."""
    target = batch.targets[batch.mask].double()
    errors = outputs.detach()[batch.mask].double() - target
    return {
        "squared": float(errors.square().sum()),
        "target": float(target.sum()),
        "target_squared": float(target.square().sum()),
        "scored": float(target.numel()),
    }
