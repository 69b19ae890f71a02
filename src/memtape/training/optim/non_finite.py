"""Non-finite: find the first module that computes a NaN or an infinity."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from memtape.core.batch import SequenceBatch
from memtape.core.errors import WorkError
from memtape.core.task import Task
from memtape.training.loss import answer_with_loss, loss_weight


class NonFiniteError(WorkError, ArithmeticError):
    """A loss or a gradient became NaN or infinite."""

    def __init__(self, step: int, place: str, what_was_tried: str = ""):
        super().__init__(
            f"training stopped at step {step} because {place} is not finite{what_was_tried and ', '}{what_was_tried}; "
            "lower the learning rate or the clip limit, or read the last metrics of the run"
        )


def first_non_finite(model: nn.Module, task: Task, batch: SequenceBatch) -> str:
    """Name the first place where a network computes a NaN or an infinity on a batch.

    Checks parameters first, then the output of every module in the order of computation, then the loss, then gradients.
    """
    for name, parameter in model.named_parameters():
        if not torch.isfinite(parameter).all():
            return f"the parameter {name}"
    found: list[str] = []

    def watch(name: str) -> Any:
        def look(module: nn.Module, _: Any, output: Any) -> None:
            tensors = [leaf for leaf in pytree.tree_leaves(output) if isinstance(leaf, Tensor)]
            if not all(torch.isfinite(tensor).all() for tensor in tensors):
                found.append(f"the output of {name} ({type(module).__name__})")

        return look

    handles = [module.register_forward_hook(watch(name)) for name, module in model.named_modules() if name]
    try:
        with torch.no_grad():
            whole = loss_weight(model, task, batch) or 1.0  # a process may have no scored rows
            _, _, loss = answer_with_loss(model, task, batch, whole=whole)
    finally:
        for handle in handles:
            handle.remove()
    if found:
        return found[0]
    if not torch.isfinite(loss):
        return "the loss"
    for name, parameter in model.named_parameters():
        if parameter.grad is not None and not torch.isfinite(parameter.grad).all():
            return f"the gradient of {name}"
    return "the state that was carried into the batch"
