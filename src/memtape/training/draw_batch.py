"""Draw a batch for a network, also of interactive tasks, whose inputs depend on the outputs of the network."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from memtape.core import state_tree
from memtape.core.batch import SequenceBatch
from memtape.core.task import Task, generator_for
from memtape.training.network_traits import input_kind, place_of


def draw_batch(
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
    """Return a batch of the network's kind of input and dtype; in an interactive task, the network plays it.

    Args:
        task: the task that generates the batch.
        model: the network.
        index: number of the batch in its split.
        batch_size: number of sequences.
        seed: seed of the data, and of random choices in training.
        split: split of the data; in training an interactive task may replace some outputs of the network.
        lengths: shortest and longest length; None means those of training.
        run: function that is called in place of `model`; None means `model`.
    """
    device, dtype = place_of(model)
    batch = task.batch(index, batch_size, seed=seed, split=split, lengths=lengths, input_kind=input_kind(model))
    if not task.interactive:
        return batch.move(dtype=dtype)

    @torch.no_grad()
    def player(inputs: Tensor, state: Any, lengths: Tensor) -> tuple[Tensor, Any]:
        given = () if state is None else (state,)
        inputs = inputs.to(device, dtype if inputs.is_floating_point() else None)
        outputs, reached = (run or model)(inputs, *given, lengths=lengths)
        return outputs.cpu(), state_tree.detach(reached)

    played = task.play(batch, player, generator_for(seed, split, index, "play") if split == "train" else None)
    return played.move(dtype=dtype)
