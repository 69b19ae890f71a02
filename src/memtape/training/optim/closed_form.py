"""Closed form: solve for a linear readout on one batch, instead of following gradients."""

from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from memtape.core.batch import SequenceBatch
from memtape.core.task import Task
from memtape.ops.ridge import ridge
from memtape.training.settings import SettingsError, TrainSettings


@runtime_checkable
class LinearlyRead(Protocol):
    """A network whose output is a linear function of fixed features."""

    output_size: int

    def features(self, xs: Tensor, *, lengths: Int[Tensor, " batch"]) -> Float[Tensor, "batch time feature"]:
        """Return the features that the readout receives."""
        ...

    def set_readout(self, weights: Float[Tensor, "feature output"], bias: Float[Tensor, " output"]) -> None:
        """Set the weights and the bias of the readout."""
        ...


def linearly_read(model: nn.Module) -> LinearlyRead:
    """Return a network whose readout can be solved for.

    Raises:
        SettingsError: the output of the network is not linear in fixed features.
    """
    if not isinstance(model, LinearlyRead):
        raise SettingsError(
            f'optimizer is "ridge", but {type(model).__name__} has no linear readout of fixed features; '
            "choose another optimizer, or an echo state network"
        )
    return model


@torch.no_grad()
def solve(model: nn.Module, task: Task, batch: SequenceBatch, settings: TrainSettings) -> dict[str, float]:
    r"""Set the readout of least squared error on the scored steps of a batch, and return its loss and scores.

    $$\min_{V, c} \sum_t \lVert V f_t + c - y_t \rVert^2 + \beta \lVert V \rVert^2 + \beta \lVert c \rVert^2$$

    The targets of classes are one-hot vectors.

    Args:
        model: the network, a `LinearlyRead` one.
        task: computes loss and scores.
        batch: the batch.
        settings: `ridge_penalty` is the weight $\beta$.

    Raises:
        SettingsError: the network has no linear readout, or the penalty is too small for the features.
    """
    network = linearly_read(model)
    features = network.features(batch.inputs, lengths=batch.lengths)[batch.mask]
    targets = batch.targets[batch.mask]
    if not targets.is_floating_point():
        targets = functional.one_hot(targets, network.output_size)
    ones = torch.ones_like(features[:, :1])
    try:
        weights = ridge(torch.cat([features, ones], dim=1), targets.double(), settings.ridge_penalty)
    except ValueError as error:
        raise SettingsError(f"the readout cannot be solved for: {error}") from None
    network.set_readout(weights[:-1], weights[-1])
    outputs, _ = model(batch.inputs, lengths=batch.lengths)
    return {"loss": float(task.loss(outputs, batch)), **task.scores(outputs, batch)}
