"""Loss: that of the task or, of a network that has its own, that of the network."""

from collections.abc import Callable
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from memtape.core.batch import SequenceBatch
from memtape.core.task import Task
from memtape.training.network_traits import has_own_loss


def loss_weight(model: nn.Module, task: Task, batch: SequenceBatch) -> float:
    """Return the weight of the loss of a batch: that of the task or, with a loss of the network, the scored steps.

    Args:
        model: the network.
        task: the task.
        batch: the batch.
    """
    return float(batch.mask.sum() if has_own_loss(model) else task.weight(batch))


def answer_with_loss(
    model: nn.Module,
    task: Task,
    batch: SequenceBatch,
    *given: Any,
    whole: float,
    call: Callable[..., Any] | None = None,
    **options: Any,
) -> tuple[Float[Tensor, "batch time output"], Any, Float[Tensor, ""]]:
    r"""Call a network on a part of a batch, and return its outputs, its state and the loss.

    The loss of a part $p$ is $w_p \ell_p / w$, so that the losses of all parts add up to that of the batch. With a loss
    of the network it is $\sum_{b,t} \ell_{bt} / w$ over the $w$ scored steps of the batch.

    Args:
        model: the network. If it has its own loss, it is called with `targets` and returns, after outputs and state, the
            loss of each row and step, shape (batch, time).
        task: the task.
        batch: the part.
        given: the state to start from, if any.
        whole: $w$, the `loss_weight` of the batch.
        call: the form of the network to call, such as one that is divided over processes; None for `model`.
        options: other arguments of the network.
    """
    call = call or model
    if has_own_loss(model):
        options["targets"] = batch.targets
        outputs, state, losses = call(batch.inputs, *given, lengths=batch.lengths, **options)
        return outputs, state, losses[batch.mask].sum() / whole
    outputs, state = call(batch.inputs, *given, lengths=batch.lengths, **options)
    share = task.weight(batch) / whole
    return outputs, state, task.loss(outputs, batch) * share if share else outputs.sum() * 0
