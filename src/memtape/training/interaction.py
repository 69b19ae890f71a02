"""Playing: batches for a network, also of tasks whose inputs hang on what it says."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from memtape.core import state_tree
from memtape.core.batch import SequenceBatch
from memtape.core.task import Task, generator_for
from memtape.training.network_traits import input_kind


def batch_for(
    task: Task,
    model: nn.Module,
    index: int,
    batch_size: int,
    *,
    seed: int,
    split: str = "train",
    lengths: tuple[int, int] | None = None,
    run: Callable[..., Any] | None = None,
) -> SequenceBatch:
    """Hand out a batch of the kind of input that a network reads, played by the network if the task is such.

    Args:
        task: where batches come from.
        model: the network.
        index: which batch of the split.
        batch_size: number of sequences.
        seed: seed of the data, and of chance in a training.
        split: split of the data; in training the task may mix what the network says with something else.
        lengths: shortest and longest length; None means those of training.
        run: runs the network, as `model` itself would; None means `model`.
    """
    batch = task.batch(index, batch_size, seed=seed, split=split, lengths=lengths, input_kind=input_kind(model))
    if not task.played:
        return batch
    device = next(model.parameters()).device

    @torch.no_grad()
    def player(inputs: Tensor, state: Any, lengths: Tensor) -> tuple[Tensor, Any]:
        given = () if state is None else (state,)
        outputs, reached = (run or model)(inputs.to(device), *given, lengths=lengths)
        return outputs.cpu(), state_tree.detach(reached)

    return task.play(batch, player, generator_for(seed, split, index, "play") if split == "train" else None)
