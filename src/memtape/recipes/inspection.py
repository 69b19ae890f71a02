"""Inspection: watch a network work its tape, for the picture of the paper."""

from typing import Any

import torch
from torch import nn

from memtape.core.recurrent import Recurrent
from memtape.core.task import Task
from memtape.models.augmented import AugmentedState
from memtape.viz.tape import Tape


@torch.no_grad()
def tape_of(model: nn.Module, task: Task, *, length: int, seed: int) -> Tape | None:
    """Run a network on one test sequence and return what its heads did; None for a network without a tape.

    Args:
        model: a trained network that runs over sequences.
        task: where the sequence comes from.
        length: its length, in the task's unit.
        seed: seed of the data.
    """
    if not isinstance(model, Recurrent) or not isinstance(model.init_state(1), AugmentedState):
        return None
    batch = task.batch(0, 1, seed=seed, split="picture", lengths=(length, length))
    device = next(model.parameters()).device
    inputs = batch.inputs.to(device)
    outputs, _, states = model(inputs, collect=lambda state: state)
    adds = _adds(model, inputs)
    memory = states.memory

    def rows(values: torch.Tensor) -> Any:
        return values[0].cpu().numpy()

    return Tape(
        inputs=rows(inputs),
        outputs=rows(torch.sigmoid(outputs)),
        targets=rows(batch.targets),
        scored=rows(batch.mask),
        adds=rows(adds),
        reads=rows(states.reads.unflatten(-1, (memory.read_weights.shape[2], -1))),
        write_weights=rows(memory.write_weights),
        read_weights=rows(memory.read_weights),
    )


def _adds(model: Any, inputs: torch.Tensor) -> torch.Tensor:
    """Return what the write heads added at each step, which is no part of the state."""
    state = model.init_state(len(inputs), device=inputs.device, dtype=inputs.dtype)
    adds = []
    for x in inputs.unbind(1):
        adds.append(model.cell.control(x, state).add)
        _, state = model.cell(x, state)
    return torch.stack(adds, dim=1)
